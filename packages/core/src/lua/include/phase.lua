-- A claim says who shares a lock, and how:
--
--   <permits>/<limit>/<token length> <token><metadata>
--
-- `permits` of at most `limit`, 0 for no limit. While anybody shares the lock, its key holds, instead of a
-- value,
--
--   shared <phase> <permits out> <seats>
--
-- until the last lease ends. So it is taken for whoever wants it alone, also for a plain SET NX. A phase
-- lasts from the free lock to the next free one. Its number is the fencing token of all who share the lock
-- meanwhile: were theirs different, what they protect would refuse those who came first. Each has a seat,
-- counted up within the phase, which tells one grant of the same claim from another. Where that matters, or
-- the lease was shortened, a share is written down beside the claim:
--
--   <seat> <order> <call>
--
-- `order` and `call` as in include/grant.lua. No claim is believed without a phase.
local i = k + 1
local now = call('TIME')
local micros = now[1] * 1000000 + now[2]
local ms = math.floor(micros / 1000)
local phase, out, seats = string.match(held or '', SHARED)
out, seats = tonumber(out) or 0, tonumber(seats) or 0

-- When the leases end of those who are let in, and not written down yet.
local entering = {}

-- When the lease of a claim ends; nil when it is over, or there is none.
local function endOf(claim)
  local ending = phase and (entering[claim] or tonumber(call('ZSCORE', KEYS[i + 5], claim) or nil))
  return ending and ending > ms and ending or nil
end

local function shareOf(claim)
  local seat, order, caller =
    string.match(call('HGET', KEYS[i + 6], claim) or '', '^(%d+) (%d+) (%S*)$')
  return { seat = seat or '0', order = tonumber(order) or 0, caller = caller or '', written = seat }
end

-- When the lease ends that was granted so, see release-shared; nil when it is over.
local function endOfGrant(claim, grant)
  local ending = endOf(claim)
  if not ending or grant == '' then return ending end
  return grant == phase .. ' ' .. shareOf(claim).seat and ending or nil
end

local function metadataOf(claim)
  local length, value = string.match(claim, '^%d+/%d+/(%d+) (.*)$')
  return length and string.sub(value, length + 1)
end
