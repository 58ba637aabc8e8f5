-- How long the locks go on by themselves.
--
-- KEYS: the lock and the grant for each lock. ARGV: value, fence or '' as in release.
-- Reply: the fewest milliseconds left of any; 'none' when none has a ttl; of the first that is not ours,
--        'taken' when it is another's, else 'deleted'.
-- Complexity: O(1) for each lock.
-- @include keys
local function run()
  local value, fence, least = ARGV[1], ARGV[2], 'none'
  for i = 1, #KEYS, 2 do
    -- @include held
    if not mine then return held and 'taken' or 'deleted' end
    local left = call('PTTL', KEYS[i])
    if left >= 0 and (least == 'none' or left < least) then least = left end
  end
  return least
end
