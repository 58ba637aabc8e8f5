/** Questions that are asked in the same moment leave as one command, and each has its own outcome. */
import { describe, expect, test } from "@jest/globals";
import { companion, failure, waitUntil } from "@redislock/test-kit";

import { Locker, NotALockError, NotObtainedError, RefusedError, type Lock } from "../src/index.js";
import { scripts, ServerError } from "../src/adapter.js";
import { startRedis } from "./redis.js";

const { server, proxy, client, locker, asked, untilInLine } = await startRedis();

const TTL = 10_000;

function names(count: number): string[] {
  return Array.from({ length: count }, (_, n) => `k${n}`);
}

test("many locks taken and given back at once cost few commands", async () => {
  const one = locker();
  const keys = names(64);
  const locks = await Promise.all(keys.map((key) => one.obtain(key, TTL, { metadata: key })));
  expect(await server.command("MGET", ...keys)).toEqual(locks.map((l) => l.token + l.metadata));
  for (const { fencingToken } of locks) expect(Number.isSafeInteger(fencingToken)).toBe(true);
  await Promise.all(locks.map((lock) => lock.release()));
  expect(await server.command("EXISTS", ...keys)).toBe(0);
  expect(asked()).toEqual([
    ...["obtain", "obtainMany", "obtainMany"],
    ...["release", "releaseMany", "releaseMany"],
  ]);
});

test("fencing tokens rise from one bundle to the next", async () => {
  const one = locker();
  const keys = names(5);
  const obtainAll = (): Promise<Lock[]> => Promise.all(keys.map((key) => one.obtain(key, TTL)));
  const before = await obtainAll();
  await Promise.all(before.map((lock) => lock.release()));
  // As after the server's clock was set back.
  const ahead = before.map(({ fencingToken }) => fencingToken + 3_600_000_000);
  for (const [n, key] of keys.entries()) {
    await server.command("SET", companion(key, "fence"), String(ahead[n]));
  }
  const after = await obtainAll();
  expect(after.map(({ fencingToken }) => fencingToken)).toEqual(ahead.map((fence) => fence + 1));
});

test("what befalls one of them is nothing to the others", async () => {
  const another = await locker().obtain("k3", TTL, { metadata: "somebody" });
  await server.command("HSET", "k5", "field", "value");
  const one = locker();
  const outcomes = await Promise.allSettled(names(8).map((key) => one.obtain(key, TTL)));
  const reasons = outcomes.map((one) => (one.status === "rejected" ? (one.reason as unknown) : 0));
  expect(reasons.map((reason) => reason !== 0)).toEqual(names(8).map((k) => /[35]/.test(k)));
  expect(reasons[3]).toBeInstanceOf(NotObtainedError);
  expect(reasons[3]).toMatchObject({
    holder: { metadata: "somebody", fencingToken: another.fencingToken },
  });
  expect(reasons[5]).toBeInstanceOf(NotALockError);
  expect(asked().filter((name) => name === "obtainMany")).toHaveLength(1);
});

test("a refusal for the sake of one key leaves the others their locks", async () => {
  await server.command(
    "ACL",
    "SETUSER",
    "app",
    "on",
    ">secret",
    "+@all",
    "~k*",
    "~redislock*",
    "&*",
  );
  const one = new Locker(client(["AUTH", "app", "secret"]));
  const [first, second, refused, third] = ["k1", "k2", "forbidden", "k3"].map((key) =>
    one.obtain(key, TTL),
  );
  expect(await refused?.catch((error: unknown) => error)).toBeInstanceOf(RefusedError);
  for (const lock of await Promise.all([first, second, third])) expect(lock?.held).toBe(true);
});

test("a lost answer to many is asked for again by each", async () => {
  const one = locker();
  const lost = proxy.dropNextReply(([, sha1]) => sha1 === scripts.obtainMany.sha1);
  const locks = await Promise.all(names(10).map((key) => one.obtain(key, TTL)));
  await lost.happened;
  expect(await server.command("MGET", ...names(10))).toEqual(locks.map(({ token }) => token));
});

test("what is asked first is done first", async () => {
  const one = locker();
  const lock = await one.obtain("k", TTL);
  const underWay = one.obtain("x", TTL);
  const before = one.obtain("y", TTL);
  const released = lock.release();
  const again = one.obtain("k", TTL);
  const seen = one.inspect("k");
  await Promise.all([underWay, before, released]);
  const { fencingToken } = await again;
  expect(await seen).toMatchObject({ holder: { fencingToken } });
});

test("questions of all kinds may be asked at once", async () => {
  const one = locker();
  const locks = await Promise.all([
    one.obtain("k0", TTL),
    one.obtain("k1", TTL, { metadata: "m" }),
    one.obtain(["k2", "k3"], TTL),
    one.obtain("k4", TTL, { wait: TTL }),
    one.obtain("k5", TTL, { wait: TTL }),
    one.obtain(["k6", "k7"], TTL, { wait: TTL }),
    one.obtain(["k8", "k9"], TTL, { wait: TTL }),
  ]);
  const values = locks.flatMap(({ keys, token, metadata }) => keys.map(() => token + metadata));
  expect(await server.command("MGET", ...names(10))).toEqual(values);
  await Promise.all(locks.map((lock) => lock.release()));
  expect(await server.command("EXISTS", ...names(10))).toBe(0);
});

test("waiters who come at once stand in line, each for its own lock", async () => {
  const keys = names(4);
  const holder = locker();
  const held = await Promise.all(keys.map((key) => holder.obtain(key, TTL)));
  const one = locker();
  const waits = keys.map((key) => one.obtain(key, TTL, { wait: TTL }));
  for (const key of keys) await untilInLine(key, 1, "told");
  await Promise.all(held.map((lock) => lock.release()));
  for (const lock of await Promise.all(waits)) expect(lock.held).toBe(true);
});

test("one that is called off before it left leaves nothing", async () => {
  const one = locker();
  const controller = new AbortController();
  const underWay = one.obtain("x", TTL);
  const other = one.obtain("y", TTL);
  const calledOff = failure(one.obtain("k", TTL, { signal: controller.signal }));
  controller.abort(new Error("not any more"));
  expect(await calledOff).toMatchObject({ message: "not any more" });
  await Promise.all([underWay, other]);
  await waitUntil(() => asked().includes("leave"), { what: "it to be given back" });
  await one.inspect("k");
  expect(await server.command("EXISTS", "k")).toBe(0);
});

describe("in a cluster", () => {
  function clusterLocker(keyPrefix = ""): Locker {
    const plain = client();
    return new Locker({
      cluster: true,
      keyPrefix,
      run: (script, keys, args) =>
        plain.run(
          script,
          keys.map((key) => keyPrefix + key),
          args,
        ),
    });
  }

  /** The locks that each command was about. */
  function bundles(): string[][] {
    return proxy.commands.all.map(([, , count, ...rest]) =>
      rest.slice(0, Number(count)).filter((_, n) => n % 5 === 0),
    );
  }

  test("locks of one slot leave together", async () => {
    const one = clusterLocker();
    const keys = names(64).map((name) => `{tag}${name}`);
    const locks = await Promise.all(keys.map((key) => one.obtain(key, TTL)));
    await Promise.all(locks.map((lock) => lock.release()));
    expect(asked()).toEqual(["obtain", "obtainMany", "release", "releaseMany"]);
    expect(bundles().flat()).toEqual([...keys, ...keys]);
  });

  test("and never with those of another", async () => {
    const one = clusterLocker();
    const tags = ["a", "b", "c"];
    const keys = names(10).flatMap((name) => tags.map((tag) => `{${tag}}${name}`));
    await Promise.all([...keys, ...names(5)].map((key) => one.obtain(key, TTL)));
    const [first, ...others] = keys;
    const of = (tag: string): string[] => others.filter((key) => key.startsWith(`{${tag}}`));
    expect(bundles()).toEqual([[first], of("b"), of("c"), of("a"), ...names(5).map((k) => [k])]);
  });

  test("the client's prefix may be what brings them together", async () => {
    const one = clusterLocker("{app}");
    await Promise.all(names(10).map((key) => one.obtain(key, TTL)));
    expect(asked()).toEqual(["obtain", "obtainMany"]);
  });

  test("what was refused together is asked for again by each", async () => {
    const plain = client();
    let refusals = 0;
    const one = new Locker({
      cluster: true,
      async run(script, keys, args) {
        if (script.name !== "obtainMany") return plain.run(script, keys, args);
        refusals++;
        throw new ServerError("TRYAGAIN Multiple keys request during rehashing of slot");
      },
    });
    const keys = names(8).map((name) => `{tag}${name}`);
    await Promise.all(keys.map((key) => one.obtain(key, TTL)));
    expect(refusals).toBe(1);
    expect(asked()).toEqual(keys.map(() => "obtain"));
  });
});
