-- Gives the locks back, each to the next in line if there is one. What is not ours stays untouched.
--
-- KEYS: five for each lock. ARGV: value, fence or '', see include/held.lua.
-- Reply: 1 when all were ours, 'more' when they were and a line has yet to be served to its end, by leave;
--        else 0 when one was gone, -1 when one is another's.
-- Complexity: O(1) without a line, else O(log n) in its length, for each lock.
-- @many
-- @include keys
local function run(k, a, keys)
  local value, fence, verdict = ARGV[a + 1], ARGV[a + 2], 1
  for i = k + 1, k + keys, 5 do
    -- @include held
    if mine then
      -- Of many, most have no line: to ask whether there is one costs less than to ask who is first.
      local line, whose = KEYS[i + 3], 'nobody'
      local head = (keys == #KEYS or call('EXISTS', line) == 1) and call('ZPOPMIN', line)
      if (head and head[1]) or call('EXISTS', KEYS[i + 4]) == 1 then
        -- @include fence
        -- @include grant
        -- @include serve
        whose = serve(i, nil, head)
      end
      if whose ~= 'granted' then call('DEL', KEYS[i], KEYS[i + 1]) end
      if whose == 'more' and verdict == 1 then verdict = 'more' end
    elseif held then
      verdict = -1
    elseif verdict ~= -1 then
      verdict = 0
    end
  end
  return verdict
end
