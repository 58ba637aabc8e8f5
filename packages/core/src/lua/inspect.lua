-- Who has a lock, and who waits for it; without a token. Whose lease is over, and who went stale, is not
-- told of.
--
-- KEYS: seven. ARGV: how many holders and waiters to tell of at most.
-- Reply: `[ms left, fence, metadata, number of waiters, metadata, ms waited, metadata, ms waited, ...]`,
--        the first three nil for a lock that nobody has. Of one that is shared, in place of the metadata
--        `[number of holders, permits out, permits, limit, metadata, ms left, permits, ...]`, those first
--        who end first. Behind a waiter that would share the lock, `[permits, limit]`.
-- Complexity: O(log n + m) for n holders and waiters, of whom it looks at m: the first 1000 of each.
-- @include keys
-- @include value
-- @include grant
-- @include waiter
-- @include describe
local function run(k)
  local held = valueAt(k + 1)
  -- @include phase
  local most = tonumber(ARGV[1])
  local reply = held and describe(i, held) or { false, false, false }
  if phase and reply[1] == -1 then
    -- Somebody took the ttl away: it is shared until the last lease ends, and then another's for ever.
    local last = call('ZRANGE', KEYS[i + 5], -1, -1, 'WITHSCORES')[2]
    if last then reply[1] = string.format('%.0f', math.max(0, last - ms)) else phase = nil end
  end
  if phase then
    local holders = { call('ZCARD', KEYS[i + 5]), out }
    local sharing = call('ZRANGE', KEYS[i + 5], 0, 999, 'WITHSCORES')
    for n = 1, #sharing, 2 do
      local permits, limit = string.match(sharing[n], '^(%d+)/(%d+)/')
      if tonumber(sharing[n + 1]) <= ms then
        holders[1], holders[2] = holders[1] - 1, holders[2] - (permits or 0)
      elseif #holders < 2 + 4 * most then
        local left = string.format('%.0f', sharing[n + 1] - ms)
        local told = { permits, limit, metadataOf(sharing[n]), left }
        for m = 1, 4 do table.insert(holders, told[m]) end
      end
    end
    reply[2], reply[3] = phase, holders
  end
  reply[4] = call('ZCARD', KEYS[i + 3])
  local shown = 0
  local line = call('ZRANGE', KEYS[i + 3], 0, 999, 'WITHSCORES')
  for n = 1, #line, 2 do
    local waiter = waiterIn(call('HGET', KEYS[i + 4], line[n]))
    if not waiter or isStale(waiter, micros / 1000) then
      reply[4] = reply[4] - 1
    elseif shown < most then
      shown = shown + 1
      local shares = waiter.keys == 0
      table.insert(reply, shares and metadataOf(waiter.value) or string.sub(waiter.value, waiter.length + 1))
      table.insert(reply, math.max(0, math.floor((micros - line[n + 1]) / 1000)))
      if shares then table.insert(reply, { string.match(waiter.value, '^(%d+)/(%d+)/') }) end
    end
  end
  return reply
end
