-- What is held at the lock's key, for whoever shares it. Another type of data means that the lock is
-- another's, any other error that nobody knows, as in include/held.lua.
local held = redis.pcall('GETRANGE', KEYS[k + 1], '0', LAST_BYTE)
if type(held) == 'table' then
  if string.sub(held.err, 1, 9) ~= 'WRONGTYPE' then return held end
  held = ''
elseif held == '' and call('EXISTS', KEYS[k + 1]) == 0 then
  held = false
end
