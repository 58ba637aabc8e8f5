-- An error of a command, as the reply of the script. Another type of data than a lock has says which key it
-- is at. Redis before 7 puts the place in the script before the error.
local function explain(problem)
  local text = type(problem) == 'table' and problem.err or problem
  text = string.match(text, 'user_script: ?%d+: %-?(.*)$') or text
  if string.sub(text, 1, 9) == 'WRONGTYPE' then
    for n = 1, #KEYS do
      local key, right = KEYS[n], 'string'
      if string.match(key, ':redislock:line') then right = 'zset' end
      if string.match(key, ':redislock:waiters') then right = 'hash' end
      local kind = redis.pcall('TYPE', key).ok
      if kind and kind ~= right and kind ~= 'none' then text = 'WRONGTYPE ' .. key .. ' holds a ' .. kind end
    end
  end
  return { err = text }
end
