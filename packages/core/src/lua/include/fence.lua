-- Writes a fencing token to the fence at KEYS[i + 2], to be remembered for `memory` milliseconds, and
-- returns the one that was there; nil for none. What is no fencing token is overwritten.
--
-- The fence is shared by all locks of its hash slot: so it costs nothing for each name, and rises for
-- each of them. Whoever remembers for less than a day must not cut what others remember.
local function raise(i, fence, memory)
  local key = KEYS[i + 2]
  if tonumber(memory) < 86400000 then memory = math.max(memory, call('PTTL', key)) end
  local last = redis.pcall('SET', key, fence, 'PX', memory, 'GET')
  if type(last) == 'table' then
    -- Redis before 6.2 has no GET here, and another type of data is not given back.
    last = redis.pcall('GETRANGE', key, 0, 16)
    call('SET', key, fence, 'PX', memory)
  end
  last = type(last) == 'string' and #last <= 16 and string.match(last, '^%d+$')
  last = last and tonumber(last)
  if last and last < 9007199254740000 then return last end
end

-- The fencing token of a new grant, written to the fence: above all before it, also where the server's
-- clock was set back.
local function nextFence(i, micros, memory)
  local fence = string.format('%.0f', micros)
  local last = raise(i, fence, memory)
  if last and last >= micros then
    fence = string.format('%.0f', last + 1)
    raise(i, fence, memory)
  end
  return fence
end
