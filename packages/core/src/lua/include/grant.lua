-- A grant says what is known of the holder besides its value:
--
--   <fencing token> <token>[ <call>[ <order>]]
--
-- `call` tells one call from others with the same token, or is empty. `order` counts the times that the
-- lease was shortened. The token shows that the grant is the holder's, and not of one before somebody's
-- plain SET; nil when there is none.
local function grantAt(i)
  return string.match(call('GETRANGE', KEYS[i + 1], '0', LAST_BYTE), '^(%d+) (%S+) ?(%S*) ?(%d*)$')
end
local function grantOf(fence, token, caller)
  return fence .. ' ' .. token .. (caller ~= '' and ' ' .. caller or '')
end
