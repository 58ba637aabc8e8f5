-- Whether all keys of the lock but the fence are known not to be there.
local untouched = held == nil

-- How many one script lets in at most: it takes about a millisecond for a hundred.
local MOST_ADMITTED = 200

local function fits(claim)
  local permits, limit = string.match(claim, '^(%d+)/(%d+)/')
  permits, limit = tonumber(permits), tonumber(limit)
  if not permits or (held and not phase) then return false end
  return limit == 0 or out + permits <= limit
end

-- Lets one in. The first of a phase raises the fence; its number holds for all.
local function admit(claim, caller, ttl, memory)
  if phase then
    -- @include remember
  else
    phase, out, seats = nextFence(i, micros, math.max(memory, 2 * ttl)), 0, 0
    if not untouched then call('UNLINK', KEYS[i + 5], KEYS[i + 6]) end
    begun = true
  end
  seats, shortest = seats + 1, math.min(shortest or ttl, ttl)
  out = out + permitsOf(claim)
  -- A millisecond more, as those of the clock are cut off: nobody is taken off too early.
  enter(claim, ms + ttl + 1, caller ~= '' and { seat = seats, order = 0, caller = caller })
  return ' ' .. phase
end

-- Offers the lock to those in line, as far as they can share it or have it, and says what came of it, as
-- serve: `granted` when one has it for itself. All who are let in are written down before any is told, for
-- a grant that was published is never taken back.
local function pass(asker)
  local admitted, whose, kept = {}, 'more', asker and 'kept'
  for _ = 1, MOST_DROPPED do
    local head = call('ZPOPMIN', KEYS[i + 3])
    local id, ticket = head[1], head[2]
    if not id then
      whose = 'nobody'
      break
    end
    if id == asker then
      whose = keep(i, id, ticket, 'asker')
      break
    end
    local waiter, count = servable(i, id, ms)
    -- Another call with the same token was let in: as it asks, it finds that it has it, too.
    if waiter and waiter.keys == 0 and waiter.caller ~= '' and endOf(waiter.value) then
      tell(id, 'come')
      waiter = nil
    end
    if waiter and waiter.keys ~= 0 and out == 0 then
      if phase then close() end
      whose = serve(i, asker, head)
      if whose == 'granted' then held = valueAt(i) end
      break
    end
    local open = waiter and waiter.keys == 0 and fits(waiter.value)
    if waiter and (not open or waiter.reach == '0' or #admitted == MOST_ADMITTED) then
      if open and waiter.reach ~= '0' then tell(id, 'come') end
      whose = keep(i, id, ticket, not open and 'kept' or kept)
      break
    end
    if waiter and count then
      local claim = waiter.value
      local seat = admit(claim, waiter.caller, waiter.ttl, waiter.memory)
      local grant = seat .. ' ' .. waiter.proof .. ' ' .. seats
      table.insert(admitted, { id = id, ticket = ticket, claim = claim, grant = grant, ttl = waiter.ttl })
    elseif waiter and tell(id, 'come') ~= 0 then
      whose = keep(i, id, ticket, kept)
      break
    else
      call('HDEL', KEYS[i + 4], id)
    end
  end
  save()
  for n = 1, #admitted do
    local one = admitted[n]
    if type(tell(one.id, 'grant', one.grant)) == 'number' then
      call('HDEL', KEYS[i + 4], one.id)
    else
      -- Nothing was published: it cannot have heard.
      giveBack(one.claim)
      whose = keep(i, one.id, one.ticket, kept)
    end
  end
  save()
  if whose == 'nobody' then recall(i) end
  -- The lock may be free earlier now than the first in line knows of, unless that is who asks.
  if shortest and (whose == 'kept' or whose == 'more') then announce(i, shortest, 0) end
  return whose
end
