-- What is held at `key`, nil if nothing is, and an error if nobody knows. Another type of data means
-- that the lock is gone, any other error that it could not be read.
local function heldAt(key)
  local held = redis.pcall('GET', key)
  if type(held) ~= 'table' then return held end
  if string.sub(held.err, 1, 9) == 'WRONGTYPE' then return true end
  return nil, held
end

-- Whether the last grant is not newer than `fence`, the one that a holder was told of. Own tokens can be
-- asked with again: then the same value may be that of a later grant. '' where no other lock has ever
-- had the value.
local function notNewer(key, fence)
  if fence == '' then return true end
  local last = string.match(call('GET', key) or '', '^(%d+):')
  return not last or tonumber(last) <= tonumber(fence)
end
