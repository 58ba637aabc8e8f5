import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { ServerError, toReply } from "@redislock/core/adapter";
import { RespError, startServer, type RedisServer } from "@redislock/test-kit";

import { MemoryServer } from "../../src/index.js";

let redis: RedisServer;
beforeAll(async () => {
  redis = await startServer();
});
afterAll(() => redis.stop());

const KEYS = ["a", "b"];
const ARGS = ["1", "two", "é\n", ""];

function inMemory(source: string): unknown {
  const server = new MemoryServer();
  const sha1 = createHash("sha1").update(source).digest("hex");
  try {
    return server.run({ name: "test", source, sha1 }, KEYS, ARGS);
  } catch (error) {
    if (error instanceof ServerError) return { error: error.reply };
    throw error;
  }
}

async function inRedis(source: string): Promise<unknown> {
  await redis.command("FLUSHALL");
  try {
    return toReply(await redis.command("EVAL", source, String(KEYS.length), ...KEYS, ...ARGS));
  } catch (error) {
    if (error instanceof RespError) return { error: error.code };
    throw error;
  }
}

describe("a script does in memory what it does in Redis", () => {
  test.each([
    // What comes back.
    "return 1",
    "return 3.99",
    "return -3.99",
    "return 9007199254740991",
    "return 'text'",
    "return nil",
    "return false",
    "return true",
    "return",
    "return {}",
    "return {1, 'a', {2, {}}, false, 'after'}",
    "return {1, nil, 3}",
    "return {1, 2, x = 3}",
    "return 1, 2",
    "return {KEYS[1], KEYS[2], KEYS[3]}",
    "return {ARGV[1], ARGV[2], ARGV[3], ARGV[4]}",
    "return {#KEYS, #ARGV, #ARGV[3]}",
    "return {ok = 'FINE'}",
    "return redis.status_reply('FINE')",
    "return {err = 'OOPS it went wrong'}",
    "return redis.error_reply('OOPS it went wrong')",
    "return redis.call('SET', 'a', '1')",
    "return redis.call('GET', 'a')",

    // Numbers and texts.
    "return 1 + 2 * 3 - 4 / 2",
    "return tostring((1 + 2) * 3 % 4)",
    "return tostring(-7 % 3)",
    "return '10' + '5'",
    "return 1 .. 2 .. 'x'",
    "return 1767225600000001 .. ''",
    "return 12345678901234 .. ''",
    "return 0.1 .. ''",
    "return 1e15 .. ''",
    "return 100000000000000 / 3 .. ''",
    "return tostring(1/3)",
    "return string.format('%.0f', 1767225600000001)",
    "return string.format('%.0f:%s:%d%%', 2.6, 'x', 7)",
    "redis.call('SET', 'a', 1767225600000001) return redis.call('GET', 'a')",
    "redis.call('SET', 'a', 0.5) return redis.call('GET', 'a')",
    "return {math.max(1, '20', 3), math.min(4, 2), math.ceil(1.2), math.floor(-1.2)}",
    "return {tonumber('12'), tonumber(' 7 '), tonumber('x') == nil, tonumber('1e2'), tonumber('')}",
    "return {type(nil), type(1), type('x'), type({}), type(type), type(true)}",
    "return {tostring(nil), tostring(true), tostring('x')}",

    // Parts of texts.
    "return {string.sub('hello', 2, 3), string.sub('hello', -3), string.sub('hello', 0, 2)}",
    "return {string.sub('hello', 4, 2), string.sub('hello', 1, '2'), string.sub('hello', 2, -2)}",
    "return {string.sub('hello', 10), string.sub('hello', -10, 2), string.len('é')}",
    "return {string.match('12:ab:cd', '^(%d+):(.*)$')}",
    "return {string.match('ab:12', '^%d+') == nil, string.match('12ab', '^%d+')}",
    "return {string.match('inbox:12:7', '^(.+):(%d+)$')}",
    "return {string.match('1 2 33 é x\\n', '^(%d+) (%d) (%d+) (.*)$')}",
    "return {string.match('a.b-c', '%.(.-)%-'), string.match('[x]', '%[(%a+)%]')}",
    "return {string.match('a+b', '[+]'), string.match('x{y}', '{(.)}')}",
    "return string.match('abc', '')",
    "return string.rep('ab', 3)",

    // What is true, and what is equal.
    "return {1 == 1, 1 == '1', 'a' ~= 'b', not nil, not 0, not ''}",
    "return {nil or 'x', false or nil or 'y', 1 and 2, 0 and 'zero'}",
    "return {1 < 2, 2 <= 2, 'a' < 'b', 3 > 4, 3 >= 4}",
    "return {2 < 1 or 1 < 2 and not (1 == 2)}",
    "return 1 < '2'",
    "return nil .. 'x'",
    "return {} + 1",
    "return #nil",
    "local a; return a.b",
    "local a; return a()",
    "this is no Lua",
    "return 'unfinished",

    // What follows what.
    "local sum = 0 for i = 1, 10, 3 do sum = sum + i end return sum",
    "local text = '' for i = 3, 1, -1 do text = text .. i end return text",
    "for i = 1, 10 do if i == 4 then return i end end return 'none'",
    "local i = 0 while true do i = i + 1 if i > 5 then break end end return i",
    "local i = 0 repeat local done = i > 2 i = i + 1 until done return i",
    "if nil then return 1 elseif 0 then return 2 else return 3 end",
    "local x = 1 do local x = 2 end return x",
    "local a, b, c = 1, 2 return {a, b, c == nil}",
    "local a, b = 1, 2 a, b = b, a return {a, b}",
    "local function f(a, b) return b, a end return {f(1, 2)}",
    "local function f() return 1, 2 end return {f(), f()}",
    "local function f() return 1, 2 end return {(f())}",
    "local function f(n) if n < 2 then return 1 end return n * f(n - 1) end return f(10)",
    "local n = 0 local function up() n = n + 1 return n end up() up() return n",
    "local t = {} for i = 1, 3 do table.insert(t, i * i) end return table.concat(t, ',')",
    "local t = {1, 2, 3} t[2] = 'x' t[4] = 'y' return t",
    "local t = {1, 2, 3} t[3] = nil return #t",
    "local t = { a = { b = 'deep' } } return t.a.b",
    "return table.concat({1, 'a', 2.5}, ' ')",

    // Commands.
    "return {redis.call('SET', 'a', 'x', 'NX'), redis.call('SET', 'a', 'y', 'NX')}",
    "redis.call('SET', 'a', 'x') return redis.call('SET', 'a', 'y', 'PX', 5000, 'GET')",
    "return redis.call('SET', 'a', 'y', 'GET')",
    "return redis.call('SET', 'a', 'x', 'FOO')",
    "redis.call('SET', 'a', 'x', 'PX', 5000) redis.call('SET', 'a', 'y') return redis.call('PTTL', 'a')",
    "return {redis.call('PTTL', 'a'), redis.call('PEXPIRE', 'a', 5), redis.call('EXISTS', 'a', 'b')}",
    "redis.call('SET', 'a', 'x') redis.call('PEXPIRE', 'a', 0) return redis.call('EXISTS', 'a')",
    "redis.call('SET', 'a', 'x') return {redis.call('EXISTS', 'a', 'a', 'b'), redis.call('DEL', 'a', 'b')}",
    "return {redis.call('INCR', 'a'), redis.call('INCR', 'a')}",
    "redis.call('SET', 'a', 'x') return redis.call('INCR', 'a')",
    "for i, m in nil do end",
    "for i = 1, 3 do redis.call('ZADD', 'a', 'NX', 3 - i, 'm' .. i) end return redis.call('ZRANGE', 'a', 0, -1)",
    "redis.call('ZADD', 'a', 'NX', 5, 'z') redis.call('ZADD', 'a', 'NX', 5, 'b') return redis.call('ZRANGE', 'a', 0, 0, 'WITHSCORES')",
    "redis.call('ZADD', 'a', 'NX', 1767225600000001, 'm') return redis.call('ZSCORE', 'a', 'm')",
    "redis.call('ZADD', 'a', 'NX', 1, 'm') return {redis.call('ZADD', 'a', 'NX', 2, 'm'), redis.call('ZSCORE', 'a', 'm')}",
    "redis.call('ZADD', 'a', 'NX', 1, 'm') return {redis.call('ZRANK', 'a', 'm'), redis.call('ZRANK', 'a', 'n'), redis.call('ZSCORE', 'a', 'n')}",
    "redis.call('ZADD', 'a', 'NX', 1, 'm') return {redis.call('ZREM', 'a', 'm', 'n'), redis.call('EXISTS', 'a'), redis.call('ZCARD', 'a')}",
    "return {redis.call('ZRANGE', 'a', 0, -1), redis.call('ZRANGE', 'a', 5, 2)}",
    "return {redis.call('HSET', 'a', 'f', 'x'), redis.call('HSET', 'a', 'f', 'y'), redis.call('HGET', 'a', 'f')}",
    "redis.call('HSET', 'a', 'f', 'x') return {redis.call('HDEL', 'a', 'f', 'g'), redis.call('EXISTS', 'a')}",
    "redis.call('HSET', 'a', 'f', 'x') return redis.call('GET', 'a')",
    "redis.call('HSET', 'a', 'f', 'x') return redis.pcall('GET', 'a') and 'something'",
    "redis.call('HSET', 'a', 'f', 'x') return type(redis.pcall('GET', 'a').err)",
    "redis.call('HSET', 'a', 'f', 'x') return redis.call('ZRANK', 'a', 'm')",
    "redis.call('SET', 'a', 'x') return redis.call('HGET', 'a', 'f')",
    "return #redis.call('TIME')",
    "return redis.call('PUBLISH', 'nobody', 'hears')",
    "return redis.call('NOSUCHCOMMAND')",
    "return redis.call('SET', 'a', {})",
  ])("%s", async (source) => {
    expect(inMemory(source)).toEqual(await inRedis(source));
  });
});
