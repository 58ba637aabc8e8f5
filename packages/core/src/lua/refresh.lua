-- Starts leases anew. By PEXPIRE, which works with memory full, and which cannot bring back a lock that
-- is gone. A lease is cut only if that is wanted: a late copy of a renewal, overtaken by a refresh for
-- longer, must not.
--
-- KEYS: the lock and the fence for each lock. ARGV: value, fence or '' as in release, ttl, 1 to cut a
-- longer lease.
-- Reply: 1 when all were ours and go on; else 0 when one is gone, -1 when one is another's.
-- Complexity: O(1) for each lock.
-- @include keys
local function run(k, a, keys)
  local value, fence, ttl, cut, verdict = ARGV[a + 1], ARGV[a + 2], ARGV[a + 3], ARGV[a + 4], 1
  for i = k + 1, k + keys, 2 do
    -- @include held
    if mine then
      if cut == '1' or call('PTTL', KEYS[i]) < tonumber(ttl) then call('PEXPIRE', KEYS[i], ttl) end
      call('PEXPIRE', KEYS[i + 1], math.max(A_DAY, 2 * ttl))
    elseif held then
      verdict = -1
    elseif verdict == 1 then
      verdict = 0
    end
  end
  return verdict
end
