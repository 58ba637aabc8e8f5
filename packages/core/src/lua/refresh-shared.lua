-- Starts the lease of what is shared anew. Brings nothing back that is gone.
--
-- KEYS: seven. ARGV: claim, `<phase> <seat>` or '' as in release-shared, ttl, ms for which the fencing
-- token is remembered, order: 0 for one that never cuts a lease, else as in shorten.
-- Reply: as refresh.
-- Complexity: O(log n) in the number of holders.
-- @many
-- @include keys
-- @include value
-- @include fence
-- @include grant
-- @include serve
local function run(k, a)
  local value, grant, ttl, memory = ARGV[a + 1], ARGV[a + 2], tonumber(ARGV[a + 3]), tonumber(ARGV[a + 4])
  local order = tonumber(ARGV[a + 5])
  -- @include held-shared
  -- @include phase
  -- @include share
  local before = endOfGrant(value, grant)
  if not before then return held and not phase and -1 or 0 end
  -- What is written down beside the claim lasts as long as the lease.
  local share, ending = (order > 0 or grant ~= '') and shareOf(value), ms + ttl + 1
  -- @include remember
  if share and order > share.order then
    share.order = order
    take(value, ending, share)
  elseif (order == 0 or order == share.order or (grant ~= '' and share.caller == '')) and ending > before then
    -- Where several calls with one token have the share, each has an order of its own: it only grows.
    take(value, ending, share)
  end
  save()
  -- A refresh stays a small command, whoever is dead.
  if ending < before then announce(i, ttl, 0, MOST_PASSED) end
  return 1
end
