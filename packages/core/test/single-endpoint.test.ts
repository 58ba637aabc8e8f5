/** A plain client on the one endpoint of a clustered server, as some providers have it. */
import { expect, test } from "@jest/globals";
import { failure, waitUntil } from "@redislock/test-kit";

import { RefusedError, type LockEvent } from "../src/index.js";
import { startRedis } from "./redis.js";

const { server, locker, asked, proxy } = await startRedis({
  args: ["--cluster-enabled", "yes"],
});
// One by one, as servers before 7.0 know no range of slots.
const slots = Array.from({ length: 16_384 }, (_, slot) => String(slot));
await server.command("CLUSTER", "ADDSLOTS", ...slots);
await waitUntil(
  async () => String(await server.command("CLUSTER", "INFO")).includes("cluster_state:ok"),
  { what: "the slots to be served", timeout: 20_000 },
);

const TTL = 10_000;
const KEYS = Array.from({ length: 8 }, (_, n) => `key ${n}`);

test("many locks at once are taken, refreshed and released", async () => {
  const one = locker();
  for (let round = 0; round < 2; round++) {
    const locks = await Promise.all(KEYS.map((key) => one.obtain(key, TTL)));
    await Promise.all(locks.map((lock) => lock.refresh()));
    await Promise.all(locks.map((lock) => lock.release()));
    expect(await server.command("DBSIZE")).toBe(KEYS.length); // Their fencing tokens.
  }
});

test("only the first command for many is refused: from then on, it is for locks of one slot", async () => {
  const one = locker();
  const tagged = KEYS.map((key) => `{tag} ${key}`);
  const obtainAll = (keys: readonly string[]) =>
    Promise.all(keys.map((key) => one.obtain(key, TTL)));
  const first = await obtainAll(KEYS);
  expect(asked()).toEqual(["obtain", "obtainMany", ...KEYS.slice(1).map(() => "obtain")]);
  await Promise.all(first.map((lock) => lock.release()));
  proxy.commands.clear();
  const second = await obtainAll([...KEYS, ...tagged]);
  expect(asked()).toEqual([...KEYS.map(() => "obtain"), "obtainMany"]);
  await Promise.all(second.map((lock) => lock.release()));
});

test("many that are refused at once do not part those of one slot", async () => {
  const one = locker();
  const many = Array.from({ length: 200 }, (_, n) => `{${n}}`);
  const locks = await Promise.all(many.map((key) => one.obtain(key, TTL)));
  expect(asked().filter((name) => name === "obtainMany").length).toBeGreaterThan(1);
  await Promise.all(locks.map((lock) => lock.release()));
  proxy.commands.clear();
  const tagged = await Promise.all(KEYS.map((key) => one.obtain(`{tag} ${key}`, TTL)));
  expect(asked()).toEqual(["obtain", "obtainMany"]);
  await Promise.all(tagged.map((lock) => lock.release()));
});

test("locks that are renewed together are renewed", async () => {
  const renewed = new Set<string>();
  const lost: LockEvent[] = [];
  const one = locker({
    onEvent: (event) => {
      if (event.type === "renewed") renewed.add(event.keys[0] ?? "");
      if (event.type === "lost" || event.type === "renewalFailed") lost.push(event);
    },
  });
  const locks = await Promise.all(KEYS.map((key) => one.obtain(key, 3_000, { renew: true })));
  await waitUntil(() => renewed.size === KEYS.length, { what: "each to be renewed" });
  expect(lost).toEqual([]);
  expect(locks.every(({ held }) => held)).toBe(true);
  await Promise.all(locks.map((lock) => lock.release()));
});

test("a lock of several keys of different slots is refused, and those of one slot are taken", async () => {
  const error = await failure(locker().obtain(["a", "b"], TTL));
  expect(error).toBeInstanceOf(RefusedError);
  expect(error).toMatchObject({ reply: "CROSSSLOT" });
  await (await locker().obtain(["{x}a", "{x}b"], TTL)).release();
});

test("waiters stand in line, and are told", async () => {
  const [holder, waiter] = [locker(), locker()];
  const held = await holder.obtain("a", TTL);
  const waiting = waiter.obtain("a", TTL, { wait: TTL });
  await proxy.commands.waitFor("SUBSCRIBE");
  await held.release();
  await (await waiting).release();
});
