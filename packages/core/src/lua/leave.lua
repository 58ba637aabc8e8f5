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
-- @include describe
local function run()
  local value, id, caller = ARGV[1], ARGV[2], ARGV[3]
  local function taken(i)
    if caller == '' then return true end
    local _, _, taker = grantAt(i)
    return taker == caller
  end
  -- Not counting who went stale, of the hundred in front.
  local function placeOf(i)
    local rank = call('ZRANK', KEYS[i + 3], id)
    if not rank then return 0 end
    local time = call('TIME')
    local ms = time[1] * 1000 + time[2] / 1000
    if rank > 0 then
      sweep(i, id, ms)
      rank = call('ZRANK', KEYS[i + 3], id)
    end
    local place = rank + 1
    local before = rank > 0 and call('ZRANGE', KEYS[i + 3], math.max(0, rank - 100), rank - 1) or {}
    for n = 1, #before do
      local waiter = waiterIn(call('HGET', KEYS[i + 4], before[n]))
      if not waiter or isStale(waiter, ms) then place = place - 1 end
    end
    return place
  end
  local place, owned, more, longest = 0, 0, 0, { false, false, false }
  for i = 1, #KEYS, 5 do
    if id ~= '' then
      place = math.max(place, placeOf(i))
      drop(i, id)
    end
    local held = valueAt(i)
    local mine = held == value and taken(i)
    if mine then owned = 1 end
    if not held or mine then
      local whose = serve(i)
      if whose == 'more' then more = 1 end
      if mine and whose ~= 'granted' then call('DEL', KEYS[i], KEYS[i + 1]) end
      held = whose == 'granted' and valueAt(i)
    end
    if held then longest = longer(longest, describe(i, held)) end
  end
  return { longest[1], longest[2], longest[3], place, owned, more }
end
