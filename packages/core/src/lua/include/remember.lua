-- The fence outlasts the lock. Others may remember for longer.
local longest = math.max(memory, 2 * ttl)
if longest < 86400000 then longest = math.max(longest, call('PTTL', KEYS[i + 2])) end
if call('PEXPIRE', KEYS[i + 2], longest) == 0 then
  -- The fence was lost. Whoever waits for replicas waits for what this script wrote: it always writes.
  local left = call('PTTL', KEYS[i])
  if left > 0 then call('PEXPIRE', KEYS[i], left) end
end
