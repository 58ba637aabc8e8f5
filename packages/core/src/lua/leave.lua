-- Leaves nothing of an obtain that was given up: its places in line, and the locks if they were granted
-- in the meantime. A lock that was kept for it goes to the next in line. What another call with the same
-- token took, or was told that it has, is not touched.
--
-- KEYS: four for each lock. ARGV: value, id or '', call or '' where the token is this call's alone.
-- Reply: `[ms left, fence, metadata, place, owned]`, the first three as obtain's, then the place that
--        it left, 0 for none, and 1 if it had a lock to give back, else 0.
-- Complexity: as release.
-- @include keys
-- @include serve
-- @include describe
local value, id, caller = ARGV[1], ARGV[2], ARGV[3]
local function taken(i)
  if caller == '' then return true end
  return string.match(call('GET', KEYS[i + 1]) or '', '^%d+:%S+ (%S+)$') == caller
end
local place, owned, longest = 0, 0, { false, false, false }
for i = 1, #KEYS, 4 do
  place = math.max(place, (call('ZRANK', KEYS[i + 2], id) or -1) + 1)
  drop(i, id)
  local held = call('GET', KEYS[i])
  local mine = held == value and taken(i)
  if mine then owned = 1 end
  if not held or mine then
    local granted = serve(i) == 'granted'
    if held and not granted then call('DEL', KEYS[i]) end
    held = granted and call('GET', KEYS[i])
  end
  if held then longest = longer(longest, describe(i, held)) end
end
return { longest[1], longest[2], longest[3], place, owned }
