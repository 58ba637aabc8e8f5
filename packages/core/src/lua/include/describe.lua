-- What may be told of the lock at KEYS[i]: `{ ms left or -1, fencing token, metadata }`. The last two
-- only if the grant is the holder's; else false.
local function describe(i, value)
  local fence, token = grantAt(i)
  local left = call('PTTL', KEYS[i])
  if not token or string.sub(value, 1, #token) ~= token then return { left, false, false } end
  return { left, fence, string.sub(value, #token + 1) }
end

-- Of two descriptions, that of the lock that lasts longer.
local function longer(a, b)
  if not a[1] or b[1] == -1 or (a[1] ~= -1 and b[1] > a[1]) then return b end
  return a
end
