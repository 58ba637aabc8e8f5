-- An error of a command, as the reply of the script. Another type of data than a lock has says which key it
-- is at. Redis before 7 puts the place in the script before the error.
local function explain(problem)
  local text = type(problem) == 'table' and problem.err or problem
  text = string.match(text, 'user_script: ?%d+: %-?(.*)$') or text
  if string.sub(text, 1, 9) == 'WRONGTYPE' then
    for n = 1, #KEYS do
      local key, right = KEYS[n], 'string'
      local kind = string.match(key, ':redislock:(%l+)')
      if kind == 'line' or kind == 'holders' then right = 'zset' end
      if kind == 'waiters' or kind == 'shares' then right = 'hash' end
      local found = redis.pcall('TYPE', key).ok
      if found and found ~= right and found ~= 'none' then text = 'WRONGTYPE ' .. key .. ' holds a ' .. found end
    end
  end
  return { err = text }
end
