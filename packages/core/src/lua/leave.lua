-- Leaves nothing of an obtain that was given up: its places in line, and the locks if they were granted
-- in the meantime. A lock that was kept for it goes to the next in line. What another call with the same
-- token took, or was told that it has, is not touched.
--
-- KEYS: five for each lock. ARGV: value, id or '', call or '' where the token is this call's alone.
-- Reply: `[ms left, fence, metadata, place, owned, more]`, the first three as obtain's, then the place
--        that it left, 0 for none, without counting who went stale; 1 if it had a lock to give back, else
--        0; 1 when a line has yet to be served to its end, else 0.
-- Complexity: as release.
-- @include keys
-- @include value
-- @include fence
-- @include grant
-- @include serve
-- @include place
-- @include describe
local function run()
  local value, id, caller, fence = ARGV[1], ARGV[2], ARGV[3], ''
  local function taken(i)
    if caller == '' then return true end
    local _, _, taker = grantAt(i)
    return taker == caller
  end
  local place, owned, more, longest = 0, 0, 0, { false, false, false }
  for i = 1, #KEYS, 5 do
    local here = id ~= '' and placeOf(i, id) or 0
    place = math.max(place, here)
    if id ~= '' then drop(i, id) end
    -- Other data is another's lock: what is left of this obtain at other keys is taken back all the same.
    -- @include held
    if type(held) == 'table' then held = '' end
    mine = mine and taken(i)
    if mine then owned = 1 end
    if not held or mine then
      local whose = serve(i)
      if whose == 'more' then more = 1 end
      if mine and whose ~= 'granted' then call('DEL', KEYS[i], KEYS[i + 1]) end
      held = whose == 'granted' and valueAt(i)
    end
    -- Whoever is behind a waiter that wanted the lock for itself may share it with those who do now.
    if here == 1 and held and string.match(held, SHARED) then announce(i, 0, 0) end
    if held then longest = longer(longest, describe(i, held)) end
  end
  return { longest[1], longest[2], longest[3], place, owned, more }
end
