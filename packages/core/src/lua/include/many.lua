-- A script that defines `run` exists twice: for one command, and for many at once, each with keys and
-- arguments of its own. None sees another's, and none is kept from running by another's error.
--
-- KEYS: of all of them. ARGV: how many keys each has, how many arguments, the arguments of all of them.
-- Reply: a list of their replies; 'alone' for one that Redis refused, to be sent by itself.
-- Complexity: that of each.
local keys, args = tonumber(ARGV[1]), tonumber(ARGV[2])
local replies = {}
for n = 0, #KEYS / keys - 1 do
  local done, reply = pcall(run, n * keys, n * args + 2, keys, args)
  if not done or (type(reply) == 'table' and reply.err) then reply = 'alone' end
  replies[n + 1] = reply
end
return replies
