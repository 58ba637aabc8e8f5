-- Who has a lock, and who waits for it; without a token. Who went stale is not told of.
--
-- KEYS: five. ARGV: how many waiters to tell of at most.
-- Reply: `[ms left, fence, metadata, number of waiters, metadata, ms waited, metadata, ms waited, ...]`,
--        the first three nil for a lock that nobody has.
-- Complexity: O(log n + m) for a line of n waiters, of whom it looks at m: the first 1000.
-- @include keys
-- @include value
-- @include grant
-- @include waiter
-- @include describe
local function run()
  local time = call('TIME')
  local micros = time[1] * 1000000 + time[2]
  local held = valueAt(1)
  local reply = held and describe(1, held) or { false, false, false }
  reply[4] = call('ZCARD', KEYS[4])
  local shown = 0
  local line = call('ZRANGE', KEYS[4], 0, 999, 'WITHSCORES')
  for i = 1, #line, 2 do
    local waiter = waiterIn(call('HGET', KEYS[5], line[i]))
    if not waiter or isStale(waiter, micros / 1000) then
      reply[4] = reply[4] - 1
    elseif shown < tonumber(ARGV[1]) then
      shown = shown + 1
      reply[3 + 2 * shown] = string.sub(waiter.value, waiter.length + 1)
      reply[4 + 2 * shown] = math.max(0, math.floor((micros - line[i + 1]) / 1000))
    end
  end
  return reply
end
