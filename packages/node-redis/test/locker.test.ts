import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { startProxy, startServer, type FaultProxy, type RedisServer } from "@redislock/test-kit";

import { createLocker, NotObtainedError } from "../src/index.js";
import { closeClients, kinds } from "./versions.js";

let server: RedisServer;
let proxy: FaultProxy;

beforeAll(async () => {
  server = await startServer();
  proxy = await startProxy(server.port);
});

afterAll(async () => {
  await proxy.stop();
  await server.stop();
});

afterEach(closeClients);

describe.each(kinds)("$name", ({ create }) => {
  test("a locker takes a lock and gives it back, by one command each", async () => {
    const redis = create(proxy.port);
    await redis.connect();
    const locker = createLocker(redis);
    await (await locker.obtain("warm up", 5_000)).release();

    proxy.commands.clear();
    const lock = await locker.obtain("key", 5_000);
    await expect(server.command("EXISTS", "key")).resolves.toBe(1);
    await expect(locker.obtain("key", 5_000)).rejects.toThrow(NotObtainedError);
    await lock.release();
    await expect(server.command("EXISTS", "key")).resolves.toBe(0);
    expect(proxy.commands.all.map(([name]) => name)).toEqual(["EVALSHA", "EVALSHA", "EVALSHA"]);

    await locker.close();
    expect(redis.isOpen).toBe(true);
  });

  test("waiters are told", async () => {
    const redis = create(proxy.port);
    await redis.connect();
    const locker = createLocker(redis);
    const lock = await locker.obtain("key", 60_000);
    proxy.commands.clear();
    const next = locker.obtain("key", 5_000, { wait: 60_000 });
    await proxy.commands.waitFor("SUBSCRIBE");
    await lock.release();
    await (await next).release();
    await locker.close();
  });
});
