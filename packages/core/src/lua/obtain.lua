-- Takes all the locks or none.
--
-- KEYS: four for each lock.
-- ARGV: value, ttl, length of the token in it, call or '' where the token is this call's alone;
--       to stand in line also: id, ticket or '', ms until the place goes stale, reach, the ttl to be
--       granted while it is not asking, proof.
-- Reply: the fencing token as text when they are ours, also when they were before; else of the lock
--        that lasts longest `[ms left, fence, metadata]`, or in line `[ms left, place, ticket]`, with
--        ms left -1 for a lock without ttl, and nil when all are free but kept for others.
-- Complexity: O(1) without a line, else O(log n) in its length, for each lock. The common case comes
-- first, and defines no function that it does not need: a free lock costs four commands.
-- @include keys
local time
local function run(k, a, keys, args)
  local value, ttl, caller, id = ARGV[a + 1], ARGV[a + 2], ARGV[a + 4], args > 4 and ARGV[a + 5]
  local first, last = k + 1, k + keys
  local token = string.sub(value, 1, ARGV[a + 3])
  local memory = 2 * ttl
  if memory < A_DAY then memory = A_DAY end

  local untouched = true
  for i = first, last, 4 do
    untouched = untouched and call('EXISTS', KEYS[i], KEYS[i + 2]) == 0
  end
  if not untouched then
    -- @include serve
    -- @include describe
    -- Whether the lock is ours, its fencing token, and the call that took it. The same bytes can be
    -- another's: a longer token, or a shorter one with metadata.
    local function ours(i, held)
      if held ~= value then return false end
      local fence, owner, taker = string.match(call('GET', KEYS[i + 1]) or '', '^(%d+):(%S+) ?(%S*)$')
      if owner == token then return true, fence, taker end
      return not owner or string.sub(value, 1, #owner) ~= owner
    end

    local place, ticket = 0, id and tonumber(ARGV[a + 6])
    -- Into all lines with one ticket, so that of two waiters the same is first everywhere.
    local function join(micros)
      local stale = string.format('%.0f', math.ceil(micros / 1000 + ARGV[a + 7]))
      local waiter = table.concat({
        stale, ARGV[a + 8], keys / 4, ARGV[a + 9], ARGV[a + 3], ARGV[a + 10], caller, value
      }, ' ')
      for i = first, last, 4 do
        call('HSET', KEYS[i + 3], id, waiter)
        if call('ZADD', KEYS[i + 2], 'NX', string.format('%.0f', ticket), id) == 1 then
          call('PEXPIRE', KEYS[i + 2], memory)
          call('PEXPIRE', KEYS[i + 3], memory)
        end
      end
    end
    local function micros()
      local now = call('TIME')
      return now[1] * 1000000 + now[2]
    end
    local owned, free, fence, longest = 0, true, nil, { false, false, false }
    local shared = {}
    for i = first, last, 4 do
      local held = call('GET', KEYS[i])
      local mine, number, taker = ours(i, held)
      if mine then
        owned = owned + 4
        if number and (not fence or tonumber(number) > tonumber(fence)) then fence = number end
        if number and taker ~= caller then table.insert(shared, { KEYS[i + 1], number, taker }) end
      else
        if not held and call('EXISTS', KEYS[i + 2]) == 1 then
          -- Who was in line before, and is not any more, is back in its place before anybody is served.
          if ticket then join(micros()) end
          local whose = serve(i, id or '')
          if whose == 'granted' then
            held = call('GET', KEYS[i])
          elseif whose == 'kept' then
            free = false
          end
        end
        if held then
          free = false
          longest = longer(longest, id and { call('PTTL', KEYS[i]), false, false } or describe(i, held))
        end
      end
    end
    if free and fence and owned == keys then
      for i = first, last, 4 do
        -- A late copy of this command must not cut a lease that was refreshed since.
        if call('PTTL', KEYS[i]) < tonumber(ttl) then call('PEXPIRE', KEYS[i], ttl) end
        -- Another call with the same token may have taken it while this one stood in line.
        if id then drop(i, id) end
      end
      -- Two calls have it now: from here on, neither may free it by giving up.
      for n = 1, #shared do
        local fenceKey, number, taker = unpack(shared[n])
        if taker ~= '' then call('SET', fenceKey, number .. ':' .. token, 'PX', memory) end
      end
      return fence
    end

    if not free and not id then return longest end
    if not free then
      local now = micros()
      if not ticket then
        for i = first, last, 4 do ticket = tonumber(call('ZSCORE', KEYS[i + 2], id) or ticket) end
      end
      if not ticket then
        ticket = now
        for i = first, last, 4 do
          local behind = call('ZRANGE', KEYS[i + 2], -1, -1, 'WITHSCORES')
          if behind[1] then ticket = math.max(ticket, behind[2] + 1) end
        end
      end
      join(now)
      for i = first, last, 4 do place = math.max(place, call('ZRANK', KEYS[i + 2], id) + 1) end
      ticket = ARGV[a + 6] ~= '' and ARGV[a + 6] or call('ZSCORE', KEYS[first + 2], id)
      return { longest[1], place, ticket }
    end

    if #shared > 0 then caller = '' end
    for i = first, last, 4 do
      call('ZREM', KEYS[i + 2], id or '')
      call('HDEL', KEYS[i + 3], id or '')
      announce(i, ttl, 0)
    end
  end

  time = time or call('TIME')
  local fence = time[1] .. string.sub('00000' .. time[2], -6)
  local owner = ':' .. token .. (caller ~= '' and ' ' .. caller or '')
  local i = first
  while i < last do
    local before = call('SET', KEYS[i + 1], fence .. owner, 'PX', memory, 'GET')
    before = before and tonumber(string.match(before, '^(%d+):'))
    if before and before >= tonumber(fence) then
      fence = string.format('%.0f', before + 1)
      i = first
    else
      i = i + 4
    end
  end
  for i = first, last, 4 do call('SET', KEYS[i], value, 'PX', ttl) end
  return fence
end
