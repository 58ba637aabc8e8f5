-- A vote of one of several independent servers: obtain, by a server that was up for long enough to have
-- seen the end of every lease that it may have forgotten. That is looked at in the same script that gives
-- the vote, so no restart comes between.
--
-- KEYS: five, of one lock. ARGV: seconds that the server must have been up, a floor below which no fencing
-- token may be or 0, then as obtain's.
-- Reply: as obtain's; the error `YOUNG` of a server that was not up for so long.
-- Complexity: as obtain; with a floor above the server's clock, one command more.
-- @include ../obtain
local obtain, raised, capped = run, raise, nil

-- Nobody's clock is believed to be right that is more than a minute ahead of this server's.
local MOST_AHEAD = 60000000

-- `<call>.<n>` is the call of one that asks for the n-th time. The lock that one of the times before was
-- granted, and may be giving back still, becomes this one's.
local function takeOver(k, a)
  local caller, n = string.match(ARGV[a + 4], '^(.*)%.(%d+)$')
  if not n or n == '1' then return end
  local number, owner, taker, order = grantAt(k + 1)
  local before, m = string.match(taker or '', '^(.*)%.(%d+)$')
  if before ~= caller or tonumber(m) >= tonumber(n) then return end
  if owner ~= string.sub(ARGV[a + 1], 1, ARGV[a + 3]) then return end
  local grant = grantOf(number, owner, ARGV[a + 4]) .. (order ~= '' and ' ' .. order or '')
  local left = call('PTTL', KEYS[k + 2])
  if left > 0 then call('SET', KEYS[k + 2], grant, 'PX', left) end
end

local function run(k, a, keys, args)
  local up, floor = string.match(call('INFO', 'server'), 'uptime_in_seconds:(%d+)'), tonumber(ARGV[a + 2])
  if not up or tonumber(up) < tonumber(ARGV[a + 1]) then
    return { err = 'YOUNG the server has been up for ' .. (up or 'unknown') .. ' s, and votes from ' .. ARGV[a + 1] .. ' s on' }
  end
  takeOver(k, a + 2)
  -- As if the token before had been just below the floor.
  local function raiseAbove(i, fence, memory)
    capped = capped or math.min(floor, tonumber(fence) + MOST_AHEAD) - 1
    return math.max(raised(i, fence, memory) or 0, capped)
  end
  raise = raiseAbove
  return obtain(k, a + 2, keys, args - 2)
end
