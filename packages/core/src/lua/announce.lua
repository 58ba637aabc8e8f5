-- Tells whoever follows an election to look who leads. The message proves nothing, and says nothing else.
--
-- KEYS: the lock. ARGV: none.
-- Reply: how many of the followers heard it at this server.
-- Complexity: O(1) for each follower.
-- @include keys
local function run()
  return call('PUBLISH', 'redislock:leader:' .. KEYS[1], 'look')
end
