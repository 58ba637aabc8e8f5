-- Gives the locks back, each to the next in line if there is one. What is not ours stays untouched.
--
-- KEYS: four for each lock. ARGV: value, fence or '', see include/held.lua.
-- Reply: 1 when all were ours; else 0 when one was gone, -1 when one is another's.
-- Complexity: O(1) without a line, else O(log n) in its length, for each lock.
-- @include keys
local function run(k, a, keys)
  local value, fence, verdict = ARGV[a + 1], ARGV[a + 2], 1
  for i = k + 1, k + keys, 4 do
    -- @include held
    if mine then
      -- Of many, most have no line: to ask whether there is one costs less than to ask who is first.
      local line, granted = KEYS[i + 2], false
      local head = (keys == #KEYS or call('EXISTS', line) == 1) and call('ZRANGE', line, 0, 0)[1]
      if head then
        -- @include serve
        granted = serve(i, nil, head) == 'granted'
      end
      if not granted then call('DEL', KEYS[i]) end
    elseif held then
      verdict = -1
    elseif verdict == 1 then
      verdict = 0
    end
  end
  return verdict
end
