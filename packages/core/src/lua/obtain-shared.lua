-- Shares a lock with others who would share it, up to a limit.
--
-- KEYS: seven. ARGV: as obtain's, with a claim instead of the value.
-- Reply: `[fencing token, seat]` when it is ours, also when it was before, and with an echo
--        `[fencing token, seat, echoed]`; else as obtain's, of the lease that ends first.
-- Complexity: O(log n) in the length of the line and the number of holders, for each that it lets in.
-- @many
-- @include keys
-- @include value
-- @include fence
-- @include grant
-- @include serve
-- @include place
-- @include describe
local function run(k, a, keys, args)
  local value, caller, id = ARGV[a + 1], ARGV[a + 4], args > 5 and ARGV[a + 6]
  local ttl, memory = tonumber(ARGV[a + 2]), tonumber(ARGV[a + 5])
  local first = k + 1
  local held
  if call('EXISTS', KEYS[first], KEYS[k + 4], KEYS[k + 5], KEYS[k + 6], KEYS[k + 7]) > 0 then
    held = valueAt(first)
  end
  -- @include phase
  -- @include share
  -- @include admit
  local last, step, wanted = first, 7, 0
  -- @include stand
  local function granted(seat)
    local heard = echoed()
    return heard and { phase, seat, heard } or { phase, seat }
  end

  if expire() then
    save()
    return 'again'
  end
  local ending = endOf(value)
  if ending then
    local share = shareOf(value)
    -- What takes no memory comes first: it is ours, also with memory full.
    -- @include remember
    -- Two calls with one token have it now: neither may free it by giving up.
    local common = caller ~= '' and share.caller ~= caller
    if common then share.caller = '' end
    take(value, math.max(ending, ms + ttl + 1), (common or share.written) and share)
    if id then drop(i, id) end
    save()
    return granted(share.seat)
  end
  local whose = 'kept'
  if phase or not held then
    -- Who was in line before, and is not any more, is back in its place before anybody is served.
    if ticket then join() end
    local line = not untouched and call('EXISTS', KEYS[i + 3], KEYS[i + 4]) > 0
    whose = line and pass(id or '') or 'nobody'
    if line and caller ~= '' and endOf(value) then
      -- Another call with the same token was let in just now. Whoever is behind does not wait for this one.
      if whose == 'asker' then
        drop(i, id)
        pass()
      end
      whose = 'more'
    end
    if whose == 'more' then return 'again' end
  end
  if (whose == 'asker' or whose == 'nobody') and fits(value) then
    if id then drop(i, id) end
    admit(value, caller, ttl, memory)
    local seat = seats
    if whose == 'asker' then pass() else save() end
    return granted(seat)
  end
  save()
  local told = phase and describeFirst() or held and describe(i, held) or { false, false, false }
  return id and standInLine(told[1]) or told
end
