-- A claim says who shares a lock, and how:
--
--   <permits>/<limit> <token><metadata>
--
-- `permits` of at most `limit`, 0 for no limit. While anybody shares the lock, its key holds, instead of a
-- value,
--
--   shared <phase> <permits out> <seats>
--
-- until the last lease ends. So it is taken for whoever wants it alone, also for a plain SET NX. A phase
-- lasts from the free lock to the next free one. Its number is the fencing token of all who share the lock
-- meanwhile: were theirs different, what they protect would refuse those who came first. Each has a seat,
-- counted up within the phase, which tells one grant of the same claim from another. A share says
--
--   <seat> <token length> <order> <call>
--
-- `order` and `call` as in include/grant.lua. No claim is believed without a phase.
local i = k + 1
local now = call('TIME')
local micros = now[1] * 1000000 + now[2]
local ms = math.floor(micros / 1000)
local held = valueAt(i)
local phase, out, seats = string.match(held or '', SHARED)
out, seats = tonumber(out) or 0, tonumber(seats) or 0

-- Whose the claim is, undefined when its lease is over, or there is none.
local function shareOf(claim)
  local ending = phase and tonumber(call('ZSCORE', KEYS[i + 5], claim) or nil)
  if not ending or ending <= ms then return end
  local seat, length, order, caller =
    string.match(call('HGET', KEYS[i + 6], claim) or '', '^(%d+) (%d+) (%d+) (%S*)$')
  return seat and { ending = ending, seat = seat, length = length, order = tonumber(order), caller = caller }
end
