-- How long a lease of what is shared goes on by itself.
--
-- KEYS: seven. ARGV: claim, `<phase> <seat>` or '' as in release-shared.
-- Reply: the milliseconds left; 'taken' when the lock is another's who has it alone, else 'deleted'.
-- Complexity: O(1).
-- @include keys
-- @include value
local function run(k, a)
  local value, grant = ARGV[1], ARGV[2]
  -- @include phase
  local share = shareOf(value)
  if not share or (grant ~= '' and grant ~= phase .. ' ' .. share.seat) then
    return held and not phase and 'taken' or 'deleted'
  end
  return string.format('%.0f', share.ending - ms)
end
