-- A waiter's id is `<inbox>:<number>`, its record
--
--   <stale at, ms> <reach> <keys> <ttl> <token length> <proof> <call> <value>
--
-- `reach` is 0 (none) without a channel; 1 (counted) where this server counts who listens to it; 2
-- (uncounted) where messages arrive but are not counted, as in a cluster, whose nodes each know their
-- own listeners only, or on a replica. `proof` is a secret of the command that wrote the record, which
-- only a grant shows. `call` tells one call from others with the same token, or is empty.
local function waiterOf(i, id)
  local record = id and string.match(id, '.:%d+$') and call('HGET', KEYS[i + 3], id) or ''
  return string.match(record, '^(%d+) (%d) (%d+) (%d+) (%d+) (%S+) (%S*) (.*)$')
end
