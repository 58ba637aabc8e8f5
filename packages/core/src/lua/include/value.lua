-- What is held by those who share a lock: `shared <phase> <permits out> <seats>`, see include/phase.lua.
local SHARED = '^shared (%d+) (%d+) (%d+)$'

-- What is held at KEYS[i], cut off behind the longest value of ours; false when nothing is.
local function valueAt(i)
  local value = call('GETRANGE', KEYS[i], '0', LAST_BYTE)
  return (value ~= '' or call('EXISTS', KEYS[i]) == 1) and value
end
