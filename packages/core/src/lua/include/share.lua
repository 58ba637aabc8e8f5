-- Changes of who shares the lock, written down by `save`: the phase, the permits that are out and the seats
-- are those of include/phase.lua. What takes no memory comes first everywhere: what has begun to write may
-- go on with memory full. More permits are written down before somebody is let in, fewer after somebody was
-- taken off: after a script that an error has cut off, too many may be out until the phase ends, not too few.
local changed, removed, begun, shortest = false, false, nil, nil
-- Those who are let in, in their order, and when the last of their leases ends.
local entered, latest = {}, 0

local function permitsOf(claim)
  return tonumber(string.match(claim, '^(%d+)/')) or 0
end

local function take(claim, ending, share)
  if share then
    local left = math.max(ending - ms, call('PTTL', KEYS[i + 6]))
    call('HSET', KEYS[i + 6], claim, share.seat .. ' ' .. share.order .. ' ' .. share.caller)
    call('PEXPIRE', KEYS[i + 6], string.format('%.0f', left))
  end
  call('ZADD', KEYS[i + 5], string.format('%.0f', ending), claim)
  changed = true
end

local function enter(claim, ending, share)
  table.insert(entered, { claim = claim, ending = ending, share = share })
  entering[claim], latest = ending, math.max(latest, ending)
  changed = true
end

-- Nobody shares the lock any more.
local function close()
  call('UNLINK', KEYS[i], KEYS[i + 5], KEYS[i + 6])
  phase, held, out, changed, latest = nil, false, 0, false, 0
end

local function giveBack(claim)
  out = out - permitsOf(claim)
  if out <= 0 then return close() end
  call('ZREM', KEYS[i + 5], claim)
  call('HDEL', KEYS[i + 6], claim)
  changed, removed, begun, latest = true, true, nil, 0
end

local function save()
  if not changed then return end
  local before = not begun and call('ZRANGE', KEYS[i + 5], -1, -1, 'WITHSCORES')[2]
  local last = math.max(latest, before or 0)
  -- Of more than one script takes off, the last may be over, too.
  local left = string.format('%.0f', math.max(1, last - ms))
  -- Whoever wants the lock for itself waits for its end.
  if removed and tonumber(left) < call('PTTL', KEYS[i]) then
    shortest = math.min(shortest or left, left)
  end
  held = 'shared ' .. phase .. ' ' .. string.format('%.0f %.0f', out, seats)
  call('SET', KEYS[i], held, 'PX', left)
  for n = 1, #entered do
    local one = entered[n]
    take(one.claim, one.ending, one.share)
    entering[one.claim] = nil
  end
  entered = {}
  call('PEXPIRE', KEYS[i + 5], left)
  changed, removed = false, false
end

-- Takes off whose lease is over. Says whether there are more than one script takes off.
local function expire()
  for dropped = 0, MOST_DROPPED do
    if not phase then return false end
    local first = call('ZRANGE', KEYS[i + 5], 0, 0, 'WITHSCORES')
    if not first[1] then
      -- The holders were lost, but not the lock: it is left to its ttl.
      phase, changed = nil, false
      return false
    end
    if tonumber(first[2]) > ms then return false end
    if dropped == MOST_DROPPED then return true end
    giveBack(first[1])
  end
end

-- Whose lease ends first of those who share the lock: `[ms left, fencing token, metadata]`. That may be one
-- who has yet to be taken off, or nobody: a key with a millisecond left may be gone as soon as it is set.
local function describeFirst()
  local first = call('ZRANGE', KEYS[i + 5], 0, 0, 'WITHSCORES')
  local left = string.format('%.0f', math.max(0, (first[2] or 0) - ms))
  return { left, phase, first[1] and metadataOf(first[1]) or false }
end
