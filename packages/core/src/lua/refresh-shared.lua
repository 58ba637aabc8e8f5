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
  -- @include phase
  -- @include share
  local share = shareOf(value)
  if not share or (grant ~= '' and grant ~= phase .. ' ' .. share.seat) then
    return held and not phase and -1 or 0
  end
  local ending = ms + ttl + 1
  -- @include remember
  if order > share.order or (order == 0 or order == share.order) and ending > share.ending then
    take(value, share.seat, share.length, math.max(order, share.order), share.caller, ending)
    save()
    if ending < share.ending then announce(i, ttl, 0) end
  end
  return 1
end
