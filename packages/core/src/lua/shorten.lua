-- As refresh, but may cut a lease, and is what renews a lease that was cut once. The order says how often
-- that was done: a copy that comes after a later one changes nothing. Without it, a late copy would cut a
-- lease that was made longer again, while its holder relies on that.
--
-- KEYS: five for each lock. ARGV: value, fence or '' as in release, ttl, ms for which the fencing token is
-- remembered, order: a number that rises with each refresh of this lock.
-- Reply: as refresh.
-- Complexity: O(1) for each lock; whoever is first in line is told of the earlier end.
-- @many
-- @include keys
-- @include fence
-- @include grant
-- @include serve
local function run(k, a, keys)
  local value, fence, ttl, memory, verdict = ARGV[a + 1], ARGV[a + 2], ARGV[a + 3], ARGV[a + 4], 1
  local order = tonumber(ARGV[a + 5])
  for i = k + 1, k + keys, 5 do
    -- @include held
    if mine then
      local number, owner, taker, last = grantAt(i)
      last = tonumber(last) or 0
      if number and order > last then
        -- First what takes no memory: what has begun to write may go on with memory full.
        call('PEXPIRE', KEYS[i], ttl)
        call('SET', KEYS[i + 1], number .. ' ' .. owner .. ' ' .. taker .. ' ' .. order, 'PX', ttl)
        -- A refresh stays a small command, whoever is dead.
        announce(i, tonumber(ttl), 0, MOST_PASSED)
      elseif (not number or order == last or (fence ~= '' and taker == ''))
        and call('PTTL', KEYS[i]) < tonumber(ttl) then
        -- The last one, sent again: its holder counts from whichever copy is answered. Where the grant was
        -- lost, nobody knows what came before; where several calls with one token have the lock, each has an
        -- order of its own. All of these only grow.
        call('PEXPIRE', KEYS[i], ttl)
        call('PEXPIRE', KEYS[i + 1], ttl)
      end
      -- @include remember
    elseif held then
      verdict = -1
    elseif verdict == 1 then
      verdict = 0
    end
  end
  return verdict
end
