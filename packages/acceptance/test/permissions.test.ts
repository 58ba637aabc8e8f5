import { expect, test } from "@jest/globals";
import { waitUntil } from "@redislock/test-kit";
import { readFile } from "node:fs/promises";

import {
  ioredis,
  ioredisCluster,
  nodeRedis,
  nodeRedisCluster,
  nodeRedisPool,
  type Kind,
} from "./clients.js";
import { startStage } from "./scenes.js";

const as = { username: "app", password: "the password" };

const cast: readonly Kind[] = ([5, 6] as const).flatMap((major) => [
  ioredis(major, as),
  ioredisCluster(major, as),
  nodeRedis(major, as),
  nodeRedisPool(major, as),
  nodeRedisCluster(major, as),
]);

const stage = await startStage({}, cast);

/** What the docs say that locks need. */
const page = new URL("../../../docs/writing-an-adapter.md", import.meta.url);
const [, documented = ""] =
  /ACL SETUSER app on >\S+ ((?:.|\n)+?)```/.exec(await readFile(page, "utf8")) ?? [];

/** What the clients need by themselves, to connect and to know their cluster. */
const forClients = "+hello +auth +info +ping +client +cluster|slots +cluster|info";

for (const server of stage.servers) {
  const rules = `${documented} ${forClients}`.split(/\s+/).filter((rule) => rule !== "");
  await server.command("ACL", "SETUSER", as.username, "on", `>${as.password}`, ...rules);
}

test.concurrent.each(cast)(
  "$name: a user with the permissions that the docs name can do everything",
  async (kind) => {
    await using scene = await stage.open(kind, { namespace: "lock:" });
    const { key, locker, events } = scene;
    const lock = await locker.obtain(key, 10_000);
    await lock.refresh();
    await lock.ttl();
    const waiting = locker.obtain(key, 10_000, { wait: 10_000 });
    await waitUntil(async () => (await locker.inspect(key)).waiters === 1, {
      what: "it to stand in line",
    });
    await lock.release();
    await (await waiting).release();
    await locker.using(key, 10_000, () => locker.forceRelease(key)).catch(() => undefined);
    expect(events.map(({ type }) => type)).not.toContain("subscribeFailed");
  },
);
