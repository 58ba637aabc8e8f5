/** A master dies, and a replica takes over at its address. */
import { expect, test } from "@jest/globals";
import { LockLostError, type Locker } from "@redislock/core";
import { startServer, waitUntil, type RedisServer } from "@redislock/test-kit";
import { once } from "node:events";

import { kinds } from "./clients.js";

const standalone = kinds.filter(({ cluster }) => !cluster);

/** A master and a replica of it, and a locker for every kind of client. */
interface Pair extends AsyncDisposable {
  readonly master: RedisServer;
  readonly replica: RedisServer;
  readonly lockers: readonly Locker[];
  /** The master dies, and the replica takes its place, for all that clients can see. */
  readonly failOver: () => Promise<void>;
}

async function startPair(): Promise<Pair> {
  const [master, replica] = await Promise.all([
    startServer({ args: ["--repl-diskless-sync-delay", "0"] }),
    startServer(),
  ]);
  await replica.command("REPLICAOF", "127.0.0.1", String(master.port));
  const isInStep = async (): Promise<boolean> =>
    String(await replica.command("INFO", "replication")).includes("master_link_status:up");
  await waitUntil(isInStep, { what: "the replica to follow", timeout: 20_000 });
  const users = await Promise.all(standalone.map(({ connect }) => connect(master.port)));
  const lockers = users.map((user) => user.locker({ commandTimeout: 10_000 }));
  return {
    master,
    replica,
    lockers,
    failOver: async () => {
      await master.crash();
      await replica.command("REPLICAOF", "NO", "ONE");
      await replica.command("CONFIG", "SET", "port", String(master.port));
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(lockers.map((locker) => locker.close()));
      for (const user of users) user.destroy();
      await Promise.all([master.stop(), replica.stop()]);
    },
  };
}

test("locks that the replica had heard of go on after a failover", async () => {
  await using pair = await startPair();
  const { replica, lockers, failOver } = pair;
  const locks = await Promise.all(
    lockers.map((locker, index) => locker.obtain(`key ${index}`, 15_000, { renew: true })),
  );
  const heard = async (): Promise<boolean> =>
    (await replica.command("EXISTS", ...locks.map(({ key }) => key))) === locks.length;
  await waitUntil(heard, { what: "the replica to hear of all locks" });
  await failOver();
  await Promise.all(locks.map((lock) => lock.refresh()));
  expect(locks.every(({ held }) => held)).toBe(true);
  await Promise.all(locks.map((lock) => lock.release()));
});

test("a lock that the replica had not heard of is lost at the next renewal, and only the fencing token tells", async () => {
  await using pair = await startPair();
  const { replica, lockers, failOver } = pair;
  await replica.command("REPLICAOF", "127.0.0.1", "1"); // From here on it hears of nothing.
  const locks = await Promise.all(
    lockers.map((locker, index) => locker.obtain(`key ${index}`, 15_000, { renew: true })),
  );
  await failOver();
  // Both believe in it: this is what no lease can prevent.
  const others = await Promise.all(
    lockers.map((locker, index) => locker.obtain(`key ${index}`, 15_000)),
  );
  for (const [index, lock] of locks.entries()) {
    expect(others[index]?.fencingToken).toBeGreaterThan(lock.fencingToken);
    if (!lock.signal.aborted) await once(lock.signal, "abort");
    expect(lock.signal.reason).toBeInstanceOf(LockLostError);
    expect(lock.signal.reason).toMatchObject({ reason: "taken" });
    expect(others[index]?.held).toBe(true);
  }
});
