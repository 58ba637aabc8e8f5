-- Takes a lock away from whoever has it, and gives it to the next in line.
--
-- KEYS: five. ARGV: none.
-- Reply: `[1 when somebody had it, else 0; 1 when the line has yet to be served to its end, else 0]`.
-- Complexity: as release.
-- @include keys
-- @include value
-- @include fence
-- @include grant
-- @include serve
local function run()
  local held = valueAt(1) and 1 or 0
  local whose = serve(1)
  if whose ~= 'granted' then call('DEL', KEYS[1], KEYS[2]) end
  return { held, whose == 'more' and 1 or 0 }
end
