/** Whoever has a token can release the lock, so no error, no event and no printed object may show it. */
import { expect, test } from "@jest/globals";
import { type Locker } from "@redislock/core";
import { scripts } from "@redislock/core/adapter";
import { startServer, waitUntil } from "@redislock/test-kit";
import { inspect } from "node:util";

import {
  ioredis,
  ioredisCluster,
  nodeRedis,
  nodeRedisCluster,
  nodeRedisPool,
  type Kind,
} from "./clients.js";
import { runs, startStage } from "./scenes.js";

const stage = await startStage();

const PASSWORD = "the-password-of-the-user";
const TOKEN = "the-token-of-the-holder";

interface Credentials {
  readonly username: string;
  readonly password: string;
}

const logins: readonly ((as: Credentials) => Kind)[] = [
  (as) => ioredis(5, as),
  (as) => ioredis(6, as),
  (as) => ioredis(5, { ...as, maxRetriesPerRequest: 0 }, "with maxRetriesPerRequest 0"),
  (as) => ioredis(6, { ...as, maxRetriesPerRequest: 0 }, "with maxRetriesPerRequest 0"),
  (as) => ioredis(6, { ...as, commandTimeout: 250 }, "with a commandTimeout"),
  // Its error for a batch that was cut off half-way has the whole command on it.
  (as) => ioredis(5, { ...as, enableAutoPipelining: true }, "with enableAutoPipelining"),
  (as) => ioredis(6, { ...as, enableAutoPipelining: true }, "with enableAutoPipelining"),
  (as) => ioredisCluster(5, as),
  (as) => ioredisCluster(6, as),
  (as) => nodeRedis(5, as),
  (as) => nodeRedis(6, as),
  (as) => nodeRedisPool(5, as),
  (as) => nodeRedisPool(6, as),
  (as) => nodeRedisCluster(5, as),
  (as) => nodeRedisCluster(6, as),
];

const accounts = logins.map((login, index) => {
  const as = { username: `user-${index}`, password: PASSWORD };
  return { ...login(as), username: as.username };
});

/** All that can be seen of a thing, by whatever means. */
function seenOf(thing: unknown): string {
  const options = { depth: Infinity, showHidden: true, getters: false } as const;
  const texts = [inspect(thing, options), JSON.stringify(thing), String(thing)];
  if (thing instanceof Error) texts.push(thing.stack ?? "", seenOf(thing.cause));
  return texts.join("\n");
}

/** Calls everything that can be called, with a token of ours, and gives what came of it. */
async function callAll(locker: Locker, key: string): Promise<unknown[]> {
  const token = `${TOKEN}-2`;
  const calls = [
    locker.obtain(`${key} b`, 60_000, { token }),
    locker.obtain(`${key} b`, 400, { token, wait: 200 }),
    locker.obtain(`${key} b`, 400, { token, retry: () => 50 }),
    locker.tryObtain(`${key} b`, 60_000, { token }),
    locker.using(`${key} b`, 60_000, { token }, () => undefined),
    locker.inspect(key),
    locker.forceRelease(`${key} c`),
  ];
  const results = await Promise.allSettled(calls);
  return results.map((result): unknown =>
    result.status === "fulfilled" ? result.value : result.reason,
  );
}

test.concurrent.each(accounts)(
  "$name: no error, event or printed object holds a token or a password",
  async ({ username, ...kind }) => {
    const server = kind.cluster ? stage.cluster : stage.server;
    const acl = (...rules: string[]): Promise<unknown> =>
      server?.command("ACL", "SETUSER", username, ...rules) ?? Promise.resolve();
    await acl("on", `>${PASSWORD}`, "~*", "&*", "+@all");
    const seen: unknown[] = [];
    await using scene = await stage.open(kind, {
      commandTimeout: 1_000,
      onEvent: (event) => seen.push(event),
    });
    const { key, locker, proxy } = scene;
    // On a busy machine an answer may take longer than the locker waits for it.
    const patient = { retry: () => 50, signal: AbortSignal.timeout(10_000) };
    const renew = { token: TOKEN, renew: true, metadata: "me", ...patient };
    const lock = await locker.obtain(key, 10_000, renew);
    const doomed = await locker.obtain(`${key} doomed`, 3_000, { ...renew, token: `${TOKEN}-3` });
    seen.push(lock, locker, lock.signal);

    // Taken by another, refused, silent, broken, shut out, closed.
    await server?.command("SET", `${key} taken`, `${TOKEN}-of-another`, "PX", "60000");
    seen.push(...(await Promise.allSettled([locker.obtain(`${key} taken`, 50, { wait: 10 })])));
    const looker = scene.anotherLocker();
    seen.push(await looker.inspect(`${key} taken`), await looker.inspect(key));
    await acl("-subscribe"); // So that waiters cannot subscribe.
    seen.push(...(await Promise.allSettled([locker.obtain(`${key} taken`, 400, { wait: 300 })])));
    await acl("-evalsha");
    seen.push(...(await callAll(locker, key)), ...(await settled(lock)));
    await acl("+evalsha", "-set");
    seen.push(...(await callAll(locker, key)));
    await acl("+set");
    proxy.dropNextReply("EVALSHA");
    proxy.dropNextReply("EVALSHA");
    seen.push(...(await settled(lock)));
    const impatient = scene.anotherLocker({
      commandTimeout: 10,
      onEvent: (event) => seen.push(event),
    });
    const together = [
      impatient.inspect(key),
      impatient.obtain(`${key} d`, 60_000, { token: TOKEN }),
    ];
    proxy.dropNextReply(runs(scripts.obtain));
    for (const result of await Promise.allSettled(together)) {
      seen.push(result.status === "fulfilled" ? result.value : result.reason);
    }
    proxy.silence();
    seen.push(...(await callAll(locker, key)), ...(await settled(lock)));
    await waitUntil(() => doomed.signal.aborted, { what: "the loss" });
    seen.push(doomed, doomed.signal, doomed.signal.reason);
    proxy.speak();
    await acl("resetpass", ">another-password");
    await proxy.cutAll();
    seen.push(...(await callAll(locker, key)), ...(await settled(lock)));
    scene.user.destroy();
    seen.push(...(await callAll(locker, key)), ...(await settled(lock)));

    const errors = seen.filter((thing) => thing instanceof Error);
    expect(new Set(errors.map(({ name }) => name)).size).toBeGreaterThanOrEqual(2);
    for (const thing of seen) {
      const text = seenOf(thing);
      expect(text).not.toContain(TOKEN);
      expect(text).not.toContain(PASSWORD);
    }

    async function settled(held: typeof lock): Promise<unknown[]> {
      const results = await Promise.allSettled([held.refresh(), held.ttl(), held.release()]);
      return results.map((result): unknown =>
        result.status === "fulfilled" ? undefined : result.reason,
      );
    }
  },
);

test("a server that quotes commands it does not know quotes no token", async () => {
  const server = await startServer({ args: ["--rename-command", "EVALSHA", ""] });
  for (const kind of accounts.filter(({ cluster }) => !cluster)) {
    await server.command(
      "ACL",
      "SETUSER",
      kind.username,
      "on",
      `>${PASSWORD}`,
      "~*",
      "&*",
      "+@all",
    );
    const user = await kind.connect(server.port);
    const locker = user.locker();
    for (const thing of await callAll(locker, "k")) {
      const text = seenOf(thing);
      expect(text).not.toContain(TOKEN);
      expect(text).not.toContain(PASSWORD);
    }
    await locker.close();
    user.destroy();
  }
  await server.stop();
});
