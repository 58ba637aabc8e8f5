-- How long a lease of what is shared goes on by itself.
--
-- KEYS: seven. ARGV: claim, `<phase> <seat>` or '' as in release-shared.
-- Reply: the milliseconds left; 'taken' when the lock is another's who has it alone, else 'deleted'.
-- Complexity: O(1).
-- @include keys
-- @include value
local function run(k, a)
  local value, grant = ARGV[1], ARGV[2]
  -- @include held-shared
  -- @include phase
  local ending = endOfGrant(value, grant)
  if not ending then return held and not phase and 'taken' or 'deleted' end
  return string.format('%.0f', ending - ms)
end
