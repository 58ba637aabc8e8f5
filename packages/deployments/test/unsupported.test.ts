/** What cannot work says so by an error. */
import { afterEach, expect, test } from "@jest/globals";
import { Locker } from "@redislock/core";
import { createLocker, ioredisClient } from "@redislock/ioredis";
import { failure, startCluster, startServer } from "@redislock/test-kit";
import { Redis } from "ioredis-6";

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

function connect(port: number, user: { username?: string; password?: string } = {}): Redis {
  const redis = new Redis({ host: "127.0.0.1", port, ...user });
  redis.on("error", () => undefined);
  cleanUps.push(() => redis.disconnect());
  return redis;
}

async function start(...args: Parameters<typeof startServer>): ReturnType<typeof startServer> {
  const server = await startServer(...args);
  cleanUps.push(() => server.stop());
  return server;
}

test("several independent servers", async () => {
  const servers = await Promise.all([start(), start(), start()]);
  const clients = servers.map(({ port }) => connect(port));
  // @ts-expect-error -- a list is no client
  expect(() => createLocker(clients)).toThrow(TypeError);
});

test("a proxy that renames keys, on a clustered server", async () => {
  const cluster = await startCluster(1);
  cleanUps.push(() => cluster.stop());
  const client = ioredisClient(connect(cluster.nodes[0]?.port ?? 0));
  const locker = new Locker({
    run: (script, keys, args) =>
      client.run(
        script,
        keys.map((key) => `app:${key}`),
        args,
      ),
  });
  const error = await failure(locker.obtain("key", 10_000));
  expect(error).toMatchObject({ code: "REFUSED", reply: "CROSSSLOT" });
});

test("a user without permission for EVAL and EVALSHA", async () => {
  const server = await start();
  const user = { username: "app", password: "the password" };
  const rules = ["on", `>${user.password}`, "~*", "&*", "+@all", "-eval", "-evalsha"];
  await server.command("ACL", "SETUSER", user.username, ...rules);
  const locker = createLocker(connect(server.port, user));
  const error = await failure(locker.obtain("key", 10_000));
  expect(error).toMatchObject({ code: "REFUSED", reply: "NOPERM" });
});

test("a read-only replica as the only server", async () => {
  const [master, replica] = await Promise.all([start(), start()]);
  await replica.command("REPLICAOF", "127.0.0.1", String(master.port));
  const locker = createLocker(connect(replica.port), { commandTimeout: 300 });
  const error = await failure(locker.obtain("key", 10_000));
  expect(error).toMatchObject({
    code: "REFUSED",
    reply: expect.stringMatching(/READONLY|MASTERDOWN/),
  });
});
