-- @include waiter
-- How often a waiter who can be told checks in, at the least, in milliseconds.
local CHECK_IN = 15000
-- How many waiters one script drops at most to serve the line. To find one who can be told of a lease: how
-- many it passes over at most, and how many of the dead it drops.
local MOST_DROPPED, MOST_PASSED, MOST_DEAF = 1000, 10, 1000
-- Milliseconds that the line outlasts its last newcomer: longer than any waiter's patience.
local MEMORY_OF_LINE = '60000'

-- Messages go to the channel `redislock:inbox:<inbox>`:
--
--   grant <number> <fencing token> <proof>  the lock is its own now; never taken back
--   come <number>                           it should ask; proves nothing
--   unseen <number>                         the same, and this server does not count it as a listener
--
-- Returns how many heard it on this server; an error if it may not be published.
local function tell(id, what, more)
  local inbox, number = string.match(id, '^(.+):(%d+)$')
  if not inbox then return 0 end
  return redis.pcall('PUBLISH', 'redislock:inbox:' .. inbox, what .. ' ' .. number .. (more or ''))
end

local function drop(i, id)
  call('ZREM', KEYS[i + 3], id)
  call('HDEL', KEYS[i + 4], id)
end

-- How many listen to a waiter's inbox on this server; nil if the server does not say. Patterns are not
-- counted. All waiters of one process share an inbox.
local function listeners(id)
  local inbox = string.match(id, '^(.+):%d+$')
  if not inbox then return 0 end
  return redis.pcall('PUBSUB', 'NUMSUB', 'redislock:inbox:' .. inbox)[2]
end

-- The waiter, if it may be served, and how many listen to it: 0 if it is not one who is counted, nil if the
-- server does not say. Who went stale, whose record is gone, or who does not hear, may not: it is told so,
-- wherever it listens, and comes back with its ticket if it lives.
local function servable(i, id, ms)
  local waiter = string.match(id, '^.+:%d+$') and waiterIn(call('HGET', KEYS[i + 4], id))
  if not waiter or isStale(waiter, ms) then
    tell(id, 'come')
    return
  end
  if waiter.reach ~= '1' then return waiter, 0 end
  local count = listeners(id)
  if count ~= 0 then return waiter, count end
  tell(id, 'unseen')
end

-- A lease of `ttl` is running that ends before the first in line would ask by itself: it is told to come
-- and learn of it. Whoever asks often, because no message reaches it, is passed over; of the dead, `most`
-- are dropped, also of those who would ask by then if they lived.
local function announce(i, ttl, place, most)
  if ttl >= CHECK_IN then return end
  local last, ms = place + MOST_PASSED, nil
  for _ = 1, most or MOST_DEAF do
    local id = call('ZRANGE', KEYS[i + 3], place, place)[1]
    if not id or place == last then return end
    local waiter = waiterIn(call('HGET', KEYS[i + 4], id))
    if waiter and waiter.reach ~= '1' and not ms then
      local time = call('TIME')
      ms = time[1] * 1000 + time[2] / 1000
    end
    if not waiter or (waiter.reach ~= '1' and isStale(waiter, ms)) then
      tell(id, 'come')
      drop(i, id)
    elseif waiter.reach == '0' then
      place = place + 1
    elseif waiter.ttl / 2 > ttl then
      if tell(id, 'come') ~= 0 or waiter.reach == '2' then return end
      drop(i, id)
    else
      -- It asks by then, if it lives.
      if waiter.reach == '2' or listeners(id) ~= 0 then return end
      tell(id, 'unseen')
      drop(i, id)
    end
  end
end

-- Drops whoever is in front of the asker and may not be served, so that the dead are not waited for.
local function sweep(i, asker, ms)
  for _ = 1, MOST_DROPPED do
    local id = call('ZRANGE', KEYS[i + 3], 0, 0)[1]
    if id == asker or servable(i, id, ms) then return end
    drop(i, id)
  end
end

-- The line is empty. If its waiters are there all the same, it was lost alone: they are told to come.
local function recall(i)
  if call('EXISTS', KEYS[i + 4]) == 0 then return end
  local found = redis.pcall('HSCAN', KEYS[i + 4], 0, 'COUNT', 100)[2]
  if not found then return end
  for n = 1, #found, 2 do tell(found[n], 'come') end
  call('DEL', KEYS[i + 4])
end

-- Makes the lock the waiter's, and returns what proves it.
local function hand(i, waiter, micros)
  local fence = nextFence(i, micros, waiter.memory)
  local grant = grantOf(fence, string.sub(waiter.value, 1, waiter.length), waiter.caller)
  call('SET', KEYS[i + 1], grant, 'PX', waiter.ttl)
  call('SET', KEYS[i], waiter.value, 'PX', waiter.ttl)
  return ' ' .. fence .. ' ' .. waiter.proof
end

-- The lock stays free for a waiter who has to ask, which it may never do: whoever is behind is told, if
-- nobody asks just now.
local function keep(i, id, ticket, whose)
  call('ZADD', KEYS[i + 3], ticket, id)
  call('PEXPIRE', KEYS[i + 3], MEMORY_OF_LINE)
  if not whose then announce(i, 0, 1) end
  return whose or 'kept'
end

-- Offers the free lock at KEYS[i] to those in line, the first of whom is `head` if it was taken out
-- already, as ZPOPMIN replies. Says whose it is now: `granted` to a waiter who was told, `kept` for one
-- who has to ask, for the `asker` itself if it is the first who can have it, `nobody`, or `more` if only
-- so many were dropped and the rest must be looked at by another script.
--
-- A grant is published only after the lock was written, and is never taken back once it was: whoever
-- hears it, has it, on whatever server it listens. So listeners are counted before. PUBLISH counts too
-- late, and its own server's only, while a replica passes the message on to others. Whom this server
-- does not see is told to come, which proves nothing.
--
-- Taking the first out comes before all other writes: what a script has begun to write, it may write to
-- its end, also with memory full.
--
-- O(log n) in the line's length, for the one it serves and for each that it drops.
local function serve(i, asker, head)
  local micros, kept = nil, asker and 'kept'
  for _ = 1, MOST_DROPPED do
    head = head or call('ZPOPMIN', KEYS[i + 3])
    local id, ticket = head[1], head[2]
    head = nil
    if not id then
      recall(i)
      return 'nobody'
    end
    if id == asker then return keep(i, id, ticket, 'asker') end
    if not micros then
      local time = call('TIME')
      micros = time[1] * 1000000 + time[2]
    end
    local waiter, count = servable(i, id, micros / 1000)
    if waiter then
      if waiter.reach == '0' then return keep(i, id, ticket, kept) end
      if not count or waiter.keys ~= 1 then
        local heard = tell(id, 'come')
        if count or heard ~= 0 then return keep(i, id, ticket, kept) end
      elseif type(tell(id, 'grant', hand(i, waiter, micros))) == 'number' then
        call('HDEL', KEYS[i + 4], id)
        announce(i, waiter.ttl, 0)
        return 'granted'
      else
        -- Nothing was published: nobody can have heard.
        call('DEL', KEYS[i], KEYS[i + 1])
        return keep(i, id, ticket, kept)
      end
    end
    call('HDEL', KEYS[i + 4], id)
  end
  return 'more'
end
