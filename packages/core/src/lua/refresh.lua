-- Starts leases anew. By PEXPIRE, which works with memory full, and which cannot bring back a lock that
-- is gone. Never cuts a lease: a late copy of a renewal, overtaken by a refresh for longer, must not.
--
-- KEYS: the lock, the grant and the fence for each lock. ARGV: value, fence or '' as in release, ttl, ms
-- for which the fencing token is remembered.
-- Reply: 1 when all were ours and go on; else 0 when one is gone, -1 when one is another's.
-- Complexity: O(1) for each lock.
-- @many
-- @include keys
local function run(k, a, keys)
  local value, fence, ttl, memory, verdict = ARGV[a + 1], ARGV[a + 2], ARGV[a + 3], ARGV[a + 4], 1
  for i = k + 1, k + keys, 3 do
    -- @include held
    if mine then
      if call('PTTL', KEYS[i]) < tonumber(ttl) then
        call('PEXPIRE', KEYS[i], ttl)
        call('PEXPIRE', KEYS[i + 1], ttl)
      end
      -- @include remember
    elseif held then
      verdict = -1
    elseif verdict == 1 then
      verdict = 0
    end
  end
  return verdict
end
