-- Takes a lock away from whoever has it, and gives it to the next in line.
--
-- KEYS: four. ARGV: none.
-- Reply: 1 when somebody had it, else 0.
-- Complexity: as release.
-- @include keys
-- @include serve
local held = call('GET', KEYS[1])
local granted = serve(1) == 'granted'
if held and not granted then call('DEL', KEYS[1]) end
return held and 1 or 0
