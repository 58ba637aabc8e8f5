-- Gives back what was shared, and lets in whoever that makes room for.
--
-- KEYS: seven. ARGV: claim, `<phase> <seat>` or '' where no other grant has ever had the claim.
-- Reply: as release.
-- Complexity: as obtain-shared.
-- @many
-- @include keys
-- @include value
-- @include fence
-- @include grant
-- @include serve
local function run(k, a)
  local value, grant = ARGV[a + 1], ARGV[a + 2]
  -- @include held-shared
  -- @include phase
  -- @include share
  -- @include admit
  if not endOfGrant(value, grant) then return held and not phase and -1 or 0 end
  giveBack(value)
  local more = expire()
  if call('EXISTS', KEYS[i + 3], KEYS[i + 4]) > 0 then
    more = pass() == 'more' or more
  else
    save()
  end
  return more and 'more' or 1
end
