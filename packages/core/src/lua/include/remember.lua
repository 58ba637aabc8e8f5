-- The fence outlasts the lock. Others may remember for longer.
local longest = math.max(memory, 2 * ttl)
if longest < 86400000 then longest = math.max(longest, call('PTTL', KEYS[i + 2])) end
call('PEXPIRE', KEYS[i + 2], longest)
