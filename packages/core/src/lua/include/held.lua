-- What is held at KEYS[i], and whether it is ours by `value` and `fence`. Another type of data means that
-- the lock is gone, any other error that nobody knows.
--
-- Own tokens can be asked with again: then the same value may be that of a later grant, so their holder
-- says in `fence` which fencing token it was told. '' where no other lock has ever had the value.
local held = redis.pcall('GETRANGE', KEYS[i], '0', LAST_BYTE)
if type(held) == 'table' and string.sub(held.err, 1, 9) ~= 'WRONGTYPE' then return held end
local mine = held == value
if mine and fence ~= '' then
  local last = string.match(call('GETRANGE', KEYS[i + 1], '0', LAST_BYTE), '^(%d+) ')
  mine = not last or tonumber(last) <= tonumber(fence)
end
if held == '' and call('EXISTS', KEYS[i]) == 0 then held = false end
