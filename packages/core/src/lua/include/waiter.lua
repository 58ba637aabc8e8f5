-- A waiter's id is `<inbox>:<number>`, its record
--
--   <asked at, ms> <patience> <reach> <keys> <ttl> <memory> <token length> <proof> <call> <value>
--
-- It goes stale when it was silent for its patience. When the server's clock was set back, what was
-- asked in the future is stale, too: it may be a dead waiter's. `reach` is 0 (none) without a channel; 1
-- (counted) where this server counts who listens to it; 2 (uncounted) where messages arrive but are not
-- counted, as in a cluster, whose nodes each know their own listeners only, or on a replica. `memory` is
-- how long the fencing token that it is granted is remembered. `proof` is a secret of the command that
-- wrote the record, which only a grant shows. `call` tells one call from others with the same token, or
-- is empty. `keys` is how many locks it wants for itself; 0 if it would share one: then `value` is a claim,
-- see include/phase.lua.
local function waiterIn(record)
  local at, patience, reach, keys, ttl, memory, length, proof, caller, value =
    string.match(record or '', '^(%d+) (%d+) (%d) (%d+) (%d+) (%d+) (%d+) (%S+) (%S*) (.*)$')
  return at and {
    at = tonumber(at), patience = tonumber(patience), reach = reach, keys = tonumber(keys),
    ttl = tonumber(ttl), memory = tonumber(memory), length = tonumber(length),
    proof = proof, caller = caller, value = value,
  }
end
local function isStale(waiter, ms)
  return ms < waiter.at or ms > waiter.at + waiter.patience
end
