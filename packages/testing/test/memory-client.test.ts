import { companion } from "@redislock/test-kit";
import { expect, test } from "@jest/globals";

import {
  createLocker,
  Locker,
  memoryClient,
  MemoryServer,
  NotObtainedError,
  OutcomeUnknownError,
} from "../src/index.js";

test("a locker in memory excludes, tells of the holder, and counts up", async () => {
  const locker = createLocker();
  const first = await locker.obtain("a", 10_000, { metadata: "first" });
  await expect(locker.obtain("a", 10_000)).rejects.toBeInstanceOf(NotObtainedError);
  expect(await locker.inspect("a")).toMatchObject({
    holder: { metadata: "first", fencingToken: first.fencingToken },
  });
  await first.release();
  const second = await locker.obtain("a", 10_000);
  expect(second.fencingToken).toBeGreaterThan(first.fencingToken);
});

test("waiters are served in the order in which they came, whatever their client", async () => {
  const server = new MemoryServer();
  const lockers = [1, 2, 3].map(() => createLocker(memoryClient(server)));
  const served: number[] = [];
  const held = await createLocker(memoryClient(server)).obtain("a", 10_000);
  const waiting = [...lockers, ...lockers].map((locker, turn) =>
    locker.using("a", 10_000, { wait: Infinity }, () => served.push(turn)),
  );
  await held.release();
  await Promise.all(waiting);
  expect(served).toEqual([0, 1, 2, 3, 4, 5]);
  await Promise.all(lockers.map((locker) => locker.close()));
  expect(server.command("KEYS", "*")).toEqual([companion("a", "fence")]);
});

test("a waiter whose client cannot hear messages gets its turn by asking", async () => {
  const server = new MemoryServer();
  const held = await createLocker(memoryClient(server)).obtain("a", 10_000);
  const deaf = createLocker(memoryClient(server, { subscribes: false }));
  const waiting = deaf.obtain("a", 10_000, { wait: Infinity });
  await held.release();
  expect((await waiting).held).toBe(true);
});

test("the names of keys have the prefix of the client and the namespace of the locker", async () => {
  const client = memoryClient(undefined, { keyPrefix: "app:" });
  const lock = await new Locker(client, { namespace: "lock:" }).obtain("a", 1_000);
  expect(client.server.command("GET", "app:lock:a")).toBe(lock.token);
  expect(client.server.command("KEYS", "*")).toEqual([
    `app:lock:${companion("app:lock:a", "fence")}`,
    companion("app:lock:a", "grant"),
    "app:lock:a",
  ]);
});

test("a client of a cluster refuses keys of different slots", async () => {
  const locker = createLocker(memoryClient(undefined, { cluster: true }));
  await expect(locker.obtain(["a", "b"], 1_000)).rejects.toThrow(RangeError);
  expect((await locker.obtain(["{a}1", "{a}2"], 1_000)).held).toBe(true);
});

test("what another program put at a key is a lock that is not ours", async () => {
  const client = memoryClient();
  client.server.command("SET", "a", "another program's");
  const { holder } = await createLocker(client).inspect("a");
  expect(holder).toMatchObject({ metadata: undefined, fencingToken: undefined });
  expect(client.server.command("DEL", "a")).toBe("1");
  expect(client.server.command("PTTL", "a")).toBe("-2");
  expect(await createLocker(client).inspect("a")).toMatchObject({ holder: undefined });
});

test("text that is not ASCII comes back as it was", async () => {
  const client = memoryClient();
  const locker = createLocker(client);
  const lock = await locker.obtain("ключ 🔑", 1_000, { metadata: "café\n𝕏" });
  expect(client.server.command("GET", "ключ 🔑")).toBe(`${lock.token}café\n𝕏`);
  expect(await locker.inspect("ключ 🔑")).toMatchObject({ holder: { metadata: "café\n𝕏" } });
});

test("a client that was closed takes no more questions", async () => {
  const client = memoryClient();
  const locker = createLocker(client);
  const lock = await locker.obtain("a", 1_000);
  client.close();
  await expect(locker.obtain("a", 1_000)).rejects.toThrow("client is closed");
  await expect(lock.release()).rejects.toBeInstanceOf(OutcomeUnknownError);
});

test("a server that was flushed has forgotten everything but the time", async () => {
  const client = memoryClient();
  const locker = createLocker(client);
  const before = await locker.obtain("a", 1_000);
  client.server.command("FLUSHALL");
  const after = await locker.obtain("a", 1_000);
  expect(after.fencingToken).toBeGreaterThan(before.fencingToken);
});

test("an option that is not known is refused, with the nearest that is", () => {
  const server: object = { replica: 1 };
  const client: object = { keyprefix: "p:" };
  expect(() => new MemoryServer(server)).toThrow(
    'options has no "replica": did you mean "replicas"?',
  );
  expect(() => memoryClient(undefined, client)).toThrow(
    'options has no "keyprefix": did you mean "keyPrefix"?',
  );
});
