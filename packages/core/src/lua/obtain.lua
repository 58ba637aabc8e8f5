-- Takes all the locks or none.
--
-- KEYS: five for each lock.
-- ARGV: value, ttl, length of the token in it, call or '' where the token is this call's alone, ms for
--       which the fencing token is remembered;
--       to stand in line also: id, ticket or '', ms of silence until the place goes stale, reach, the ttl
--       to be granted while it is not asking, proof, 1 for an echo.
-- Reply: the fencing token as text when they are ours, also when they were before; else of the lock
--        that lasts longest `[ms left, fence, metadata]`, or in line `[ms left, place, ticket, echoed]`,
--        with ms left -1 for a lock without ttl, and nil when all are free but kept for others. With an
--        echo, `[fencing token, echoed]`. 'again' when the line was too long to find out in one go.
-- An echo is a message to come, sent only when one may have been missed: when the lock was granted to
-- who asks by itself, or when its place was gone. Echoed is 1 when it was published, else 0.
-- Complexity: O(1) without a line, else O(log n) in its length, for each lock. The common case comes
-- first, and defines no function that it does not need: a free lock costs five commands.
-- @many
-- @include keys
-- @include fence
-- @include grant
local time
local function run(k, a, keys, args)
  local value, caller, id = ARGV[a + 1], ARGV[a + 4], args > 5 and ARGV[a + 6]
  local lease, memory = ARGV[a + 2], ARGV[a + 5]
  local ttl = tonumber(lease)
  local first, last = k + 1, k + keys
  local token = string.sub(value, 1, ARGV[a + 3])
  if tonumber(memory) < 2 * ttl then memory = 2 * ttl end

  -- Whoever was in line before, and finds nothing of it, missed something.
  local untouched, echo = not id or ARGV[a + 7] == '', nil
  for i = first, last, 5 do
    untouched = untouched and call('EXISTS', KEYS[i], KEYS[i + 3], KEYS[i + 4]) == 0
  end
  if not untouched then
    -- @include value
    -- @include serve
    -- @include describe
    local now = call('TIME')
    local micros = now[1] * 1000000 + now[2]
    -- Whether the lock is ours, its fencing token, and the call that took it. The same bytes can be
    -- another's: a longer token, or a shorter one with metadata.
    local function ours(i, held)
      if held ~= value then return false end
      local fence, owner, taker = grantAt(i)
      if owner == token then return true, fence, taker end
      return not owner or string.sub(value, 1, #owner) ~= owner
    end

    local wanted, step = keys / 5, 5
    -- @include stand
    local owned, free, fence, longest = 0, true, nil, { false, false, false }
    local joint, ownLease = {}, ttl
    for i = first, last, 5 do
      local held = valueAt(i)
      local mine, number, taker = ours(i, held)
      if mine then
        owned = owned + 5
        ownLease = math.max(ownLease, call('PTTL', KEYS[i]))
        if number and (not fence or tonumber(number) > tonumber(fence)) then fence = number end
        if number and taker ~= caller then table.insert(joint, i) end
      else
        if not held then
          -- Who was in line before, and is not any more, is back in its place before anybody is served.
          if ticket then join() end
          local whose = serve(i, id or '')
          if whose == 'granted' then
            held = valueAt(i)
          elseif whose == 'kept' then
            free = false
          elseif whose == 'more' then
            return 'again'
          end
        end
        if held then
          free = false
          longest = longer(longest, id and { call('PTTL', KEYS[i]), false, false } or describe(i, held))
        end
      end
    end
    if free and fence and owned == keys then
      for i = first, last, 5 do
        -- A late copy of this command must not cut a lease that was refreshed since. Whoever waits for
        -- replicas waits for what this script wrote: it always writes.
        local left = call('PTTL', KEYS[i])
        call('PEXPIRE', KEYS[i], math.max(left, ttl))
        if left < ttl then call('PEXPIRE', KEYS[i + 1], ttl) end
        -- Another call with the same token may have taken it while this one stood in line.
        if id then drop(i, id) end
      end
      -- Two calls have it now: from here on, neither may free it by giving up.
      for n = 1, #joint do
        local i = joint[n]
        local number, owner, taker, order = grantAt(i)
        if taker ~= '' then
          call('SET', KEYS[i + 1], number .. ' ' .. owner .. '  ' .. order, 'PX', call('PTTL', KEYS[i]))
        end
      end
      local heard = echoed()
      return heard and { fence, heard } or fence
    end

    if not free and not id then return longest end
    if not free then return standInLine(longest[1]) end

    if #joint > 0 then caller = '' end
    -- Nor must it where the grant was lost, or one of several: what is granted anew outlasts what is ours.
    ttl, lease, memory = ownLease, ownLease, math.max(memory, 2 * ownLease)
    for i = first, last, 5 do
      if id then drop(i, id) end
      announce(i, ttl, 0)
    end
    echo = echoed()
  end

  time = time or call('TIME')
  local fence = time[1] .. string.sub('00000' .. time[2], -6)
  local i, raised = first, keys > 5 and {}
  while i < last do
    -- Locks of one slot share their fence, which then is ours already.
    local before = not (raised and raised[KEYS[i + 2]] == fence) and raise(i, fence, memory)
    if before and before >= tonumber(fence) then
      fence = string.format('%.0f', before + 1)
      i = first
    else
      if raised then raised[KEYS[i + 2]] = fence end
      i = i + 5
    end
  end
  for i = first, last, 5 do
    call('SET', KEYS[i + 1], grantOf(fence, token, caller), 'PX', lease)
    call('SET', KEYS[i], value, 'PX', lease)
  end
  return echo and { fence, echo } or fence
end
