import { expect, test } from "@jest/globals";
import { textsOf } from "@redislock/test-kit";

import { startRedis } from "./redis.js";

const { server, locker } = await startRedis();

const names: [string, string][] = [
  ["a line break", "\r\n"],
  ["a command", "k\r\nFLUSHALL\r\n"],
  ["a protocol header", "*1\r\n$8\r\nFLUSHALL\r\n"],
  ["NUL", "a\0b"],
  ["only NUL", "\0"],
  ["quotes", "\"'`"],
  ["a backslash", "\\"],
  ["Lua code", "'); redis.call('FLUSHALL') --"],
  ["long Lua brackets", "]==] .. redis.call('FLUSHALL') .. [==["],
  ["a Lua pattern", "%d+ (.-)%s$^[a]*"],
  ["a format", "%s %d $& $1"],
  ["a glob", "*?[a-z]"],
  ["a hash tag", "x{a}y"],
  ["an empty hash tag", "x{}y"],
  ["an open brace", "x{y"],
  ["a closing brace", "x}y"],
  ["braces the wrong way round", "}{"],
  ["braces in braces", "{{a}}"],
  ["two hash tags", "{a}{b}"],
  ["nothing but braces", "{}"],
  ["an emoji", "🔒👩‍👩‍👧"],
  ["an accent in one piece", "\u00e9"],
  ["an accent in two pieces", "e\u0301"],
  ["text from right to left", "\u202eקוד"],
  ["a byte order mark", "\ufeff"],
  ["__proto__", "__proto__"],
  ["constructor", "constructor"],
  ["hasOwnProperty", "hasOwnProperty"],
  ["toString", "toString"],
  ["a space", " "],
  ["spaces around", " a "],
  ["a number", "0"],
  ["1 KiB", "k".repeat(1024)],
  ["1 KiB of braces", "}".repeat(1024)],
  ["1 KiB of emoji", "🔒".repeat(256)],
];

test.each(names)("%s is just a name", async (_, name) => {
  await server.command("SET", "canary", "alive");
  const one = locker();
  const lock = await one.obtain(name, 10_000, { metadata: name });
  expect(await server.command("GET", name)).toBe(lock.token + name);
  expect(await one.tryObtain(name, 10_000)).toBeNull();
  expect(await one.inspect(name)).toMatchObject({
    holder: { metadata: name, fencingToken: lock.fencingToken },
  });
  await lock.refresh(20_000);
  expect(await lock.ttl()).toBeGreaterThan(10_000);
  const waiting = one.obtain(name, 10_000, { wait: Infinity, metadata: name });
  await lock.release();
  const next = await waiting;
  expect(await one.forceRelease(name)).toBe(true);
  await next.release().catch(() => undefined);
  expect(await server.command("EXISTS", name)).toBe(0);
  expect(await server.command("GET", "canary")).toBe("alive");
});

test("all of them are different locks", async () => {
  const one = locker();
  const locks = await Promise.all(names.map(([, name]) => one.obtain(name, 60_000)));
  const values = await server.command("MGET", ...names.map(([, name]) => name));
  expect(values).toEqual(locks.map(({ token }) => token));
  // Each has its key and its grant, and nothing else but the fences of their slots.
  const keys = textsOf(await server.command("KEYS", "*"));
  expect(keys.filter((key) => !/^redislock\{.{3}\}$/.test(key))).toHaveLength(2 * names.length);
});

test("all of them are taken at once, in one lock", async () => {
  const keys = names.map(([, name]) => name);
  const lock = await locker().obtain(keys, 60_000);
  expect(await server.command("EXISTS", ...keys)).toBe(keys.length);
  await lock.release();
  expect(await server.command("EXISTS", ...keys)).toBe(0);
});

test("as a namespace they are just text before the key", async () => {
  for (const [, name] of names) {
    const namespace = name.slice(0, 64);
    const lock = await locker({ namespace }).obtain("k", 60_000);
    expect(await server.command("GET", `${namespace}k`)).toBe(lock.token);
    await lock.release();
  }
});

test("as metadata and as text of one's own token they are just text", async () => {
  const token = "'\");]]--%d+{}\\$&";
  for (const [, metadata] of names) {
    const lock = await locker().obtain("k", 60_000, { token, metadata });
    expect(await server.command("GET", "k")).toBe(token + metadata);
    expect(await locker().inspect("k")).toMatchObject({ holder: { metadata } });
    await lock.release();
  }
});
