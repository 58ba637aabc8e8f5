-- How an obtain stands in line. ARGV[a + 6] on: id, ticket or '', patience, reach, ttl, proof, 1 for an echo.
-- `wanted` is how many locks it wants for itself alone; 0 if it would share one.
local ticket, back = id and tonumber(ARGV[a + 7]), false
local echoing = id and ticket and ARGV[a + 12] == '1'

-- Into all lines with one ticket, so that of two waiters the same is first everywhere.
local function join()
  local waiter = table.concat({
    string.format('%.0f', math.floor(micros / 1000)), ARGV[a + 8], ARGV[a + 9], wanted,
    ARGV[a + 10], memory, ARGV[a + 3], ARGV[a + 11], caller, value
  }, ' ')
  for i = first, last, step do
    -- Out first: what has begun to write may go on with memory full, and takes no more than before.
    if ARGV[a + 7] ~= '' then back = call('ZREM', KEYS[i + 3], id) == 0 or back end
    call('ZADD', KEYS[i + 3], string.format('%.0f', ticket), id)
    call('HSET', KEYS[i + 4], id, waiter)
    call('PEXPIRE', KEYS[i + 3], MEMORY_OF_LINE)
    call('PEXPIRE', KEYS[i + 4], MEMORY_OF_LINE)
  end
end

-- Takes a place, or keeps it, and says which: `[left, place, ticket, echoed]`.
local function standInLine(left)
  if not ticket then
    for i = first, last, step do ticket = tonumber(call('ZSCORE', KEYS[i + 3], id) or ticket) end
  end
  if not ticket then
    ticket = micros
    for i = first, last, step do
      local behind = call('ZRANGE', KEYS[i + 3], -1, -1, 'WITHSCORES')
      if behind[1] then ticket = math.max(ticket, behind[2] + 1) end
    end
  end
  join()
  local place = 0
  for i = first, last, step do
    if echoing then sweep(i, id, micros / 1000) end
    place = math.max(place, call('ZRANK', KEYS[i + 3], id) + 1)
  end
  local heard = echoing and back and tell(id, 'come')
  return { left, place, string.format('%.0f', ticket), type(heard) == 'number' and 1 or 0 }
end

-- With a grant: whether the message arrived that shows the waiter that it hears; nil where none was asked for.
local function echoed()
  if echoing then return type(tell(id, 'come')) == 'number' and 1 or 0 end
end
