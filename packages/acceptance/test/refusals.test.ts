/** Redis answers with an error, and so has done nothing. */
import { expect, test } from "@jest/globals";
import { OutcomeUnknownError, RefusedError, type Lock } from "@redislock/core";
import { scripts } from "@redislock/core/adapter";
import {
  connect,
  failure,
  startCluster,
  startServer,
  waitUntil,
  type RedisServer,
} from "@redislock/test-kit";
import { mkdir, rmdir } from "node:fs/promises";
import { join } from "node:path";

import { kinds } from "./clients.js";
import { expectProof } from "./proof.js";
import { runs, startStage, type Ensemble, type Scene } from "./scenes.js";

const stage = await startStage();

interface Trouble {
  /** The first word of the answers. */
  readonly reply: string;
  readonly of: string;
  /** Whether clusters know it, too. */
  readonly inCluster: boolean;
  /** Whether it befalls what only reads, too. */
  readonly whenReading: boolean;
  readonly begin: (server: RedisServer) => Promise<unknown>;
  readonly end: (server: RedisServer) => Promise<unknown>;
}

const config = (server: RedisServer, ...args: string[]): Promise<unknown> =>
  server.command("CONFIG", "SET", ...args);

const unsaved = async (server: RedisServer): Promise<string> => {
  const dir = await server.command("CONFIG", "GET", "dir");
  return join(Array.isArray(dir) ? String(dir[1]) : "", "dump.rdb");
};

/** What a call fails with; again if its last command had no answer in time, as on a busy machine. */
async function lastWord(ask: () => Promise<unknown>): Promise<unknown> {
  for (let tries = 1; ; tries++) {
    const error = await failure(ask());
    if (tries === 5 || !String(error).includes("no answer in")) return error;
  }
}

/** What passes by itself, so that one asks again. */
const troubles: readonly Trouble[] = [
  {
    reply: "NOREPLICAS",
    of: "a server that has too few replicas to write",
    inCluster: true,
    whenReading: false,
    begin: (server) => config(server, "min-replicas-to-write", "1"),
    end: (server) => config(server, "min-replicas-to-write", "0"),
  },
  {
    reply: "MISCONF",
    of: "a server that cannot save its data",
    inCluster: true,
    whenReading: false,
    begin: async (server) => {
      await mkdir(await unsaved(server)); // Where the file should be.
      await config(server, "save", "3600 1");
      await server.command("BGSAVE");
      const failed = async (): Promise<boolean> =>
        String(await server.command("INFO", "persistence")).includes("rdb_last_bgsave_status:err");
      await waitUntil(failed, { what: "saving to fail" });
    },
    end: async (server) => {
      await config(server, "save", "");
      await rmdir(await unsaved(server));
    },
  },
  {
    reply: "READONLY",
    of: "a server that became a replica",
    inCluster: false,
    whenReading: false,
    begin: (server) => server.command("REPLICAOF", "127.0.0.1", "1"),
    end: (server) => server.command("REPLICAOF", "NO", "ONE"),
  },
  {
    reply: "MASTERDOWN",
    of: "a replica that lost its master",
    inCluster: false,
    whenReading: true,
    begin: async (server) => {
      await config(server, "replica-serve-stale-data", "no");
      await server.command("REPLICAOF", "127.0.0.1", "1");
    },
    end: async (server) => {
      await server.command("REPLICAOF", "NO", "ONE");
      await config(server, "replica-serve-stale-data", "yes");
    },
  },
  {
    reply: "BUSY",
    of: "a server that runs somebody's endless script",
    inCluster: true,
    whenReading: true,
    begin: async (server) => {
      await config(server, "lua-time-limit", "10");
      const somebody = await connect(server.port);
      void somebody.send("EVAL", "while true do end", "0").catch(() => somebody.close());
      const isBusy = (): Promise<boolean> =>
        server.command("GET", "anything").then(
          () => false,
          (error: unknown) => String(error).includes("BUSY"),
        );
      await waitUntil(isBusy, { what: "the server to be busy" });
    },
    end: (server) => server.command("SCRIPT", "KILL"),
  },
];

async function concerned(all: Ensemble, { inCluster }: Trouble): Promise<Scene[]> {
  const scenes = await all.each(async (scene, { cluster }) =>
    cluster && !inCluster ? [] : [scene],
  );
  return scenes.flat();
}

test.each(troubles)(
  "$reply, the answer of $of, is waited out by obtain, refresh and release",
  async (trouble) => {
    await using all = await stage.openAll();
    const scenes = await concerned(all, trouble);
    const held = await Promise.all(
      scenes.map(async ({ locker, key }) => ({
        refreshed: await locker.obtain(`${key} b`, 60_000),
        released: await locker.obtain(`${key} c`, 60_000),
      })),
    );
    for (const { proxy } of scenes) proxy.commands.clear();
    for (const server of stage.servers) {
      if (server === stage.server || trouble.inCluster) await trouble.begin(server);
    }
    const calls = scenes.map(({ locker, key }, index) =>
      Promise.all([
        locker.obtain(key, 60_000),
        held[index]?.refreshed.refresh(90_000),
        held[index]?.released.release(),
      ]),
    );
    // All of them are asked again.
    for (const { proxy, asked } of scenes) {
      await proxy.commands.waitFor(runs(scripts.obtain), { count: 2 });
      await waitUntil(
        () => ["refresh", "release"].every((name) => asked().filter((a) => a === name).length >= 2),
        { what: "the others to be asked again" },
      );
    }
    for (const server of stage.servers) {
      if (server === stage.server || trouble.inCluster) await trouble.end(server);
    }
    for (const [index, call] of calls.entries()) {
      const [lock] = await call;
      expect(lock.held).toBe(true);
      expect(await lock.ttl()).toBeGreaterThan(50_000);
      expect(held[index]?.refreshed.remaining).toBeGreaterThan(80_000);
      await Promise.all([lock.release(), held[index]?.refreshed.release()]);
    }
  },
);

test.each(troubles)(
  "$reply, the answer of $of, that lasts is a RefusedError, and loses no lock",
  async (trouble) => {
    await using all = await stage.openAll({ commandTimeout: 1_500 });
    const scenes = await concerned(all, trouble);
    const locks = await Promise.all(
      scenes.map(({ locker, key }) => locker.obtain(`${key} b`, 20_000, { renew: true })),
    );
    for (const server of stage.servers) {
      if (server === stage.server || trouble.inCluster) await trouble.begin(server);
    }
    const errors = await Promise.all(
      scenes.flatMap(({ locker, key }, index) => [
        lastWord(() => locker.obtain(key, 60_000)),
        lastWord(() => locker.obtain(key, 60_000, { wait: 1_000 })),
        lastWord(async () => locks[index]?.refresh()),
        ...(trouble.whenReading ? [lastWord(async () => locks[index]?.ttl())] : []),
      ]),
    );
    for (const server of stage.servers) {
      if (server === stage.server || trouble.inCluster) await trouble.end(server);
    }
    for (const error of errors) {
      expect(error).toBeInstanceOf(RefusedError);
      expect(error).toMatchObject({ reply: trouble.reply });
    }
    for (const [index, lock] of locks.entries()) {
      expect(lock.held).toBe(true);
      await lock.refresh();
      await lock.release();
      expect(await scenes[index]?.value()).toBeNull();
    }
  },
);

test("LOADING, the answer of a server that reads its data in, is waited out", async () => {
  const slowly = [
    ...["--key-load-delay", "20000", "--loading-process-events-interval-bytes", "1024"],
    ...["--rdbcompression", "no"],
  ];
  const [server, cluster] = await Promise.all([
    startServer({ args: slowly }),
    startCluster(1, { args: slowly }),
  ]);
  const node = cluster.nodes[0] ?? server;
  const users = await Promise.all(
    kinds.map((kind) => kind.connect((kind.cluster ? node : server).port)),
  );
  const lockers = users.map((user) => user.locker({ commandTimeout: 25_000 }));
  const locks = await Promise.all(
    lockers.map((locker, index) => locker.obtain(`key ${index}`, 25_000)),
  );
  for (const each of [server, node]) {
    for (let i = 0; i < 40; i++) await each.command("SET", `ballast ${i}`, "x".repeat(2_000));
  }
  const restarts = [server.restart(), node.restart()];
  const refreshed = locks.map((lock) => lock.refresh());
  const obtained = lockers.map((locker, index) => locker.obtain(`another ${index}`, 25_000));
  await Promise.all([...refreshed, ...obtained, ...restarts]);
  expect(locks.every(({ held }) => held)).toBe(true);
  for (const each of [server, node]) {
    // That it had to be waited out.
    const loading = /errorstat_LOADING:count=(\d+)/.exec(
      String(await each.command("INFO", "errorstats")),
    );
    expect(Number(loading?.[1])).toBeGreaterThan(0);
  }
  await Promise.all(lockers.map((locker) => locker.close()));
  for (const user of users) user.destroy();
  await Promise.all([server.stop(), cluster.stop()]);
});

test("with memory full an obtain is refused, while what is held is refreshed, renewed and released", async () => {
  await using all = await stage.openAll();
  const locks = await all.each(async ({ locker, key }) => ({
    renewed: await locker.obtain(key, 6_000, { renew: true }),
    other: await locker.obtain(`${key} b`, 60_000),
  }));
  for (const server of stage.servers) await config(server, "maxmemory", "1");
  await all.each(async ({ locker, key, proxy, events, server }) => {
    proxy.commands.clear();
    const error = await failure(locker.obtain(`${key} c`, 60_000));
    expect(error).toBeInstanceOf(RefusedError);
    expect(error).toMatchObject({ reply: "OOM", operation: "obtain" });
    expect(proxy.commands.count(runs(scripts.obtain))).toBe(1); // It is no use to ask again.
    const waiting = failure(locker.obtain(`${key} b`, 60_000, { wait: 5_000 }));
    expect(await waiting).toMatchObject({ reply: "OOM" });
    expect(await locker.inspect(`${key} c`)).toMatchObject({ holder: undefined, waiters: 0 });

    const [mine] = locks.filter(({ renewed }) => renewed.key === key);
    await mine?.other.refresh(90_000);
    expect(await mine?.other.ttl()).toBeGreaterThan(80_000);
    await mine?.other.release();
    expect(await server.command("EXISTS", `${key} b`)).toBe(0);
    const isRenewed = (): boolean => events.some(({ type }) => type === "renewed");
    await waitUntil(isRenewed, { what: "the renewal" });
    expect(mine?.renewed.held).toBe(true);
    await mine?.renewed.release();
  });
  for (const server of stage.servers) await config(server, "maxmemory", "0");
});

async function permit(...permissions: string[]): Promise<void> {
  for (const server of stage.servers) {
    await server.command("ACL", "SETUSER", "default", ...permissions);
  }
}

test("what the user may not do is a RefusedError at once that names the reply", async () => {
  await using all = await stage.openAll();
  const locks = await all.each(({ locker, key }) => locker.obtain(key, 60_000));
  await permit("-evalsha", "-eval");
  await all.each(async ({ locker, key, proxy }) => {
    const lock = lockOf(locks, key);
    proxy.commands.clear();
    const calls = {
      obtain: locker.obtain(`${key} b`, 60_000),
      refresh: lock.refresh(),
      ttl: lock.ttl(),
      release: lock.release(),
      inspect: locker.inspect(key),
      forceRelease: locker.forceRelease(key),
    };
    for (const [operation, call] of Object.entries(calls)) {
      const error = await failure(call);
      expect(error).toBeInstanceOf(RefusedError);
      expect(error).toMatchObject({ reply: "NOPERM", operation });
    }
    expect(proxy.commands.count("EVALSHA")).toBe(Object.keys(calls).length);
  });
  await permit("+evalsha", "+eval");
  for (const lock of locks) await lock.release();
});

test("what was done, and whose copy is refused, is unknown, also where the client sends it again", async () => {
  await using all = await stage.openAll();
  const calls = await all.each(async ({ locker, key, proxy }) => {
    await (await locker.obtain(`${key} b`, 60_000)).release();
    const fault = proxy.dropNextReply(runs(scripts.obtain));
    const call = failure(locker.obtain(key, 60_000));
    await fault.happened;
    // No copy comes through before it is refused.
    proxy.silence();
    return { key, call };
  });
  await permit("-evalsha", "-eval");
  await all.each(async ({ key, proxy, value }) => {
    proxy.speak();
    const error = await calls.find((one) => one.key === key)?.call;
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect(String(error)).toMatch(/sent again, it was refused: NOPERM/);
    expect(await value()).not.toBeNull();
  });
  await permit("+evalsha", "+eval");
});

test("a script that may not do what it must is a RefusedError, and does nothing by halves", async () => {
  await using all = await stage.openAll();
  await permit("-set");
  await all.each(async ({ locker, key, server }) => {
    expect(await failure(locker.obtain(key, 60_000))).toBeInstanceOf(RefusedError);
    expect(await server.command("EXISTS", key)).toBe(0);
  });
  await permit("+set");
  await all.each(async ({ locker, key }) => {
    await locker.using(key, 60_000, () => undefined);
  });
});

test("a renewal that is refused is tried again, and the lock held for what remains of its lease", async () => {
  await using all = await stage.openAll();
  const locks = await all.each(({ locker, key }) => locker.obtain(key, 9_000, { renew: true }));
  await permit("-evalsha");
  await all.each(async ({ events, proxy, key }) => {
    const failed = (): boolean => events.some(({ type }) => type === "renewalFailed");
    await waitUntil(failed, { what: "a renewal to be refused" });
    expect(lockOf(locks, key).held).toBe(true);
    expect(proxy.commands.count(runs(scripts.refresh))).toBeLessThan(50);
  });
  await permit("+evalsha");
  await all.each(async (scene) => {
    const { events, key } = scene;
    const isRenewed = (): boolean => events.some(({ type }) => type === "renewed");
    await waitUntil(isRenewed, { what: "the renewal" });
    expect(events).not.toContainEqual(expect.objectContaining({ type: "lost" }));
    await expectProof(scene, lockOf(locks, key));
    await lockOf(locks, key).release();
  });
});

test("a renewal that is refused for one lock is no loss of the others", async () => {
  await using all = await stage.openAll();
  const tags = ["{tag}one", "{tag}two", "{tag}refused"];
  const locks = await all.each(({ locker, key }) =>
    Promise.all(tags.map((tag) => locker.obtain(`${tag} ${key}`, 6_000, { renew: true }))),
  );
  await permit("resetkeys", "~{tag}one*", "~{tag}two*", "~redislock*");
  await all.each(async ({ key, events }) => {
    const [one, two, refused] = locks.find(([lock]) => lock?.key.endsWith(key)) ?? [];
    if (!one || !two || !refused) throw new Error("They were not taken");
    await waitUntil(() => refused.signal.aborted, { what: "the loss of the refused one" });
    expect(refused.signal.reason).toMatchObject({ reason: "unreachable" });
    const renewed = (lock: Lock): boolean =>
      events.some(
        ({ type, ...event }) => type === "renewed" && "keys" in event && event.keys[0] === lock.key,
      );
    await waitUntil(() => renewed(one) && renewed(two), { what: "the renewal of the others" });
    expect([one.held, two.held]).toEqual([true, true]);
  });
  await permit("allkeys");
});

function lockOf(locks: readonly Lock[], key: string): Lock {
  const lock = locks.find((one) => one.key === key);
  if (!lock) throw new Error(`Nobody holds ${key}`);
  return lock;
}
