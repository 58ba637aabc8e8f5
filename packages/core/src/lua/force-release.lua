-- Takes a lock away from whoever has it, and gives it to the next in line. Whoever follows an election by
-- this lock is told to look, see announce.lua; that it may not be published disturbs nobody else.
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
  redis.pcall('PUBLISH', 'redislock:leader:' .. KEYS[1], 'look')
  return { held, whose == 'more' and 1 or 0 }
end
