-- @include waiter
-- How often a waiter who can be told checks in, at the least, in milliseconds.
local CHECK_IN = 15000
-- How many waiters one script drops at most, and how many it looks past for one who can be told.
local MOST_DROPPED, MOST_PASSED = 1000, 9

-- Messages go to the channel `redislock:inbox:<inbox>`:
--
--   grant <number> <fencing token> <proof>  the lock is its own now; never taken back
--   come <number>                           it should ask; proves nothing
--   unseen <number>                         the same, and this server does not count it as a listener
local function tell(id, what, more)
  local inbox, number = string.match(id, '^(.+):(%d+)$')
  local message = what .. ' ' .. number .. (more or '')
  return redis.pcall('PUBLISH', 'redislock:inbox:' .. inbox, message)
end

-- How many listen on this server, patterns not counted; nil if the server does not say.
local function listeners(id)
  return redis.pcall('PUBSUB', 'NUMSUB', 'redislock:inbox:' .. string.match(id, '^(.+):'))[2]
end

local function drop(i, id)
  call('ZREM', KEYS[i + 2], id)
  call('HDEL', KEYS[i + 3], id)
end

-- A lease of `ttl` began that ends before the first in line would ask by itself: it is told to come
-- and learn of it.
local function announce(i, ttl, place)
  if tonumber(ttl) >= CHECK_IN or place > MOST_PASSED then return end
  local id = call('ZRANGE', KEYS[i + 2], place, place)[1]
  local stale, reach, _, lease = waiterOf(i, id)
  if not stale or lease / 2 <= tonumber(ttl) then return end
  if reach == '0' then return announce(i, ttl, place + 1) end
  if tell(id, 'come') ~= 0 or reach == '2' then return end
  drop(i, id)
  return announce(i, ttl, place)
end

-- The lock stays free for a waiter who has to ask, which it may never do: whoever is behind it is told.
local function keep(i, asker)
  if not asker then announce(i, 0, 1) end
  return 'kept'
end

-- Makes the lock the waiter's, and returns what proves it; nil when memory is full. Writes by pcall and
-- the lock last: with memory full it must stay free, not half granted.
local function hand(i, micros, ttl, length, proof, taker, value)
  local fence, memory = string.format('%.0f', micros), math.max(A_DAY, 2 * ttl)
  local owner = ':' .. string.sub(value, 1, length) .. (taker ~= '' and ' ' .. taker or '')
  local last = redis.pcall('SET', KEYS[i + 1], fence .. owner, 'PX', memory, 'GET')
  if type(last) == 'table' then return end
  last = last and tonumber(string.match(last, '^(%d+):'))
  if last and last >= micros then
    fence = string.format('%.0f', last + 1)
    call('SET', KEYS[i + 1], fence .. owner, 'PX', memory)
  end
  if redis.pcall('SET', KEYS[i], value, 'PX', ttl).err then return end
  return ' ' .. fence .. ' ' .. proof
end

-- Offers the free lock at KEYS[i] to those in line, the first of whom is `head` if that is known. Says
-- whose it is now: `granted` to a waiter who was told, `kept` for one who has to ask, for the `asker`
-- itself if it is the first who can have it, or `nobody`. Drops waiters who went stale or do not hear;
-- who is alive comes back with its ticket.
--
-- A grant is published only after the lock was written, and is never taken back once it was: whoever
-- hears it, has it, on whatever server it listens. So listeners are counted before. PUBLISH counts too
-- late, and its own server's only, while a replica passes the message on to others. Whom this server
-- does not see is told to come, which proves nothing.
--
-- O(log n) in the line's length, for the one it serves and for each that it drops.
local function serve(i, asker, head)
  local micros
  for _ = 1, MOST_DROPPED do
    local id = head or call('ZRANGE', KEYS[i + 2], 0, 0)[1]
    head = nil
    if not id then return 'nobody' end
    if id == asker then return 'asker' end
    if not micros then
      local time = call('TIME')
      micros = time[1] * 1000000 + time[2]
    end
    local stale, reach, keys, ttl, length, proof, taker, value = waiterOf(i, id)
    if stale and stale * 1000 >= micros then
      if reach == '0' then return keep(i, asker) end
      local count = reach == '2' and 1 or listeners(id)
      if count == 0 then
        tell(id, 'unseen')
      elseif count and keys == '1' then
        local grant = hand(i, micros, ttl, length, proof, taker, value)
        if not grant then return 'nobody' end
        if type(tell(id, 'grant', grant)) == 'number' then
          drop(i, id)
          announce(i, ttl, 0)
          return 'granted'
        end
        -- Nothing was published: nobody can have heard.
        call('DEL', KEYS[i])
        return keep(i, asker)
      else
        local heard = tell(id, 'come')
        if count or heard ~= 0 then return keep(i, asker) end
      end
    end
    drop(i, id)
  end
  return 'kept'
end
