/**
 * All that is ever run in Redis. Each script is atomic, takes its time from the server (`TIME`), never
 * from a client, compares whole values, and may be run twice: clients send again what they got no
 * answer to.
 *
 * For each lock a script takes the four keys of {@link lockNames}, in this order:
 *
 *   +0 key      string  the holder's token and metadata, with the lease as its ttl
 *   +1 fence    string  `<fencing token>:<token>` of the last grant; kept for a day and more
 *   +2 line     zset    ids of the waiters by ticket, which is when they came, in microseconds
 *   +3 waiters  hash    id → `<stale at, ms> <told> <keys> <ttl> <token length> <value>`
 *
 * A waiter's id is `<inbox>:<number>`. It is told on the channel `redislock:inbox:<inbox>`:
 * `grant <number> <fencing token>` when the lock is its own now, `come <number>` when it should ask.
 * `told` is 0 for a waiter without a channel, 1 for one whose channel counts its listeners, and 2 in a
 * cluster, where `PUBLISH` reaches every node but counts the listeners of one.
 */
import type { Script } from "./client.js";

/** How long the last fencing token is remembered at least: longer than clocks are ever set back. */
const A_DAY = 86_400_000;

/** How often a waiter who can be told shows that it is there, at the least, in milliseconds. */
export const PRESENCE = 15_000;

/**
 * Offers the free lock at KEYS[i] to those in line, and says whose it is now: `granted` to a waiter who
 * was told, `kept` for one who has to ask, for the `asker` itself if it is the first who can have it, or
 * `nobody`. Drops waiters who went stale or do not hear; who is alive comes back with its ticket.
 *
 * Waiters ask by themselves when the lease ends that they were told of, or after {@link PRESENCE}. If a
 * new lease ends before that, `announce` tells the first in line to come and learn of it; if the lock
 * stays free for one who has to ask, which it may never do, whoever is behind it.
 *
 * Writes by pcall and the key last: with memory full the lock must stay free, not half granted.
 * O(log n) in the line's length, for the one it serves and for each that it drops, at most 1000.
 */
const SERVE = `
local function tell(id, what)
  local inbox, number = string.match(id, '^(.+):(%d+)$')
  return redis.pcall('PUBLISH', 'redislock:inbox:' .. inbox, string.format(what, number))
end
local function announce(i, ttl, place)
  if tonumber(ttl) >= ${PRESENCE} or place > 9 then return end
  local id = redis.call('ZRANGE', KEYS[i + 2], place, place)[1]
  local waiter = id and redis.call('HGET', KEYS[i + 3], id) or ''
  local told, lease = string.match(waiter, '^%d+ (%d) %d+ (%d+)')
  if not told or lease / 2 <= tonumber(ttl) then return end
  if told == '0' then return announce(i, ttl, place + 1) end
  if tell(id, 'come %s') ~= 0 or told == '2' then return end
  redis.call('ZREM', KEYS[i + 2], id)
  redis.call('HDEL', KEYS[i + 3], id)
  return announce(i, ttl, place)
end
local function keep(i, asker)
  if not asker then announce(i, 0, 1) end
  return 'kept'
end
local function serve(i, asker)
  local micros
  for _ = 1, 1000 do
    local id = redis.call('ZRANGE', KEYS[i + 2], 0, 0)[1]
    if not id then return 'nobody' end
    if id == asker then return 'asker' end
    if not micros then
      local time = redis.call('TIME')
      micros = time[1] * 1000000 + time[2]
    end
    local waiter = redis.call('HGET', KEYS[i + 3], id) or ''
    local stale, told, keys, ttl, length, value = string.match(waiter, '^(%d+) (%d) (%d+) (%d+) (%d+) (.*)$')
    if stale and stale * 1000 >= micros then
      if told == '0' then return keep(i, asker) end
      local message = 'come %s'
      if keys == '1' then
        local fence, memory = string.format('%.0f', micros), math.max(${A_DAY}, 2 * ttl)
        local owner = ':' .. string.sub(value, 1, length)
        local last = redis.pcall('SET', KEYS[i + 1], fence .. owner, 'PX', memory, 'GET')
        if type(last) == 'table' then return 'nobody' end
        last = last and tonumber(string.match(last, '^%d+'))
        if last and last >= micros then
          fence = string.format('%.0f', last + 1)
          redis.call('SET', KEYS[i + 1], fence .. owner, 'PX', memory)
        end
        if redis.pcall('SET', KEYS[i], value, 'PX', ttl).err then return 'nobody' end
        message = 'grant %s ' .. fence
      end
      local heard = tell(id, message)
      local sent = type(heard) == 'number'
      local hears = sent and (told == '2' or heard > 0)
      if keys == '1' and not hears then redis.call('DEL', KEYS[i]) end
      if not sent or (hears and keys ~= '1') then return keep(i, asker) end
      stale = not hears
    else
      stale = true
    end
    redis.call('ZREM', KEYS[i + 2], id)
    redis.call('HDEL', KEYS[i + 3], id)
    if not stale then
      announce(i, ttl, 0)
      return 'granted'
    end
  end
  return 'kept'
end`;

/**
 * What may be told of the lock at KEYS[i]: `[ms left or -1, fencing token or nil, metadata or nil]`.
 * The last two only if the last grant is the holder's, and not one before somebody's plain `SET`.
 * Of two descriptions, `longer` is that of the lock that lasts longer.
 */
const DESCRIBE = `
local function describe(i, value)
  local fence, token = string.match(redis.call('GET', KEYS[i + 1]) or '', '^(%d+):(.*)$')
  local left = redis.call('PTTL', KEYS[i])
  if not token or string.sub(value, 1, #token) ~= token then return { left, false, false } end
  return { left, fence, string.sub(value, #token + 1) }
end
local function longer(a, b)
  if not a[1] or b[1] == -1 or (a[1] ~= -1 and b[1] > a[1]) then return b end
  return a
end`;

/**
 * What came of reading a key by pcall: another type of data means that the lock is gone, any other
 * error that nobody knows.
 */
const REFUSED =
  "if type(held) == 'table' and string.sub(held.err, 1, 9) ~= 'WRONGTYPE' then return held end";

/**
 * Takes all the locks or none.
 *
 * KEYS: four for each lock.
 * ARGV: value, ttl, length of the token in it;
 *       to stand in line also: id, ticket or '', ms until the place goes stale, told, the ttl to be
 *       granted while it is not asking.
 * Reply: the fencing token as text when they are ours, also when they were before; else of the lock
 *        that lasts longest `[ms left, fence, metadata]`, or in line `[ms left, place, ticket, bound]`,
 *        where each grant from then on has a fencing token above the bound; with
 *        ms left -1 for a lock without ttl, and nil when all are free but kept for others.
 * Complexity: O(1) without a line, else O(log n) in its length, for each lock. The common case comes
 * first, and defines no function that it does not need: a free lock costs four commands.
 */
export const obtainScript: Script = script(
  "obtain",
  "7f4cdee36f9d5bc8407d8829773847bda319eaba",
  `local call = redis.call
local value, ttl, id = ARGV[1], ARGV[2], ARGV[4]
local token = string.sub(value, 1, ARGV[3])
local memory = math.max(${A_DAY}, 2 * ttl)

local untouched = true
for i = 1, #KEYS, 4 do
  untouched = untouched and call('EXISTS', KEYS[i], KEYS[i + 2]) == 0
end
if not untouched then
${SERVE}${DESCRIBE}
-- The same bytes can be another's: a longer token, or a shorter one with metadata.
local function ours(i, held)
  if held ~= value then return false end
  local fence, owner = string.match(call('GET', KEYS[i + 1]) or '', '^(%d+):(.*)$')
  if owner == token then return fence end
  return not owner or string.sub(value, 1, #owner) ~= owner
end

local owned, free, fence, longest = 0, true, nil, { false, false, false }
for i = 1, #KEYS, 4 do
  local held = call('GET', KEYS[i])
  local mine = held and ours(i, held)
  if mine then
    owned = owned + 4
    if mine ~= true then fence = mine end
  else
    if not held and call('EXISTS', KEYS[i + 2]) == 1 then
      local whose = serve(i, id or '')
      if whose == 'granted' then
        held = call('GET', KEYS[i])
      elseif whose == 'kept' then
        free = false
      end
    end
    if held then
      free = false
      longest = longer(longest, id and { call('PTTL', KEYS[i]), false, false } or describe(i, held))
    end
  end
end
if free and fence and owned == #KEYS then
  -- A late copy of this question must not cut a lease that was refreshed since.
  for i = 1, #KEYS, 4 do
    if call('PTTL', KEYS[i]) < tonumber(ttl) then call('PEXPIRE', KEYS[i], ttl) end
  end
  return fence
end

if not free and not id then return longest end
if not free then
  local place, ticket = 0, tonumber(ARGV[5])
  local time = call('TIME')
  local micros = time[1] * 1000000 + time[2]
  local stale = string.format('%.0f', math.ceil(micros / 1000 + ARGV[6]))
  local waiter = table.concat({ stale, ARGV[7], #KEYS / 4, ARGV[8], ARGV[3], value }, ' ')
  -- One ticket in all its lines, so that of two waiters the same is first everywhere.
  if not ticket or #KEYS > 4 then
    for i = 3, #KEYS, 4 do ticket = tonumber(call('ZSCORE', KEYS[i], id) or ticket) end
  end
  if not ticket then
    ticket = micros
    for i = 3, #KEYS, 4 do
      local last = call('ZRANGE', KEYS[i], -1, -1, 'WITHSCORES')
      if last[1] then ticket = math.max(ticket, last[2] + 1) end
    end
  end
  for i = 3, #KEYS, 4 do
    call('HSET', KEYS[i + 1], id, waiter)
    if call('ZADD', KEYS[i], 'NX', string.format('%.0f', ticket), id) == 1 then
      call('PEXPIRE', KEYS[i], memory)
      call('PEXPIRE', KEYS[i + 1], memory)
    end
    place = math.max(place, call('ZRANK', KEYS[i], id) + 1)
  end
  ticket = ARGV[5] ~= '' and ARGV[5] or call('ZSCORE', KEYS[3], id)
  local last = string.match(call('GET', KEYS[2]) or '', '^%d+') or 0
  return { longest[1], place, ticket, string.format('%.0f', math.max(micros, last)) }
end

for i = 1, #KEYS, 4 do
  call('ZREM', KEYS[i + 2], id or '')
  call('HDEL', KEYS[i + 3], id or '')
  announce(i, ttl, 0)
end
end

local time = call('TIME')
local fence = time[1] .. string.sub('00000' .. time[2], -6)
local i = 1
while i < #KEYS do
  local last = call('SET', KEYS[i + 1], fence .. ':' .. token, 'PX', memory, 'GET')
  last = last and tonumber(string.match(last, '^%d+'))
  if last and last >= tonumber(fence) then
    fence = string.format('%.0f', last + 1)
    i = 1
  else
    i = i + 4
  end
end
for i = 1, #KEYS, 4 do call('SET', KEYS[i], value, 'PX', ttl) end
return fence`,
);

/**
 * Gives the locks back, each to the next in line if there is one. What is not ours stays untouched.
 *
 * KEYS: four for each lock. ARGV: value.
 * Reply: 1 when all were ours; else 0 when one was gone, -1 when one is another's.
 * Complexity: O(1) without a line, else O(log n) in its length, for each lock.
 */
export const releaseScript: Script = script(
  "release",
  "cde0eaa7157888687f6b512637647ebb47c44fe6",
  `${SERVE}
local verdict = 1
for i = 1, #KEYS, 4 do
  local held = redis.pcall('GET', KEYS[i])
  ${REFUSED}
  if held == ARGV[1] then
    if serve(i) ~= 'granted' then redis.call('DEL', KEYS[i]) end
  elseif held then
    verdict = -1
  elseif verdict == 1 then
    verdict = 0
  end
end
return verdict`,
);

/**
 * Leaves nothing of an obtain that was given up: its places in line, and the locks if they were granted
 * in the meantime. A lock that was kept for it goes to the next in line.
 *
 * KEYS: four for each lock. ARGV: value, id or ''.
 * Reply: `[ms left, fence, metadata, place, owned]`, the first three as obtain's, then the place that
 *        it left, 0 for none, and 1 if it had a lock to give back, else 0.
 * Complexity: as release.
 */
export const leaveScript: Script = script(
  "leave",
  "c9b45740f4b3397fea3a50034c7544cd1418357e",
  `${SERVE}${DESCRIBE}
local place, owned, longest = 0, 0, { false, false, false }
for i = 1, #KEYS, 4 do
  place = math.max(place, (redis.call('ZRANK', KEYS[i + 2], ARGV[2]) or -1) + 1)
  redis.call('ZREM', KEYS[i + 2], ARGV[2])
  redis.call('HDEL', KEYS[i + 3], ARGV[2])
  local held = redis.call('GET', KEYS[i])
  if held == ARGV[1] then owned = 1 end
  if not held or held == ARGV[1] then
    local granted = serve(i) == 'granted'
    if held and not granted then redis.call('DEL', KEYS[i]) end
    held = granted and redis.call('GET', KEYS[i])
  end
  if held then
    longest = longer(longest, describe(i, held))
  end
end
return { longest[1], longest[2], longest[3], place, owned }`,
);

/**
 * Starts leases anew, many at once. By PEXPIRE, which works with memory full, and which cannot bring
 * back a lock that is gone. A lease is cut only if that is wanted: a late copy of a renewal, overtaken
 * by a refresh for longer, must not.
 *
 * KEYS: key, fence for each lock. ARGV: value, ttl, 1 to cut a longer lease, for each lock.
 * Reply: for each lock 1 when it was ours and goes on, 0 when it is gone, -1 when it is another's.
 * Complexity: O(1) for each lock.
 */
export const refreshScript: Script = script(
  "refresh",
  "bc961a629a224cfc9adf94a55a1a55bb7ab3f371",
  `
local verdicts = {}
for n = 1, #KEYS / 2 do
  local key, value, ttl, cut = KEYS[2 * n - 1], ARGV[3 * n - 2], ARGV[3 * n - 1], ARGV[3 * n]
  local held = redis.pcall('GET', key)
  ${REFUSED}
  if held == value then
    if cut == '1' or redis.call('PTTL', key) < tonumber(ttl) then redis.call('PEXPIRE', key, ttl) end
    redis.call('PEXPIRE', KEYS[2 * n], math.max(${A_DAY}, 2 * ttl))
    table.insert(verdicts, 1)
  else
    table.insert(verdicts, held and -1 or 0)
  end
end
return verdicts`,
);

/**
 * How long the locks go on by themselves.
 *
 * KEYS: the keys. ARGV: value.
 * Reply: the fewest milliseconds left of any; 'none' when none has a ttl; of the first that is not ours,
 *        'taken' when it is another's, else 'deleted'.
 * Complexity: O(1) for each lock.
 */
export const ttlScript: Script = script(
  "ttl",
  "b5d890eb204fd0ea5cc1ecc020b377c66ec17ae0",
  `
local least = 'none'
for i = 1, #KEYS do
  local held = redis.pcall('GET', KEYS[i])
  ${REFUSED}
  if held ~= ARGV[1] then return held and 'taken' or 'deleted' end
  local left = redis.call('PTTL', KEYS[i])
  if left >= 0 and (least == 'none' or left < least) then least = left end
end
return least`,
);

/**
 * Who has a lock, and who waits for it; without a token.
 *
 * KEYS: four. ARGV: how many waiters to tell of at most.
 * Reply: `[ms left, fence, metadata, number of waiters, metadata, ms waited, metadata, ms waited, …]`,
 *        the first three nil for a lock that nobody has.
 * Complexity: O(log n + m) for a line of n and m waiters told of.
 */
export const inspectScript: Script = script(
  "inspect",
  "70c810052a44064b9aa2007a9f5478e47f619900",
  `${DESCRIBE}
local time = redis.call('TIME')
local micros = time[1] * 1000000 + time[2]
local held = redis.call('GET', KEYS[1])
local reply = held and describe(1, held) or { false, false, false }
reply[4] = redis.call('ZCARD', KEYS[3])
local line = redis.call('ZRANGE', KEYS[3], 0, ARGV[1] - 1, 'WITHSCORES')
for i = 1, #line, 2 do
  local waiter = redis.call('HGET', KEYS[4], line[i]) or ''
  local length, value = string.match(waiter, '^%d+ %d %d+ %d+ (%d+) (.*)$')
  table.insert(reply, length and string.sub(value, length + 1) or '')
  table.insert(reply, math.max(0, math.floor((micros - line[i + 1]) / 1000)))
end
return reply`,
);

/**
 * Takes a lock away from whoever has it, and gives it to the next in line.
 *
 * KEYS: four. ARGV: none.
 * Reply: 1 when somebody had it, else 0.
 * Complexity: as release.
 */
export const forceReleaseScript: Script = script(
  "forceRelease",
  "f0df25247d7d56c40be9fa692c5db90ee37da776",
  `${SERVE}
local held = redis.call('GET', KEYS[1])
local granted = serve(1) == 'granted'
if held and not granted then redis.call('DEL', KEYS[1]) end
return held and 1 or 0`,
);

/**
 * The same scripts for many questions at once, each with keys and arguments of its own: none sees
 * another's, and none is kept from running by another's error. The common case, one lock that is free,
 * or ours and not waited for, is done first and without copies, as in the script itself.
 *
 * KEYS: of all of them. ARGV: how many keys each has, how many arguments, the arguments of all of them.
 * Reply: a list of their replies; 'alone' for one that Redis refused, to be asked by itself.
 * Complexity: that of each.
 */
export const obtainManyScript: Script = many(
  obtainScript,
  "ccd06588d556b929327ddf35d02630469d23ac1a",
  `local time = call('TIME')
local now = time[1] .. string.sub('00000' .. time[2], -6)
local function common(k, a)
  if call('EXISTS', KEYS[k + 1], KEYS[k + 3]) > 0 then return end
  local fence, value, ttl = now, ARGV[a + 1], ARGV[a + 2]
  local owner, memory = ':' .. string.sub(value, 1, ARGV[a + 3]), math.max(${A_DAY}, 2 * ttl)
  local last = call('SET', KEYS[k + 2], fence .. owner, 'PX', memory, 'GET')
  last = last and tonumber(string.match(last, '^%d+'))
  if last and last >= tonumber(fence) then
    fence = string.format('%.0f', last + 1)
    call('SET', KEYS[k + 2], fence .. owner, 'PX', memory)
  end
  call('SET', KEYS[k + 1], value, 'PX', ttl)
  return fence
end`,
);
export const releaseManyScript: Script = many(
  releaseScript,
  "c4f072c5b78dd27e8cfeaa0349e2358d8801c6f0",
  `local function common(k, a)
  if call('GET', KEYS[k + 1]) ~= ARGV[a + 1] then return end
  return call('EXISTS', KEYS[k + 3]) == 0 and call('DEL', KEYS[k + 1])
end`,
);

function many({ name, source }: Script, sha1: string, common: string): Script {
  return script(
    `${name}Many`,
    sha1,
    `local call = redis.call
local function answer(KEYS, ARGV)
${source}
end
${common}
local keys, args = tonumber(ARGV[1]), tonumber(ARGV[2])
local function reply(k, a)
  return keys == 4 and common(k, a) or
    answer({ unpack(KEYS, k + 1, k + keys) }, { unpack(ARGV, a + 1, a + args) })
end
local replies = {}
for i = 0, #KEYS / keys - 1 do
  local done, answered = pcall(reply, i * keys, i * args + 2)
  if not done or (type(answered) == 'table' and answered.err) then answered = 'alone' end
  replies[i + 1] = answered
end
return replies`,
  );
}

function script(name: string, sha1: string, source: string): Script {
  return { name, source, sha1 };
}
