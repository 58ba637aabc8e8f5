-- Who has a lock, and who waits for it; without a token.
--
-- KEYS: four. ARGV: how many waiters to tell of at most.
-- Reply: `[ms left, fence, metadata, number of waiters, metadata, ms waited, metadata, ms waited, ...]`,
--        the first three nil for a lock that nobody has.
-- Complexity: O(log n + m) for a line of n and m waiters told of.
-- @include keys
-- @include waiter
-- @include describe
local time = call('TIME')
local micros = time[1] * 1000000 + time[2]
local held = call('GET', KEYS[1])
local reply = held and describe(1, held) or { false, false, false }
reply[4] = call('ZCARD', KEYS[3])
local line = call('ZRANGE', KEYS[3], 0, ARGV[1] - 1, 'WITHSCORES')
for i = 1, #line, 2 do
  local stale, _, _, _, length, _, _, value = waiterOf(1, line[i])
  table.insert(reply, stale and string.sub(value, length + 1) or '')
  table.insert(reply, math.max(0, math.floor((micros - line[i + 1]) / 1000)))
end
return reply
