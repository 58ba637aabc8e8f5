-- As leave, of an obtain that would have shared a lock.
--
-- KEYS: seven. ARGV: claim, id or '', call or '' where the token is this call's alone.
-- Reply: as leave, of the lease that ends first.
-- Complexity: as obtain-shared.
-- @include keys
-- @include value
-- @include fence
-- @include grant
-- @include serve
-- @include place
-- @include describe
local function run(k)
  local value, id, caller = ARGV[1], ARGV[2], ARGV[3]
  local place = 0
  -- First of all: it leaves the line also where the lock's key holds other data, which is an error.
  if id ~= '' then
    place = placeOf(k + 1, id)
    drop(k + 1, id)
  end
  local held = valueAt(k + 1)
  -- @include phase
  -- @include share
  -- @include admit
  local owned = endOf(value) and (caller == '' or shareOf(value).caller == caller)
  if owned then giveBack(value) end
  local more = expire()
  if phase or not held then
    more = pass() == 'more' or more
  end
  local told = phase and describeFirst() or held and describe(i, held) or { false, false, false }
  return { told[1], told[2], told[3], place, owned and 1 or 0, more and 1 or 0 }
end
