/**
 * All that is ever run in Redis. Each script is atomic, takes its time from the server (`TIME`), never
 * from a client, compares whole values, and may be run twice: clients send again what they got no
 * answer to.
 *
 * For each lock a script takes the four keys of {@link lockNames}, in this order:
 *
 *   +0 key      string  the holder's token and metadata, with the lease as its ttl
 *   +1 fence    string  `<fencing token>:<token>[ <call>]` of the last grant; kept for a day and more
 *   +2 line     zset    ids of the waiters by ticket, which is when they came, in microseconds
 *   +3 waiters  hash    id → `<stale at, ms> <reach> <keys> <ttl> <token length> <proof> <call> <value>`
 *
 * A waiter's id is `<inbox>:<number>`. It is told on the channel `redislock:inbox:<inbox>`:
 *
 *   `grant <number> <fencing token> <proof>`  the lock is its own now; never taken back
 *   `come <number>`                           it should ask; proves nothing
 *   `unseen <number>`                         the same, and this server does not count it as a listener
 *
 * `reach` is 0 for a waiter without a channel (none), 1 for one whose server counts its listeners
 * (counted), and 2 where messages arrive but are not counted (uncounted), as in a cluster, where
 * `PUBLISH` reaches every node but each knows its own listeners only, or on a replica. `proof` is a
 * secret of the command that put the waiter in line, which only a grant shows. `call` tells one call
 * from another with the same token; it is empty where the token is one call's alone.
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
 * A grant is published only after the lock was written, and is never taken back once it was: whoever
 * hears it, has it, on whatever server it listens. So listeners are counted before. `PUBLISH` counts too
 * late, and its own server's only, while a replica passes the message on to others. Whom this server
 * does not see is told to come, which proves nothing.
 *
 * Waiters ask by themselves when the lease ends that they were told of, or after {@link PRESENCE}. If a
 * new lease ends before that, `announce` tells the first in line to come and learn of it; if the lock
 * stays free for one who has to ask, which it may never do, whoever is behind it.
 *
 * Writes by pcall and the key last: with memory full the lock must stay free, not half granted.
 * O(log n) in the line's length, for the one it serves and for each that it drops, at most 1000.
 */
const SERVE = `
local function tell(id, what, more)
  local inbox, number = string.match(id, '^(.+):(%d+)$')
  local message = what .. ' ' .. number .. (more or '')
  return redis.pcall('PUBLISH', 'redislock:inbox:' .. inbox, message)
end
-- How many listen to its channel on this server, patterns not counted; nil if the server does not say.
local function listeners(id)
  return redis.pcall('PUBSUB', 'NUMSUB', 'redislock:inbox:' .. string.match(id, '^(.+):'))[2]
end
local function drop(i, id)
  redis.call('ZREM', KEYS[i + 2], id)
  redis.call('HDEL', KEYS[i + 3], id)
end
local function announce(i, ttl, place)
  if tonumber(ttl) >= ${PRESENCE} or place > 9 then return end
  local id = redis.call('ZRANGE', KEYS[i + 2], place, place)[1]
  local waiter = id and string.match(id, '.:%d+$') and redis.call('HGET', KEYS[i + 3], id) or ''
  local reach, lease = string.match(waiter, '^%d+ (%d) %d+ (%d+)')
  if not reach or lease / 2 <= tonumber(ttl) then return end
  if reach == '0' then return announce(i, ttl, place + 1) end
  if tell(id, 'come') ~= 0 or reach == '2' then return end
  drop(i, id)
  return announce(i, ttl, place)
end
local function keep(i, asker)
  if not asker then announce(i, 0, 1) end
  return 'kept'
end
-- Makes the lock the waiter's, and returns what proves it; nil when memory is full.
local function hand(i, micros, ttl, length, proof, call, value)
  local fence, memory = string.format('%.0f', micros), math.max(${A_DAY}, 2 * ttl)
  local owner = ':' .. string.sub(value, 1, length) .. (call ~= '' and ' ' .. call or '')
  local last = redis.pcall('SET', KEYS[i + 1], fence .. owner, 'PX', memory, 'GET')
  if type(last) == 'table' then return end
  last = last and tonumber(string.match(last, '^(%d+):'))
  if last and last >= micros then
    fence = string.format('%.0f', last + 1)
    redis.call('SET', KEYS[i + 1], fence .. owner, 'PX', memory)
  end
  if redis.pcall('SET', KEYS[i], value, 'PX', ttl).err then return end
  return ' ' .. fence .. ' ' .. proof
end
local function serve(i, asker, head)
  local micros
  for _ = 1, 1000 do
    local id = head or redis.call('ZRANGE', KEYS[i + 2], 0, 0)[1]
    head = nil
    if not id then return 'nobody' end
    if id == asker then return 'asker' end
    if not micros then
      local time = redis.call('TIME')
      micros = time[1] * 1000000 + time[2]
    end
    local waiter = redis.call('HGET', KEYS[i + 3], id) or ''
    local stale, reach, keys, ttl, length, proof, call, value =
      string.match(waiter, '^(%d+) (%d) (%d+) (%d+) (%d+) (%S+) (%S*) (.*)$')
    if stale and stale * 1000 >= micros and string.match(id, '.:%d+$') then
      if reach == '0' then return keep(i, asker) end
      local count = reach == '2' and 1 or listeners(id)
      if count == 0 then
        tell(id, 'unseen')
      elseif count and keys == '1' then
        local grant = hand(i, micros, ttl, length, proof, call, value)
        if not grant then return 'nobody' end
        if type(tell(id, 'grant', grant)) == 'number' then
          drop(i, id)
          announce(i, ttl, 0)
          return 'granted'
        end
        -- Nothing was published: nobody can have heard.
        redis.call('DEL', KEYS[i])
        return keep(i, asker)
      else
        local heard = tell(id, 'come')
        if count or heard ~= 0 then return keep(i, asker) end
      end
    end
    drop(i, id)
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
  local fence, token = string.match(redis.call('GET', KEYS[i + 1]) or '', '^(%d+):(%S+)')
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

/** Whether the last grant of a lock is not newer than the one that its holder was told of, `fence`. */
const NOT_NEWER = (key: string, fence: string): string =>
  `(${fence} == '' or ` +
  `tonumber(string.match(redis.call('GET', ${key}) or '', '^(%d+):') or 0) <= tonumber(${fence}))`;

/**
 * Takes all the locks or none. The body is a function of where its keys and arguments begin and how many
 * they are: the script runs it once, {@link obtainManyScript} once for each command.
 *
 * KEYS: four for each lock.
 * ARGV: value, ttl, length of the token in it, call or '';
 *       to stand in line also: id, ticket or '', ms until the place goes stale, reach, the ttl to be
 *       granted while it is not asking, proof.
 * Reply: the fencing token as text when they are ours, also when they were before; else of the lock
 *        that lasts longest `[ms left, fence, metadata]`, or in line `[ms left, place, ticket]`, with
 *        ms left -1 for a lock without ttl, and nil when all are free but kept for others.
 * Complexity: O(1) without a line, else O(log n) in its length, for each lock. The common case comes
 * first, and defines no function that it does not need: a free lock costs four commands.
 */
const OBTAIN = `local call, time = redis.call
local function run(k, a, keys, args)
local value, ttl, mark, id = ARGV[a + 1], ARGV[a + 2], ARGV[a + 4], args > 4 and ARGV[a + 5]
local first, last = k + 1, k + keys
local token = string.sub(value, 1, ARGV[a + 3])
local memory = math.max(${A_DAY}, 2 * ttl)

local untouched = true
for i = first, last, 4 do
  untouched = untouched and call('EXISTS', KEYS[i], KEYS[i + 2]) == 0
end
if not untouched then
${SERVE}${DESCRIBE}
-- Whether the lock is ours, its fencing token, and the call that took it. The same bytes can be
-- another's: a longer token, or a shorter one with metadata.
local function ours(i, held)
  if held ~= value then return false end
  local fence, owner, taker = string.match(call('GET', KEYS[i + 1]) or '', '^(%d+):(%S+) ?(%S*)$')
  if owner == token then return true, fence, taker end
  return not owner or string.sub(value, 1, #owner) ~= owner
end

local owned, free, fence, longest = 0, true, nil, { false, false, false }
local shared = {}
for i = first, last, 4 do
  local held = call('GET', KEYS[i])
  local mine, number, taker = ours(i, held)
  if mine then
    owned = owned + 4
    if number and (not fence or tonumber(number) > tonumber(fence)) then fence = number end
    if number and taker ~= mark then table.insert(shared, { KEYS[i + 1], number, taker }) end
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
if free and fence and owned == keys then
  for i = first, last, 4 do
    -- A late copy of this command must not cut a lease that was refreshed since.
    if call('PTTL', KEYS[i]) < tonumber(ttl) then call('PEXPIRE', KEYS[i], ttl) end
  end
  -- Two calls have it now: from here on, neither may free it by giving up.
  for n = 1, #shared do
    local fenceKey, number, taker = unpack(shared[n])
    if taker ~= '' then call('SET', fenceKey, number .. ':' .. token, 'PX', memory) end
  end
  return fence
end

if not free and not id then return longest end
if not free then
  local place, ticket = 0, tonumber(ARGV[a + 6])
  local now = call('TIME')
  local micros = now[1] * 1000000 + now[2]
  local stale = string.format('%.0f', math.ceil(micros / 1000 + ARGV[a + 7]))
  local waiter = table.concat({
    stale, ARGV[a + 8], keys / 4, ARGV[a + 9], ARGV[a + 3], ARGV[a + 10], mark, value
  }, ' ')
  -- One ticket in all its lines, so that of two waiters the same is first everywhere.
  if not ticket or keys > 4 then
    for i = first, last, 4 do ticket = tonumber(call('ZSCORE', KEYS[i + 2], id) or ticket) end
  end
  if not ticket then
    ticket = micros
    for i = first, last, 4 do
      local behind = call('ZRANGE', KEYS[i + 2], -1, -1, 'WITHSCORES')
      if behind[1] then ticket = math.max(ticket, behind[2] + 1) end
    end
  end
  for i = first, last, 4 do
    call('HSET', KEYS[i + 3], id, waiter)
    if call('ZADD', KEYS[i + 2], 'NX', string.format('%.0f', ticket), id) == 1 then
      call('PEXPIRE', KEYS[i + 2], memory)
      call('PEXPIRE', KEYS[i + 3], memory)
    end
    place = math.max(place, call('ZRANK', KEYS[i + 2], id) + 1)
  end
  ticket = ARGV[a + 6] ~= '' and ARGV[a + 6] or call('ZSCORE', KEYS[first + 2], id)
  return { longest[1], place, ticket }
end

if #shared > 0 then mark = '' end
for i = first, last, 4 do
  call('ZREM', KEYS[i + 2], id or '')
  call('HDEL', KEYS[i + 3], id or '')
  announce(i, ttl, 0)
end
end

time = time or call('TIME')
local fence = time[1] .. string.sub('00000' .. time[2], -6)
local owner = ':' .. token .. (mark ~= '' and ' ' .. mark or '')
local i = first
while i < last do
  local before = call('SET', KEYS[i + 1], fence .. owner, 'PX', memory, 'GET')
  before = before and tonumber(string.match(before, '^(%d+):'))
  if before and before >= tonumber(fence) then
    fence = string.format('%.0f', before + 1)
    i = first
  else
    i = i + 4
  end
end
for i = first, last, 4 do call('SET', KEYS[i], value, 'PX', ttl) end
return fence
end`;

/** See {@link OBTAIN}. */
export const obtainScript: Script = script(
  "obtain",
  "00a0d07e0b9d4fb0063c1057996daeead57da2a5",
  `${OBTAIN}
return run(0, 0, #KEYS, #ARGV)`,
);

/**
 * Gives the locks back, each to the next in line if there is one. What is not ours stays untouched.
 *
 * Own tokens can be asked with again: then the same value may be that of a later grant, which a late
 * copy of this command must not end. So their holder says which fencing token it was told.
 *
 * KEYS: four for each lock. ARGV: value, fence or '' where no other lock has ever had that value.
 * Reply: 1 when all were ours; else 0 when one was gone, -1 when one is another's.
 * Complexity: O(1) without a line, else O(log n) in its length, for each lock.
 */
const RELEASE = `local call = redis.call
local function run(k, a, keys)
local value, fence, verdict = ARGV[a + 1], ARGV[a + 2], 1
for i = k + 1, k + keys, 4 do
  local held = redis.pcall('GET', KEYS[i])
  ${REFUSED}
  if held == value and ${NOT_NEWER("KEYS[i + 1]", "fence")} then
    local head, granted = call('ZRANGE', KEYS[i + 2], 0, 0)[1], false
    if head then
${SERVE}
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
end`;

/** See {@link RELEASE}. */
export const releaseScript: Script = script(
  "release",
  "987dbd9cc08a4c097a4cb0b15e12d3b37cdac298",
  `${RELEASE}
return run(0, 0, #KEYS)`,
);

/**
 * Leaves nothing of an obtain that was given up: its places in line, and the locks if they were granted
 * in the meantime. A lock that was kept for it goes to the next in line. What another call with the same
 * token took, or was told that it has, is not touched.
 *
 * KEYS: four for each lock. ARGV: value, id or '', call or '' where the token is this call's alone.
 * Reply: `[ms left, fence, metadata, place, owned]`, the first three as obtain's, then the place that
 *        it left, 0 for none, and 1 if it had a lock to give back, else 0.
 * Complexity: as release.
 */
export const leaveScript: Script = script(
  "leave",
  "d81153f266df0036afacb354d67ec9034dedff2a",
  `${SERVE}${DESCRIBE}
local function taken(i)
  if ARGV[3] == '' then return true end
  return string.match(redis.call('GET', KEYS[i + 1]) or '', '^%d+:%S+ (%S+)$') == ARGV[3]
end
local place, owned, longest = 0, 0, { false, false, false }
for i = 1, #KEYS, 4 do
  place = math.max(place, (redis.call('ZRANK', KEYS[i + 2], ARGV[2]) or -1) + 1)
  drop(i, ARGV[2])
  local held = redis.call('GET', KEYS[i])
  local mine = held == ARGV[1] and taken(i)
  if mine then owned = 1 end
  if not held or mine then
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
 * KEYS: key, fence for each lock. ARGV: value, fence or '' as in release, ttl, 1 to cut a longer lease,
 * for each lock.
 * Reply: for each lock 1 when it was ours and goes on, 0 when it is gone, -1 when it is another's.
 * Complexity: O(1) for each lock.
 */
export const refreshScript: Script = script(
  "refresh",
  "1dae9884b9e7fd1ca61aa8cc90fb08e6f27b0688",
  `
local verdicts = {}
for n = 1, #KEYS / 2 do
  local key, value, fence, ttl, cut =
    KEYS[2 * n - 1], ARGV[4 * n - 3], ARGV[4 * n - 2], ARGV[4 * n - 1], ARGV[4 * n]
  local held = redis.pcall('GET', key)
  ${REFUSED}
  if held == value and ${NOT_NEWER("KEYS[2 * n]", "fence")} then
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
 * KEYS: key, fence for each lock. ARGV: value, fence or '' as in release.
 * Reply: the fewest milliseconds left of any; 'none' when none has a ttl; of the first that is not ours,
 *        'taken' when it is another's, else 'deleted'.
 * Complexity: O(1) for each lock.
 */
export const ttlScript: Script = script(
  "ttl",
  "2077dc40e987ab182d1ea2221a619b92d818bbd8",
  `
local least = 'none'
for i = 1, #KEYS, 2 do
  local held = redis.pcall('GET', KEYS[i])
  ${REFUSED}
  if held ~= ARGV[1] or not ${NOT_NEWER("KEYS[i + 1]", "ARGV[2]")} then
    return held and 'taken' or 'deleted'
  end
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
  "391f95ffe6e9cda0d9fe03aaafb4b59624a088e5",
  `${DESCRIBE}
local time = redis.call('TIME')
local micros = time[1] * 1000000 + time[2]
local held = redis.call('GET', KEYS[1])
local reply = held and describe(1, held) or { false, false, false }
reply[4] = redis.call('ZCARD', KEYS[3])
local line = redis.call('ZRANGE', KEYS[3], 0, ARGV[1] - 1, 'WITHSCORES')
for i = 1, #line, 2 do
  local waiter = redis.call('HGET', KEYS[4], line[i]) or ''
  local length, value = string.match(waiter, '^%d+ %d %d+ %d+ (%d+) %S+ %S* (.*)$')
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
  "ce6be4c35801c2c42ac94a44e844168b11496183",
  `${SERVE}
local held = redis.call('GET', KEYS[1])
local granted = serve(1) == 'granted'
if held and not granted then redis.call('DEL', KEYS[1]) end
return held and 1 or 0`,
);

/**
 * The same scripts for many commands at once, each with keys and arguments of its own: none sees
 * another's, and none is kept from running by another's error. One text serves both.
 *
 * KEYS: of all of them. ARGV: how many keys each has, how many arguments, the arguments of all of them.
 * Reply: a list of their replies; 'alone' for one that Redis refused, to be sent by itself.
 * Complexity: that of each.
 */
export const obtainManyScript: Script = many(
  "obtainMany",
  "811d4d8d1b64421fcd5fd90c0521a1c5af741b3e",
  OBTAIN,
);
export const releaseManyScript: Script = many(
  "releaseMany",
  "18d97ddd19268633b181620d1fe37dc38df1d89d",
  RELEASE,
);

function many(name: string, sha1: string, body: string): Script {
  return script(
    name,
    sha1,
    `${body}
local keys, args = tonumber(ARGV[1]), tonumber(ARGV[2])
local replies = {}
for n = 0, #KEYS / keys - 1 do
  local done, reply = pcall(run, n * keys, n * args + 2, keys, args)
  if not done or (type(reply) == 'table' and reply.err) then reply = 'alone' end
  replies[n + 1] = reply
end
return replies`,
  );
}

function script(name: string, sha1: string, source: string): Script {
  return { name, source, sha1 };
}
