/** Made from the .lua files beside it by `pnpm generate:lua`: read those. */
import type { Script } from "../redis/client.js";

/** The names of the scripts of every lock. */
export type ScriptName =
  | "announce"
  | "forceRelease"
  | "inspect"
  | "leaveShared"
  | "leave"
  | "obtainShared"
  | "obtainSharedMany"
  | "obtain"
  | "obtainMany"
  | "refreshShared"
  | "refreshSharedMany"
  | "refresh"
  | "refreshMany"
  | "releaseShared"
  | "releaseSharedMany"
  | "release"
  | "releaseMany"
  | "shorten"
  | "shortenMany"
  | "ttlShared"
  | "ttl";

/** What scripts consist of: most have some in common. */
export const parts: readonly string[] = [
  "local KEYS, ARGV, call = KEYS, ARGV, redis.call\nlocal LAST_BYTE = '4352'\n",
  "local function run()\nreturn call('PUBLISH', 'redislock:leader:' .. KEYS[1], 'look')\nend\n",
  "local function explain(problem)\nlocal text = type(problem) == 'table' and problem.err or problem\ntext = string.match(text, 'user_script: ?%d+: %-?(.*)$') or text\nif string.sub(text, 1, 9) == 'WRONGTYPE' then\nfor n = 1, #KEYS do\nlocal key, right = KEYS[n], 'string'\nlocal kind = string.match(key, ':redislock:(%l+)')\nif kind == 'line' or kind == 'holders' then right = 'zset' end\nif kind == 'waiters' or kind == 'shares' then right = 'hash' end\nlocal found = redis.pcall('TYPE', key).ok\nif found and found ~= right and found ~= 'none' then text = 'WRONGTYPE ' .. key .. ' holds a ' .. found end\nend\nend\nreturn { err = text }\nend\n",
  "local done, reply = pcall(run, 0, 0, #KEYS, #ARGV)\nreturn done and reply or explain(reply)\n",
  "local SHARED = '^shared (%d+) (%d+) (%d+)$'\nlocal function valueAt(i)\nlocal value = call('GETRANGE', KEYS[i], '0', LAST_BYTE)\nreturn (value ~= '' or call('EXISTS', KEYS[i]) == 1) and value\nend\n",
  "local function raise(i, fence, memory)\nlocal key = KEYS[i + 2]\nif tonumber(memory) < 86400000 then memory = math.max(memory, call('PTTL', key)) end\nlocal last = redis.pcall('SET', key, fence, 'PX', memory, 'GET')\nif type(last) == 'table' then\nlast = redis.pcall('GETRANGE', key, 0, 16)\ncall('SET', key, fence, 'PX', memory)\nend\nlast = type(last) == 'string' and #last <= 16 and string.match(last, '^%d+$')\nlast = last and tonumber(last)\nif last and last < 9007199254740000 then return last end\nend\nlocal function nextFence(i, micros, memory)\nlocal fence = string.format('%.0f', micros)\nlocal last = raise(i, fence, memory)\nif last and last >= micros then\nfence = string.format('%.0f', last + 1)\nraise(i, fence, memory)\nend\nreturn fence\nend\n",
  "local function grantAt(i)\nreturn string.match(call('GETRANGE', KEYS[i + 1], '0', LAST_BYTE), '^(%d+) (%S+) ?(%S*) ?(%d*)$')\nend\nlocal function grantOf(fence, token, caller)\nreturn fence .. ' ' .. token .. (caller ~= '' and ' ' .. caller or '')\nend\n",
  "local function waiterIn(record)\nlocal at, patience, reach, keys, ttl, memory, length, proof, caller, value =\nstring.match(record or '', '^(%d+) (%d+) (%d) (%d+) (%d+) (%d+) (%d+) (%S+) (%S*) (.*)$')\nreturn at and {\nat = tonumber(at), patience = tonumber(patience), reach = reach, keys = tonumber(keys),\nttl = tonumber(ttl), memory = tonumber(memory), length = tonumber(length),\nproof = proof, caller = caller, value = value,\n}\nend\nlocal function isStale(waiter, ms)\nreturn ms < waiter.at or ms > waiter.at + waiter.patience\nend\n",
  "local CHECK_IN = 15000\nlocal MOST_DROPPED, MOST_PASSED, MOST_DEAF = 1000, 10, 1000\nlocal MEMORY_OF_LINE = '60000'\nlocal function tell(id, what, more)\nlocal inbox, number = string.match(id, '^(.+):(%d+)$')\nif not inbox then return 0 end\nreturn redis.pcall('PUBLISH', 'redislock:inbox:' .. inbox, what .. ' ' .. number .. (more or ''))\nend\nlocal function drop(i, id)\ncall('ZREM', KEYS[i + 3], id)\ncall('HDEL', KEYS[i + 4], id)\nend\nlocal function listeners(id)\nlocal inbox = string.match(id, '^(.+):%d+$')\nif not inbox then return 0 end\nreturn redis.pcall('PUBSUB', 'NUMSUB', 'redislock:inbox:' .. inbox)[2]\nend\nlocal function servable(i, id, ms)\nlocal waiter = string.match(id, '^.+:%d+$') and waiterIn(call('HGET', KEYS[i + 4], id))\nif not waiter or isStale(waiter, ms) then\ntell(id, 'come')\nreturn\nend\nif waiter.reach ~= '1' then return waiter, 0 end\nlocal count = listeners(id)\nif count ~= 0 then return waiter, count end\ntell(id, 'unseen')\nend\nlocal function announce(i, ttl, place, most)\nif ttl >= CHECK_IN then return end\nlocal last, ms = place + MOST_PASSED, nil\nfor _ = 1, most or MOST_DEAF do\nlocal id = call('ZRANGE', KEYS[i + 3], place, place)[1]\nif not id or place == last then return end\nlocal waiter = waiterIn(call('HGET', KEYS[i + 4], id))\nif waiter and waiter.reach ~= '1' and not ms then\nlocal time = call('TIME')\nms = time[1] * 1000 + time[2] / 1000\nend\nif not waiter or (waiter.reach ~= '1' and isStale(waiter, ms)) then\ntell(id, 'come')\ndrop(i, id)\nelseif waiter.reach == '0' then\nplace = place + 1\nelseif waiter.ttl / 2 > ttl then\nif tell(id, 'come') ~= 0 or waiter.reach == '2' then return end\ndrop(i, id)\nelse\nif waiter.reach == '2' or listeners(id) ~= 0 then return end\ntell(id, 'unseen')\ndrop(i, id)\nend\nend\nend\nlocal function sweep(i, asker, ms)\nfor _ = 1, MOST_DROPPED do\nlocal id = call('ZRANGE', KEYS[i + 3], 0, 0)[1]\nif id == asker or servable(i, id, ms) then return end\ndrop(i, id)\nend\nend\nlocal function recall(i)\nif call('EXISTS', KEYS[i + 4]) == 0 then return end\nlocal found = redis.pcall('HSCAN', KEYS[i + 4], 0, 'COUNT', 100)[2]\nif not found then return end\nfor n = 1, #found, 2 do tell(found[n], 'come') end\ncall('DEL', KEYS[i + 4])\nend\nlocal function hand(i, waiter, micros)\nlocal fence = nextFence(i, micros, waiter.memory)\nlocal grant = grantOf(fence, string.sub(waiter.value, 1, waiter.length), waiter.caller)\ncall('SET', KEYS[i + 1], grant, 'PX', waiter.ttl)\ncall('SET', KEYS[i], waiter.value, 'PX', waiter.ttl)\nreturn ' ' .. fence .. ' ' .. waiter.proof\nend\nlocal function keep(i, id, ticket, whose)\ncall('ZADD', KEYS[i + 3], ticket, id)\ncall('PEXPIRE', KEYS[i + 3], MEMORY_OF_LINE)\nif not whose then announce(i, 0, 1) end\nreturn whose or 'kept'\nend\nlocal function serve(i, asker, head)\nlocal micros, kept = nil, asker and 'kept'\nfor _ = 1, MOST_DROPPED do\nhead = head or call('ZPOPMIN', KEYS[i + 3])\nlocal id, ticket = head[1], head[2]\nhead = nil\nif not id then\nrecall(i)\nreturn 'nobody'\nend\nif id == asker then return keep(i, id, ticket, 'asker') end\nif not micros then\nlocal time = call('TIME')\nmicros = time[1] * 1000000 + time[2]\nend\nlocal waiter, count = servable(i, id, micros / 1000)\nif waiter then\nif waiter.reach == '0' then return keep(i, id, ticket, kept) end\nif not count or waiter.keys ~= 1 then\nlocal heard = tell(id, 'come')\nif count or heard ~= 0 then return keep(i, id, ticket, kept) end\nelseif type(tell(id, 'grant', hand(i, waiter, micros))) == 'number' then\ncall('HDEL', KEYS[i + 4], id)\nannounce(i, waiter.ttl, 0)\nreturn 'granted'\nelse\ncall('DEL', KEYS[i], KEYS[i + 1])\nreturn keep(i, id, ticket, kept)\nend\nend\ncall('HDEL', KEYS[i + 4], id)\nend\nreturn 'more'\nend\n",
  "local function run()\nlocal held = valueAt(1) and 1 or 0\nlocal whose = serve(1)\nif whose ~= 'granted' then call('DEL', KEYS[1], KEYS[2]) end\nredis.pcall('PUBLISH', 'redislock:leader:' .. KEYS[1], 'look')\nreturn { held, whose == 'more' and 1 or 0 }\nend\n",
  "local function describe(i, value)\nlocal fence, token = grantAt(i)\nlocal left = call('PTTL', KEYS[i])\nif not token or string.sub(value, 1, #token) ~= token then return { left, false, false } end\nreturn { left, fence, string.sub(value, #token + 1) }\nend\nlocal function longer(a, b)\nif not a[1] or b[1] == -1 or (a[1] ~= -1 and b[1] > a[1]) then return b end\nreturn a\nend\n",
  "local function run(k)\nlocal held = valueAt(k + 1)\n",
  "local i = k + 1\nlocal now = call('TIME')\nlocal micros = now[1] * 1000000 + now[2]\nlocal ms = math.floor(micros / 1000)\nlocal phase, out, seats = string.match(held or '', SHARED)\nout, seats = tonumber(out) or 0, tonumber(seats) or 0\nlocal entering = {}\nlocal function endOf(claim)\nlocal ending = phase and (entering[claim] or tonumber(call('ZSCORE', KEYS[i + 5], claim) or nil))\nreturn ending and ending > ms and ending or nil\nend\nlocal function shareOf(claim)\nlocal seat, order, caller =\nstring.match(call('HGET', KEYS[i + 6], claim) or '', '^(%d+) (%d+) (%S*)$')\nreturn { seat = seat or '0', order = tonumber(order) or 0, caller = caller or '', written = seat }\nend\nlocal function endOfGrant(claim, grant)\nlocal ending = endOf(claim)\nif not ending or grant == '' then return ending end\nreturn grant == phase .. ' ' .. shareOf(claim).seat and ending or nil\nend\nlocal function metadataOf(claim)\nlocal length, value = string.match(claim, '^%d+/%d+/(%d+) (.*)$')\nreturn length and string.sub(value, length + 1)\nend\n",
  "local most = tonumber(ARGV[1])\nlocal reply = held and describe(i, held) or { false, false, false }\nif phase and reply[1] == -1 then\nlocal last = call('ZRANGE', KEYS[i + 5], -1, -1, 'WITHSCORES')[2]\nif last then reply[1] = string.format('%.0f', math.max(0, last - ms)) else phase = nil end\nend\nif phase then\nlocal holders = { call('ZCARD', KEYS[i + 5]), out }\nlocal sharing = call('ZRANGE', KEYS[i + 5], 0, 999, 'WITHSCORES')\nfor n = 1, #sharing, 2 do\nlocal permits, limit = string.match(sharing[n], '^(%d+)/(%d+)/')\nif tonumber(sharing[n + 1]) <= ms then\nholders[1], holders[2] = holders[1] - 1, holders[2] - (permits or 0)\nelseif #holders < 2 + 4 * most then\nlocal left = string.format('%.0f', sharing[n + 1] - ms)\nlocal told = { permits, limit, metadataOf(sharing[n]), left }\nfor m = 1, 4 do table.insert(holders, told[m]) end\nend\nend\nreply[2], reply[3] = phase, holders\nend\nreply[4] = call('ZCARD', KEYS[i + 3])\nlocal shown = 0\nlocal line = call('ZRANGE', KEYS[i + 3], 0, 999, 'WITHSCORES')\nfor n = 1, #line, 2 do\nlocal waiter = waiterIn(call('HGET', KEYS[i + 4], line[n]))\nif not waiter or isStale(waiter, micros / 1000) then\nreply[4] = reply[4] - 1\nelseif shown < most then\nshown = shown + 1\nlocal shares = waiter.keys == 0\ntable.insert(reply, shares and metadataOf(waiter.value) or string.sub(waiter.value, waiter.length + 1))\ntable.insert(reply, math.max(0, math.floor((micros - line[n + 1]) / 1000)))\nif shares then table.insert(reply, { string.match(waiter.value, '^(%d+)/(%d+)/') }) end\nend\nend\nreturn reply\nend\n",
  "local function placeOf(i, id)\nlocal rank = call('ZRANK', KEYS[i + 3], id)\nif not rank then return 0 end\nlocal time = call('TIME')\nlocal ms = time[1] * 1000 + time[2] / 1000\nif rank > 0 then\nsweep(i, id, ms)\nrank = call('ZRANK', KEYS[i + 3], id)\nend\nlocal place = rank + 1\nlocal before = rank > 0 and call('ZRANGE', KEYS[i + 3], math.max(0, rank - 100), rank - 1) or {}\nfor n = 1, #before do\nlocal waiter = waiterIn(call('HGET', KEYS[i + 4], before[n]))\nif not waiter or isStale(waiter, ms) then place = place - 1 end\nend\nreturn place\nend\n",
  "local function run(k)\nlocal value, id, caller = ARGV[1], ARGV[2], ARGV[3]\nlocal place = 0\nif id ~= '' then\nplace = placeOf(k + 1, id)\ndrop(k + 1, id)\nend\nlocal held = valueAt(k + 1)\n",
  "local changed, removed, begun, shortest = false, false, nil, nil\nlocal entered, latest = {}, 0\nlocal function permitsOf(claim)\nreturn tonumber(string.match(claim, '^(%d+)/')) or 0\nend\nlocal function take(claim, ending, share)\nif share then\nlocal left = math.max(ending - ms, call('PTTL', KEYS[i + 6]))\ncall('HSET', KEYS[i + 6], claim, share.seat .. ' ' .. share.order .. ' ' .. share.caller)\ncall('PEXPIRE', KEYS[i + 6], string.format('%.0f', left))\nend\ncall('ZADD', KEYS[i + 5], string.format('%.0f', ending), claim)\nchanged = true\nend\nlocal function enter(claim, ending, share)\ntable.insert(entered, { claim = claim, ending = ending, share = share })\nentering[claim], latest = ending, math.max(latest, ending)\nchanged = true\nend\nlocal function close()\ncall('UNLINK', KEYS[i], KEYS[i + 5], KEYS[i + 6])\nphase, held, out, changed, latest = nil, false, 0, false, 0\nend\nlocal function giveBack(claim)\nout = out - permitsOf(claim)\nif out <= 0 then return close() end\ncall('ZREM', KEYS[i + 5], claim)\ncall('HDEL', KEYS[i + 6], claim)\nchanged, removed, begun, latest = true, true, nil, 0\nend\nlocal function save()\nif not changed then return end\nlocal before = not begun and call('ZRANGE', KEYS[i + 5], -1, -1, 'WITHSCORES')[2]\nlocal last = math.max(latest, before or 0)\nlocal left = string.format('%.0f', math.max(1, last - ms))\nif removed and tonumber(left) < call('PTTL', KEYS[i]) then\nshortest = math.min(shortest or left, left)\nend\nheld = 'shared ' .. phase .. ' ' .. string.format('%.0f %.0f', out, seats)\ncall('SET', KEYS[i], held, 'PX', left)\nfor n = 1, #entered do\nlocal one = entered[n]\ntake(one.claim, one.ending, one.share)\nentering[one.claim] = nil\nend\nentered = {}\ncall('PEXPIRE', KEYS[i + 5], left)\nchanged, removed = false, false\nend\nlocal function expire()\nfor dropped = 0, MOST_DROPPED do\nif not phase then return false end\nlocal first = call('ZRANGE', KEYS[i + 5], 0, 0, 'WITHSCORES')\nif not first[1] then\nphase, changed = nil, false\nreturn false\nend\nif tonumber(first[2]) > ms then return false end\nif dropped == MOST_DROPPED then return true end\ngiveBack(first[1])\nend\nend\nlocal function describeFirst()\nlocal first = call('ZRANGE', KEYS[i + 5], 0, 0, 'WITHSCORES')\nlocal left = string.format('%.0f', math.max(0, (first[2] or 0) - ms))\nreturn { left, phase, first[1] and metadataOf(first[1]) or false }\nend\n",
  "local untouched = held == nil\nlocal MOST_ADMITTED = 200\nlocal function fits(claim)\nlocal permits, limit = string.match(claim, '^(%d+)/(%d+)/')\npermits, limit = tonumber(permits), tonumber(limit)\nif not permits or (held and not phase) then return false end\nreturn limit == 0 or out + permits <= limit\nend\nlocal function admit(claim, caller, ttl, memory)\nif phase then\n",
  "local longest = math.max(memory, 2 * ttl)\nif longest < 86400000 then longest = math.max(longest, call('PTTL', KEYS[i + 2])) end\nif call('PEXPIRE', KEYS[i + 2], longest) == 0 then\nlocal left = call('PTTL', KEYS[i])\nif left > 0 then call('PEXPIRE', KEYS[i], left) end\nend\n",
  "else\nphase, out, seats = nextFence(i, micros, math.max(memory, 2 * ttl)), 0, 0\nif not untouched then call('UNLINK', KEYS[i + 5], KEYS[i + 6]) end\nbegun = true\nend\nseats, shortest = seats + 1, math.min(shortest or ttl, ttl)\nout = out + permitsOf(claim)\nenter(claim, ms + ttl + 1, caller ~= '' and { seat = seats, order = 0, caller = caller })\nreturn ' ' .. phase\nend\nlocal function pass(asker)\nlocal admitted, whose, kept = {}, 'more', asker and 'kept'\nfor _ = 1, MOST_DROPPED do\nlocal head = call('ZPOPMIN', KEYS[i + 3])\nlocal id, ticket = head[1], head[2]\nif not id then\nwhose = 'nobody'\nbreak\nend\nif id == asker then\nwhose = keep(i, id, ticket, 'asker')\nbreak\nend\nlocal waiter, count = servable(i, id, ms)\nif waiter and waiter.keys == 0 and waiter.caller ~= '' and endOf(waiter.value) then\ntell(id, 'come')\nwaiter = nil\nend\nif waiter and waiter.keys ~= 0 and out == 0 then\nif phase then close() end\nwhose = serve(i, asker, head)\nif whose == 'granted' then held = valueAt(i) end\nbreak\nend\nlocal open = waiter and waiter.keys == 0 and fits(waiter.value)\nif waiter and (not open or waiter.reach == '0' or #admitted == MOST_ADMITTED) then\nif open and waiter.reach ~= '0' then tell(id, 'come') end\nwhose = keep(i, id, ticket, not open and 'kept' or kept)\nbreak\nend\nif waiter and count then\nlocal claim = waiter.value\nlocal seat = admit(claim, waiter.caller, waiter.ttl, waiter.memory)\nlocal grant = seat .. ' ' .. waiter.proof .. ' ' .. seats\ntable.insert(admitted, { id = id, ticket = ticket, claim = claim, grant = grant, ttl = waiter.ttl })\nelseif waiter and tell(id, 'come') ~= 0 then\nwhose = keep(i, id, ticket, kept)\nbreak\nelse\ncall('HDEL', KEYS[i + 4], id)\nend\nend\nsave()\nfor n = 1, #admitted do\nlocal one = admitted[n]\nif type(tell(one.id, 'grant', one.grant)) == 'number' then\ncall('HDEL', KEYS[i + 4], one.id)\nelse\ngiveBack(one.claim)\nwhose = keep(i, one.id, one.ticket, kept)\nend\nend\nsave()\nif whose == 'nobody' then recall(i) end\nif shortest and (whose == 'kept' or whose == 'more') then announce(i, shortest, 0) end\nreturn whose\nend\n",
  "local owned = endOf(value) and (caller == '' or shareOf(value).caller == caller)\nif owned then giveBack(value) end\nlocal more = expire()\nif phase or not held then\nmore = pass() == 'more' or more\nend\nlocal told = phase and describeFirst() or held and describe(i, held) or { false, false, false }\nreturn { told[1], told[2], told[3], place, owned and 1 or 0, more and 1 or 0 }\nend\n",
  "local function run()\nlocal value, id, caller, fence = ARGV[1], ARGV[2], ARGV[3], ''\nlocal function taken(i)\nif caller == '' then return true end\nlocal _, _, taker = grantAt(i)\nreturn taker == caller\nend\nlocal place, owned, more, longest = 0, 0, 0, { false, false, false }\nfor i = 1, #KEYS, 5 do\nlocal here = id ~= '' and placeOf(i, id) or 0\nplace = math.max(place, here)\nif id ~= '' then drop(i, id) end\n",
  "local held = redis.pcall('GETRANGE', KEYS[i], '0', LAST_BYTE)\nif type(held) == 'table' and string.sub(held.err, 1, 9) ~= 'WRONGTYPE' then return held end\nlocal mine = held == value\nif mine and fence ~= '' then\nlocal last = string.match(call('GETRANGE', KEYS[i + 1], '0', LAST_BYTE), '^(%d+) ')\nmine = not last or tonumber(last) <= tonumber(fence)\nend\nif held == '' and call('EXISTS', KEYS[i]) == 0 then held = false end\n",
  "if type(held) == 'table' then held = '' end\nmine = mine and taken(i)\nif mine then owned = 1 end\nif not held or mine then\nlocal whose = serve(i)\nif whose == 'more' then more = 1 end\nif mine and whose ~= 'granted' then call('DEL', KEYS[i], KEYS[i + 1]) end\nheld = whose == 'granted' and valueAt(i)\nend\nif here == 1 and held and string.match(held, SHARED) then announce(i, 0, 0) end\nif held then longest = longer(longest, describe(i, held)) end\nend\nreturn { longest[1], longest[2], longest[3], place, owned, more }\nend\n",
  "local function run(k, a, keys, args)\nlocal value, caller, id = ARGV[a + 1], ARGV[a + 4], args > 5 and ARGV[a + 6]\nlocal ttl, memory = tonumber(ARGV[a + 2]), tonumber(ARGV[a + 5])\nlocal first = k + 1\nlocal held\nif call('EXISTS', KEYS[first], KEYS[k + 4], KEYS[k + 5], KEYS[k + 6], KEYS[k + 7]) > 0 then\nheld = valueAt(first)\nend\n",
  "local last, step, wanted = first, 7, 0\n",
  "local ticket, back = id and tonumber(ARGV[a + 7]), false\nlocal echoing = id and ticket and ARGV[a + 12] == '1'\nlocal function join()\nlocal waiter = table.concat({\nstring.format('%.0f', math.floor(micros / 1000)), ARGV[a + 8], ARGV[a + 9], wanted,\nARGV[a + 10], memory, ARGV[a + 3], ARGV[a + 11], caller, value\n}, ' ')\nfor i = first, last, step do\nif ARGV[a + 7] ~= '' then back = call('ZREM', KEYS[i + 3], id) == 0 or back end\ncall('ZADD', KEYS[i + 3], string.format('%.0f', ticket), id)\ncall('HSET', KEYS[i + 4], id, waiter)\ncall('PEXPIRE', KEYS[i + 3], MEMORY_OF_LINE)\ncall('PEXPIRE', KEYS[i + 4], MEMORY_OF_LINE)\nend\nend\nlocal function standInLine(left)\nif not ticket then\nfor i = first, last, step do ticket = tonumber(call('ZSCORE', KEYS[i + 3], id) or ticket) end\nend\nif not ticket then\nticket = micros\nfor i = first, last, step do\nlocal behind = call('ZRANGE', KEYS[i + 3], -1, -1, 'WITHSCORES')\nif behind[1] then ticket = math.max(ticket, behind[2] + 1) end\nend\nend\njoin()\nlocal place = 0\nfor i = first, last, step do\nif echoing then sweep(i, id, micros / 1000) end\nplace = math.max(place, call('ZRANK', KEYS[i + 3], id) + 1)\nend\nlocal heard = echoing and back and tell(id, 'come')\nreturn { left, place, string.format('%.0f', ticket), type(heard) == 'number' and 1 or 0 }\nend\nlocal function echoed()\nif echoing then return type(tell(id, 'come')) == 'number' and 1 or 0 end\nend\n",
  "local function granted(seat)\nlocal heard = echoed()\nreturn heard and { phase, seat, heard } or { phase, seat }\nend\nif expire() then\nsave()\nreturn 'again'\nend\nlocal ending = endOf(value)\nif ending then\nlocal share = shareOf(value)\n",
  "local common = caller ~= '' and share.caller ~= caller\nif common then share.caller = '' end\ntake(value, math.max(ending, ms + ttl + 1), (common or share.written) and share)\nif id then drop(i, id) end\nsave()\nreturn granted(share.seat)\nend\nlocal whose = 'kept'\nif phase or not held then\nif ticket then join() end\nlocal line = not untouched and call('EXISTS', KEYS[i + 3], KEYS[i + 4]) > 0\nwhose = line and pass(id or '') or 'nobody'\nif line and caller ~= '' and endOf(value) then\nif whose == 'asker' then\ndrop(i, id)\npass()\nend\nwhose = 'more'\nend\nif whose == 'more' then return 'again' end\nend\nif (whose == 'asker' or whose == 'nobody') and fits(value) then\nif id then drop(i, id) end\nadmit(value, caller, ttl, memory)\nlocal seat = seats\nif whose == 'asker' then pass() else save() end\nreturn granted(seat)\nend\nsave()\nlocal told = phase and describeFirst() or held and describe(i, held) or { false, false, false }\nreturn id and standInLine(told[1]) or told\nend\n",
  "local keys, args = tonumber(ARGV[1]), tonumber(ARGV[2])\nlocal replies = {}\nfor n = 0, #KEYS / keys - 1 do\nlocal done, reply = pcall(run, n * keys, n * args + 2, keys, args)\nif not done or (type(reply) == 'table' and reply.err) then reply = 'alone' end\nreplies[n + 1] = reply\nend\nreturn replies\n",
  "local time\nlocal function run(k, a, keys, args)\nlocal value, caller, id = ARGV[a + 1], ARGV[a + 4], args > 5 and ARGV[a + 6]\nlocal lease, memory = ARGV[a + 2], ARGV[a + 5]\nlocal ttl = tonumber(lease)\nlocal first, last = k + 1, k + keys\nlocal token = string.sub(value, 1, ARGV[a + 3])\nif tonumber(memory) < 2 * ttl then memory = 2 * ttl end\nlocal untouched, echo = not id or ARGV[a + 7] == '', nil\nfor i = first, last, 5 do\nuntouched = untouched and call('EXISTS', KEYS[i], KEYS[i + 3], KEYS[i + 4]) == 0\nend\nif not untouched then\n",
  "local now = call('TIME')\nlocal micros = now[1] * 1000000 + now[2]\nlocal function ours(i, held)\nif held ~= value then return false end\nlocal fence, owner, taker = grantAt(i)\nif owner == token then return true, fence, taker end\nreturn not owner or string.sub(value, 1, #owner) ~= owner\nend\nlocal wanted, step = keys / 5, 5\n",
  "local owned, free, fence, longest = 0, true, nil, { false, false, false }\nlocal joint, ownLease = {}, ttl\nfor i = first, last, 5 do\nlocal held = valueAt(i)\nlocal mine, number, taker = ours(i, held)\nif mine then\nowned = owned + 5\nownLease = math.max(ownLease, call('PTTL', KEYS[i]))\nif number and (not fence or tonumber(number) > tonumber(fence)) then fence = number end\nif number and taker ~= caller then table.insert(joint, i) end\nelse\nif not held then\nif ticket then join() end\nlocal whose = serve(i, id or '')\nif whose == 'granted' then\nheld = valueAt(i)\nelseif whose == 'kept' then\nfree = false\nelseif whose == 'more' then\nreturn 'again'\nend\nend\nif held then\nfree = false\nlongest = longer(longest, id and { call('PTTL', KEYS[i]), false, false } or describe(i, held))\nend\nend\nend\nif free and fence and owned == keys then\nfor i = first, last, 5 do\nlocal left = call('PTTL', KEYS[i])\ncall('PEXPIRE', KEYS[i], math.max(left, ttl))\nif left < ttl then call('PEXPIRE', KEYS[i + 1], ttl) end\nif id then drop(i, id) end\nend\nfor n = 1, #joint do\nlocal i = joint[n]\nlocal number, owner, taker, order = grantAt(i)\nif taker ~= '' then\ncall('SET', KEYS[i + 1], number .. ' ' .. owner .. '  ' .. order, 'PX', call('PTTL', KEYS[i]))\nend\nend\nlocal heard = echoed()\nreturn heard and { fence, heard } or fence\nend\nif not free and not id then return longest end\nif not free then return standInLine(longest[1]) end\nif #joint > 0 then caller = '' end\nttl, lease, memory = ownLease, ownLease, math.max(memory, 2 * ownLease)\nfor i = first, last, 5 do\nif id then drop(i, id) end\nannounce(i, ttl, 0)\nend\necho = echoed()\nend\ntime = time or call('TIME')\nlocal fence = time[1] .. string.sub('00000' .. time[2], -6)\nlocal i, raised = first, keys > 5 and {}\nwhile i < last do\nlocal before = not (raised and raised[KEYS[i + 2]] == fence) and raise(i, fence, memory)\nif before and before >= tonumber(fence) then\nfence = string.format('%.0f', before + 1)\ni = first\nelse\nif raised then raised[KEYS[i + 2]] = fence end\ni = i + 5\nend\nend\nfor i = first, last, 5 do\ncall('SET', KEYS[i + 1], grantOf(fence, token, caller), 'PX', lease)\ncall('SET', KEYS[i], value, 'PX', lease)\nend\nreturn echo and { fence, echo } or fence\nend\n",
  "local function run(k, a)\nlocal value, grant, ttl, memory = ARGV[a + 1], ARGV[a + 2], tonumber(ARGV[a + 3]), tonumber(ARGV[a + 4])\nlocal order = tonumber(ARGV[a + 5])\n",
  "local held = redis.pcall('GETRANGE', KEYS[k + 1], '0', LAST_BYTE)\nif type(held) == 'table' then\nif string.sub(held.err, 1, 9) ~= 'WRONGTYPE' then return held end\nheld = ''\nelseif held == '' and call('EXISTS', KEYS[k + 1]) == 0 then\nheld = false\nend\n",
  "local before = endOfGrant(value, grant)\nif not before then return held and not phase and -1 or 0 end\nlocal share, ending = (order > 0 or grant ~= '') and shareOf(value), ms + ttl + 1\n",
  "if share and order > share.order then\nshare.order = order\ntake(value, ending, share)\nelseif (order == 0 or order == share.order or (grant ~= '' and share.caller == '')) and ending > before then\ntake(value, ending, share)\nend\nsave()\nif ending < before then announce(i, ttl, 0, MOST_PASSED) end\nreturn 1\nend\n",
  "local function run(k, a, keys)\nlocal value, fence, ttl, memory, verdict = ARGV[a + 1], ARGV[a + 2], ARGV[a + 3], ARGV[a + 4], 1\nfor i = k + 1, k + keys, 3 do\n",
  "if mine then\nif call('PTTL', KEYS[i]) < tonumber(ttl) then\ncall('PEXPIRE', KEYS[i], ttl)\ncall('PEXPIRE', KEYS[i + 1], ttl)\nend\n",
  "elseif held then\nverdict = -1\nelseif verdict == 1 then\nverdict = 0\nend\nend\nreturn verdict\nend\n",
  "local function run(k, a)\nlocal value, grant = ARGV[a + 1], ARGV[a + 2]\n",
  "if not endOfGrant(value, grant) then return held and not phase and -1 or 0 end\ngiveBack(value)\nlocal more = expire()\nif call('EXISTS', KEYS[i + 3], KEYS[i + 4]) > 0 then\nmore = pass() == 'more' or more\nelse\nsave()\nend\nreturn more and 'more' or 1\nend\n",
  "local function run(k, a, keys)\nlocal value, fence, verdict = ARGV[a + 1], ARGV[a + 2], 1\nfor i = k + 1, k + keys, 5 do\n",
  "if mine then\nlocal line, whose = KEYS[i + 3], 'nobody'\nlocal head = (keys == #KEYS or call('EXISTS', line) == 1) and call('ZPOPMIN', line)\nif (head and head[1]) or call('EXISTS', KEYS[i + 4]) == 1 then\n",
  "whose = serve(i, nil, head)\nend\nif whose ~= 'granted' then call('DEL', KEYS[i], KEYS[i + 1]) end\nif whose == 'more' and verdict == 1 then verdict = 'more' end\nelseif held then\nverdict = -1\nelseif verdict ~= -1 then\nverdict = 0\nend\nend\nreturn verdict\nend\n",
  "local function run(k, a, keys)\nlocal value, fence, ttl, memory, verdict = ARGV[a + 1], ARGV[a + 2], ARGV[a + 3], ARGV[a + 4], 1\nlocal order = tonumber(ARGV[a + 5])\nfor i = k + 1, k + keys, 5 do\n",
  "if mine then\nlocal number, owner, taker, last = grantAt(i)\nlast = tonumber(last) or 0\nif number and order > last then\ncall('PEXPIRE', KEYS[i], ttl)\ncall('SET', KEYS[i + 1], number .. ' ' .. owner .. ' ' .. taker .. ' ' .. order, 'PX', ttl)\nannounce(i, tonumber(ttl), 0, MOST_PASSED)\nelseif (not number or order == last or (fence ~= '' and taker == ''))\nand call('PTTL', KEYS[i]) < tonumber(ttl) then\ncall('PEXPIRE', KEYS[i], ttl)\ncall('PEXPIRE', KEYS[i + 1], ttl)\nend\n",
  "local function run(k, a)\nlocal value, grant = ARGV[1], ARGV[2]\n",
  "local ending = endOfGrant(value, grant)\nif not ending then return held and not phase and 'taken' or 'deleted' end\nreturn string.format('%.0f', ending - ms)\nend\n",
  "local function run()\nlocal value, fence, least = ARGV[1], ARGV[2], 'none'\nfor i = 1, #KEYS, 2 do\n",
  "if not mine then return held and 'taken' or 'deleted' end\nlocal left = call('PTTL', KEYS[i])\nif left >= 0 and (least == 'none' or left < least) then least = left end\nend\nreturn least\nend\n",
];

function text(...numbers: readonly number[]): string {
  return numbers.map((number) => parts[number]).join("");
}

/** The scripts of every lock. */
export const scripts: Readonly<Record<ScriptName, Script>> = {
  announce: {
    name: "announce",
    sha1: "8e1cc1ed9c77c930b8a9efa861eb10473dd6b179",
    source: text(0, 1, 2, 3),
  },
  forceRelease: {
    name: "forceRelease",
    sha1: "eedd4f5b66cf57e6ae3a07bb644f9cf9f891ee55",
    source: text(0, 4, 5, 6, 7, 8, 9, 2, 3),
  },
  inspect: {
    name: "inspect",
    sha1: "3535f0566da8825ae412ae8111f1c931388473fe",
    source: text(0, 4, 6, 7, 10, 11, 12, 13, 2, 3),
  },
  leaveShared: {
    name: "leaveShared",
    sha1: "c67d067e070d3d0ab2568215428b1797fda736d4",
    source: text(0, 4, 5, 6, 7, 8, 14, 10, 15, 12, 16, 17, 18, 19, 20, 2, 3),
  },
  leave: {
    name: "leave",
    sha1: "1b5655e8a35802aa22d77e9af37e1a9f43ba365f",
    source: text(0, 4, 5, 6, 7, 8, 14, 10, 21, 22, 23, 2, 3),
  },
  obtainShared: {
    name: "obtainShared",
    sha1: "caaea53582dc5d893836508e817df5564ee374ef",
    source: text(0, 4, 5, 6, 7, 8, 14, 10, 24, 12, 16, 17, 18, 19, 25, 26, 27, 18, 28, 2, 3),
  },
  obtainSharedMany: {
    name: "obtainSharedMany",
    sha1: "dfb34a5ad6e3b027f0e6c8826a4ca547beb78710",
    source: text(0, 4, 5, 6, 7, 8, 14, 10, 24, 12, 16, 17, 18, 19, 25, 26, 27, 18, 28, 29),
  },
  obtain: {
    name: "obtain",
    sha1: "932ce6188e451f5a4d8d66b717042ff3998cbd06",
    source: text(0, 5, 6, 30, 4, 7, 8, 10, 31, 26, 32, 2, 3),
  },
  obtainMany: {
    name: "obtainMany",
    sha1: "f1b4435c4a02ca7bb48de85d3f8a432b8ba051ce",
    source: text(0, 5, 6, 30, 4, 7, 8, 10, 31, 26, 32, 29),
  },
  refreshShared: {
    name: "refreshShared",
    sha1: "cadeea1194e98f2efb6c03ed89c4ca9d56d8ad1c",
    source: text(0, 4, 5, 6, 7, 8, 33, 34, 12, 16, 35, 18, 36, 2, 3),
  },
  refreshSharedMany: {
    name: "refreshSharedMany",
    sha1: "7111956a60c4d2fa0fe302238d8e46292b4e44c3",
    source: text(0, 4, 5, 6, 7, 8, 33, 34, 12, 16, 35, 18, 36, 29),
  },
  refresh: {
    name: "refresh",
    sha1: "424d523fe8a6b0ce889bcfbba936dc62fd1559eb",
    source: text(0, 37, 22, 38, 18, 39, 2, 3),
  },
  refreshMany: {
    name: "refreshMany",
    sha1: "29cbcdb0ffb43e34166df1f068cc6567499988f1",
    source: text(0, 37, 22, 38, 18, 39, 29),
  },
  releaseShared: {
    name: "releaseShared",
    sha1: "10c614f348ddaa99332bb880df8ec118d0a98e57",
    source: text(0, 4, 5, 6, 7, 8, 40, 34, 12, 16, 17, 18, 19, 41, 2, 3),
  },
  releaseSharedMany: {
    name: "releaseSharedMany",
    sha1: "752d4b3b1fe59de8fdb80d6d9b317a5208f0878f",
    source: text(0, 4, 5, 6, 7, 8, 40, 34, 12, 16, 17, 18, 19, 41, 29),
  },
  release: {
    name: "release",
    sha1: "6006516a948eab658bf16bae58c92582f0e83584",
    source: text(0, 42, 22, 43, 5, 6, 7, 8, 44, 2, 3),
  },
  releaseMany: {
    name: "releaseMany",
    sha1: "e8d29df7280c7f3a6fb5f500ebbdbd96fa53d77c",
    source: text(0, 42, 22, 43, 5, 6, 7, 8, 44, 29),
  },
  shorten: {
    name: "shorten",
    sha1: "4d4cee48a0b7b00129739e035791c17e40f20f9e",
    source: text(0, 5, 6, 7, 8, 45, 22, 46, 18, 39, 2, 3),
  },
  shortenMany: {
    name: "shortenMany",
    sha1: "5486697edbae805553bce89892bc7d8d4a46a19f",
    source: text(0, 5, 6, 7, 8, 45, 22, 46, 18, 39, 29),
  },
  ttlShared: {
    name: "ttlShared",
    sha1: "98bdfd0764c27f2e21887ec8b13ac549d72fd7c5",
    source: text(0, 4, 47, 34, 12, 48, 2, 3),
  },
  ttl: {
    name: "ttl",
    sha1: "5a8ac6906d6bd87bd5466f83782228d03368338e",
    source: text(0, 49, 22, 50, 2, 3),
  },
};
