-- Has one of several servers remember a fencing token that another gave for the same lock, so that the
-- next is higher whichever majority it is asked of.
--
-- KEYS: the lock, the grant and the fence. ARGV: value, fencing token, ms for which it is remembered.
-- Reply: 1 when the lock is ours here and no lower token is remembered; 0 when it is not ours.
-- Complexity: O(1).
-- @include keys
-- @include fence
-- @include grant
local function run()
  local value, fence = ARGV[1], ARGV[2]
  if call('GETRANGE', KEYS[1], 0, LAST_BYTE) ~= value then return 0 end
  local left = call('PTTL', KEYS[1])
  local memory = math.max(ARGV[3], 2 * left)
  local last = raise(1, fence, memory)
  if last and last > tonumber(fence) then raise(1, string.format('%.0f', last), memory) end
  local number, rest = string.match(call('GETRANGE', KEYS[2], 0, LAST_BYTE), '^(%d+)( .*)$')
  if number and tonumber(number) < tonumber(fence) and left > 0 then
    call('SET', KEYS[2], fence .. rest, 'PX', left)
  end
  return 1
end
