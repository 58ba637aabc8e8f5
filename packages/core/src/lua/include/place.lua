-- The place of a waiter in the line at KEYS[i], 0 for none. Not counting who went stale, of the hundred in
-- front.
local function placeOf(i, id)
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
