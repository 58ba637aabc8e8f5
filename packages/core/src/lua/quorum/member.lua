-- Which server it is that casts a vote, and whose writes it has: each of several servers is given a secret,
-- and asked for those of the others. Also to ask whether it answers, with the mark 0.
--
-- KEYS: the secret of each server. ARGV: the number of this server's, or 0; ms for which it is kept.
-- Reply: `[run id, mode, role, 1 for each secret that it has, else 0]`.
-- Complexity: O(1) for each server.
-- @include keys
local function run()
  local number, found = tonumber(ARGV[1]), ''
  if number > 0 then call('SET', KEYS[number], '1', 'PX', ARGV[2]) end
  for n = 1, #KEYS do found = found .. call('EXISTS', KEYS[n]) end
  local server, replication = call('INFO', 'server'), call('INFO', 'replication')
  return {
    string.match(server, 'run_id:(%w+)') or '',
    string.match(server, 'redis_mode:(%w+)') or '',
    string.match(replication, 'role:(%w+)') or '',
    found
  }
end
