import { describe, expect, test } from "@jest/globals";
import { connect, failure, VirtualClock, waitUntil } from "@redislock/test-kit";

import { Locker, RefusedError, type RedisClient, type Reply } from "../src/index.js";
import { ServerError } from "../src/adapter.js";
import { startRedis } from "./redis.js";
import type { RespClient } from "./resp-client.js";

const { server, proxy, client, locker, asked } = await startRedis();

/** A client that is answered with `answers` first, and by Redis afterwards. */
function answered(...answers: string[]): RedisClient & { tries: number } {
  const redis = client();
  return {
    tries: 0,
    async run(script, keys, args): Promise<Reply> {
      const answer = answers[this.tries++];
      if (answer !== undefined) throw new ServerError(answer);
      return redis.run(script, keys, args);
    },
  };
}

describe("an answer that says not now", () => {
  const notNow = [
    "LOADING Redis is loading the dataset in memory",
    "BUSY Redis is busy running a script.",
    "READONLY You can't write against a read only replica.",
    "NOREPLICAS Not enough good replicas to write.",
    "TRYAGAIN Multiple keys request during rehashing of slot",
    "CLUSTERDOWN The cluster is down",
    "MASTERDOWN Link with MASTER is down",
    "MISCONF Redis is configured to save RDB snapshots, but it is unable to persist to disk.",
    "NOSCRIPT No matching script.",
  ];
  test.each(notNow)("%s: is asked again until it is over", async (answer) => {
    const redis = answered(answer, answer);
    const lock = await new Locker(redis).obtain("k", 10_000);
    expect(redis.tries).toBe(3);
    expect(await server.command("GET", "k")).toBe(lock.token);
  });

  test("that does not end: is a RefusedError at the deadline", async () => {
    const redis = answered(...Array.from({ length: 1_000 }, () => "LOADING still"));
    const error = await failure(new Locker(redis, { commandTimeout: 500 }).obtain("k", 10_000));
    expect(error).toBeInstanceOf(RefusedError);
    expect(error).toMatchObject({ code: "REFUSED", reply: "LOADING", operation: "obtain" });
    expect(redis.tries).toBeGreaterThan(1);
    expect(asked()).toEqual([]); // Nothing was done, so there is nothing to leave.
  });

  test("of refresh and release, too", async () => {
    const redis = client();
    let refuse = 0;
    const sometimes: RedisClient = {
      run: async (...question) => {
        if (refuse-- > 0) throw new ServerError("LOADING Redis is loading");
        return redis.run(...question);
      },
    };
    const lock = await new Locker(sometimes).obtain("k", 10_000);
    refuse = 2;
    await lock.refresh();
    refuse = 2;
    await lock.release();
    expect(await server.command("EXISTS", "k")).toBe(0);
  });
});

/** A client of a user with these permissions. */
async function clientWith(...permissions: string[]): Promise<RespClient> {
  await server.command("ACL", "SETUSER", "weak", "reset", "on", ">pass", ...permissions);
  return client(["AUTH", "weak", "pass"]);
}

describe("a server that", () => {
  test("runs a slow script of somebody's is waited for", async () => {
    await server.command("CONFIG", "SET", "lua-time-limit", "5");
    const other = await connect(server.port);
    const slow = other.send("EVAL", "while true do end", "0").catch(() => undefined);
    const isBusy = (): Promise<boolean> =>
      server.command("PING").then(
        () => false,
        (error: unknown) => String(error).includes("BUSY"),
      );
    await waitUntil(isBusy, { what: "it to run" });
    const obtaining = locker().obtain("k", 60_000);
    await proxy.commands.waitFor("EVALSHA", { count: 2 });
    await server.command("SCRIPT", "KILL");
    const lock = await obtaining;
    expect(await server.command("GET", "k")).toBe(lock.token);
    await slow;
    await other.close();
  });

  test("is a replica for a moment, as in a failover, is waited for", async () => {
    await server.command("REPLICAOF", "127.0.0.1", "1");
    const obtaining = locker().obtain("k", 60_000);
    await proxy.commands.waitFor("EVALSHA", { count: 2 });
    await server.command("REPLICAOF", "NO", "ONE");
    const lock = await obtaining;
    expect(await server.command("GET", "k")).toBe(lock.token);
  });

  test("has no memory left refuses an obtain, and takes nothing", async () => {
    const one = locker();
    await server.command("CONFIG", "SET", "maxmemory", "1");
    try {
      const error = await failure(one.obtain(["a", "b"], 10_000));
      expect(error).toBeInstanceOf(RefusedError);
      expect(error).toMatchObject({ reply: "OOM", operation: "obtain", keys: ["a", "b"] });
    } finally {
      await server.command("CONFIG", "SET", "maxmemory", "0");
    }
    expect(await server.command("DBSIZE")).toBe(0);
  });

  test("has no memory left refuses to put anyone in line, and leaves nothing", async () => {
    const holder = await locker().obtain("k", 60_000);
    const before = await server.command("DBSIZE");
    await server.command("CONFIG", "SET", "maxmemory", "1");
    try {
      const clock = new VirtualClock();
      const one = locker({ clock });
      let isOver = false;
      const waiting = failure(one.obtain("k", 10_000, { wait: 300 })).finally(
        () => (isOver = true),
      );
      // Whatever it has asked is answered before time goes on.
      while (!isOver) {
        await one.inspect("k");
        clock.advance(50);
      }
      expect(await waiting).toMatchObject({ code: "REFUSED", reply: "OOM" });
      expect(await server.command("DBSIZE")).toBe(before);
      expect(await server.command("GET", "k")).toBe(holder.token);
    } finally {
      await server.command("CONFIG", "SET", "maxmemory", "0");
    }
  });

  test("has no memory left still renews and releases", async () => {
    const lock = await locker().obtain("k", 10_000);
    await server.command("CONFIG", "SET", "maxmemory", "1");
    try {
      await lock.refresh(60_000);
      expect(await lock.ttl()).toBeGreaterThan(10_000);
      await lock.release();
    } finally {
      await server.command("CONFIG", "SET", "maxmemory", "0");
    }
    expect(await server.command("EXISTS", "k")).toBe(0);
  });

  test("forbids the script is a RefusedError at once", async () => {
    const weak = await clientWith("~*", "&*", "+@all", "-evalsha");
    const error = await failure(new Locker(weak).obtain("k", 10_000));
    expect(error).toBeInstanceOf(RefusedError);
    expect(error).toMatchObject({ reply: "NOPERM", cause: { name: "ServerError" } });
    expect(asked()).toEqual(["AUTH", "obtain"]);
  });

  test("forbids the key is a RefusedError at once", async () => {
    const weak = await clientWith("~a:*", "+@all");
    const error = await failure(new Locker(weak).obtain("k", 10_000));
    expect(error).toMatchObject({ code: "REFUSED", reply: "NOPERM" });
  });

  test("stops letting us read is a RefusedError, and no proof that the lock is lost", async () => {
    const one = new Locker(await clientWith("~*", "&*", "+@all"));
    const lock = await one.obtain(["a", "b"], 60_000);
    await server.command("ACL", "SETUSER", "weak", "-getrange");
    for (const ask of [() => lock.refresh(), () => lock.ttl()]) {
      expect(await failure(ask())).toBeInstanceOf(RefusedError);
      expect(lock.held).toBe(true);
    }
    expect(await failure(lock.release())).toBeInstanceOf(RefusedError);
    await server.command("ACL", "SETUSER", "weak", "+getrange");
    await lock.release();
    expect(await server.command("EXISTS", "a", "b")).toBe(0);
  });
});

test("a refused refresh is a RefusedError, and the lock is held on", async () => {
  const redis = client();
  const lock = await new Locker({
    run: async (script, ...rest) => {
      if (script.name === "refresh") throw new ServerError("ERR no");
      return redis.run(script, ...rest);
    },
  }).obtain("k", 10_000);
  const error = await failure(lock.refresh());
  expect(error).toMatchObject({ code: "REFUSED", reply: "ERR", operation: "refresh" });
  expect(lock.held).toBe(true);
});

test("a refused release is a RefusedError, and can be tried again", async () => {
  const redis = client();
  let refuse = true;
  const lock = await new Locker({
    run: async (script, ...rest) => {
      if (script.name === "release" && refuse) throw new ServerError("ERR no");
      return redis.run(script, ...rest);
    },
  }).obtain("k", 10_000);
  expect(await failure(lock.release())).toMatchObject({ code: "REFUSED", operation: "release" });
  refuse = false;
  await lock.release();
  expect(await server.command("EXISTS", "k")).toBe(0);
});

test.each([
  ["NOPERM this user has no permissions", "NOPERM"],
  ["ERR unknown command", "ERR"],
  ["WRONGTYPE", "WRONGTYPE"],
  ["something else went wrong", "ERR"],
  ["", "ERR"],
])("the first word of the answer %j is told as %s", (answer, reply) => {
  expect(new ServerError(answer)).toMatchObject({ reply, message: answer, code: "SERVER" });
});

/** As Redis 6 says it, where 7 has the code first. */
const inScript = (what: string): string =>
  `ERR Error running script (call to f_1f8f4cfba6f3375f8c4ec02b9de4361a5dea5c64): @user_script:1: ${what}\n`;

test.each([
  ["WRONGTYPE Operation against a key holding the wrong kind of value", "WRONGTYPE"],
  ["@user_script: 1: -OOM command not allowed when used memory > 'maxmemory'.\r\n", "OOM"],
  ["@user_script: 1: -READONLY You can't write against a read only replica.\r\n", "READONLY"],
  ["@user_script: 12: The user executing the script can't run this command", "NOPERM"],
  ["@user_script: 1: Unknown Redis command called from Lua script", "ERR"],
  ["user_script:1: attempt to concatenate a nil value", "ERR"],
])("what Redis 6 wraps, %j, is told as %s", (what, reply) => {
  const error = new ServerError(inScript(what));
  expect(error.reply).toBe(reply);
  expect(error.message).not.toMatch(/script:|^-|\s$/);
});
