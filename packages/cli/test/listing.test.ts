import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { createLocker, type Locker } from "@redislock/ioredis";
import { type RedisServer, startServer, untilInLine, waitUntil } from "@redislock/test-kit";
import { Redis } from "ioredis";

import {
  bin,
  Cli,
  cli,
  endAll,
  type Json,
  mustStaySecret,
  objectIn,
  objectsOf,
  PASSWORD,
  start,
} from "./cli.js";

let server: RedisServer;
let redis: Redis;
let locker: Locker;
let url: string;

beforeAll(async () => {
  server = await startServer();
  ({ url } = server);
  redis = new Redis(server.url);
  locker = createLocker(redis);
});

afterAll(async () => {
  await locker.close();
  redis.disconnect();
  await server.stop();
});

beforeEach(async () => {
  await server.command("FLUSHALL");
});

let leave = new AbortController();

afterEach(async () => {
  // Whoever still waits would have the lock of the next test.
  leave.abort();
  leave = new AbortController();
  await endAll();
});

async function ls(...args: string[]): Promise<Json> {
  const { code, stdout } = await cli(["ls", "--json", ...args], { url });
  expect(code).toBe(0);
  return objectIn(stdout);
}

async function keysOf(...args: string[]): Promise<string[]> {
  return objectsOf((await ls(...args))["locks"]).map((lock) => String(lock["key"]));
}

describe("ls", () => {
  it("tells locks of all kinds from other keys, whatever their names", async () => {
    const names = ["a", "x{a}y", "a{b", "{}", "line\nbreak", "a:redislock", "*[?]", "ü"];
    for (const name of names) {
      const lock = await locker.obtain(name, 60_000, { metadata: `of ${name}` });
      mustStaySecret(lock.token);
    }
    await locker.obtain("shared", 60_000, { mode: "shared" });
    await locker.obtain("shared", 60_000, { mode: "shared" });
    await locker.obtain("counted", 60_000, { limit: 5, permits: 2 });
    await server.command("SET", "plain", "text");
    await server.command("HSET", "hash:redislock:grant", "f", "v");
    const gone = await locker.obtain("gone", 60_000);
    await gone.release();
    expect(await keysOf()).toEqual([...names, "counted", "shared"].sort());
    expect(await keysOf("a")).toEqual(["a", "a:redislock", "a{b"]);
    expect(await keysOf("*[")).toEqual(["*[?]"]);
    const { stdout } = await cli(["ls"], { url });
    expect(stdout).toContain("line\\u{a}break");
    expect(stdout).toMatch(/^shared +shared by 2 /m);
    expect(stdout).toMatch(/^counted +counted 2\/5 /m);
  });

  it("shows waiters, those of others' locks too, and goes by filters", async () => {
    await locker.obtain("waited", 60_000);
    await locker.obtain("alone", 60_000);
    await server.command("SET", "foreign", "of another library", "PX", "60000");
    for (const key of ["waited", "foreign"]) {
      locker.obtain(key, 60_000, { wait: 60_000, signal: leave.signal }).catch(() => {});
      await untilInLine(server, key, 1);
    }
    expect(await keysOf()).toEqual(["alone", "foreign", "waited"]);
    expect(await ls("--waiting")).toMatchObject({
      locks: [
        { key: "foreign", kind: "other", waiters: 1, age: null, fencingToken: null },
        { key: "waited", kind: "exclusive", waiters: 1 },
      ],
      total: 2,
      waiters: 2,
    });
    expect(await keysOf("--longer-than", "1h")).toEqual([]);
    expect(await keysOf("--longer-than", "1ms", "--sort", "age")).toEqual(["waited", "alone"]);
    expect(await ls("--limit", "1")).toMatchObject({ locks: [{ key: "alone" }], total: 3 });
  });

  it("sorts by what is left and by who waits, and looks into the namespace that it is told", async () => {
    await locker.obtain("long", 60_000);
    await locker.obtain("middle", 40_000);
    await locker.obtain("short", 20_000);
    await server.command("SET", "endless", "of another library");
    for (const [key, waiters] of [
      ["middle", 2],
      ["short", 1],
      ["endless", 1],
    ] as const) {
      for (let n = 1; n <= waiters; n++) {
        locker.obtain(key, 60_000, { wait: 60_000, signal: leave.signal }).catch(() => {});
        await untilInLine(server, key, n);
      }
    }
    expect(await keysOf("--sort", "left")).toEqual(["short", "middle", "long", "endless"]);
    expect(await keysOf("--sort", "waiters")).toEqual(["middle", "endless", "short", "long"]);
    const other = createLocker(redis, { namespace: "other:" });
    await other.obtain("mine", 60_000);
    expect(await keysOf("--namespace", "other:")).toEqual(["mine"]);
    await cli(["release", "--yes", "--namespace", "other:", "mine"], { url });
    expect(await server.command("EXISTS", "other:mine")).toBe(0);
    await other.close();
  });

  it("lists ten thousand locks among other keys, by SCAN and never KEYS", async () => {
    const many = 10_050;
    const set = redis.pipeline();
    for (let i = 0; i < many; i++) set.set(`other:${i}`, "x");
    await set.exec();
    for (let i = 0; i < many; i += 500) {
      const some = Array.from({ length: Math.min(500, many - i) }, (_, n) => `many:${i + n}`);
      await Promise.all(some.map((key) => locker.obtain(key, 600_000)));
    }
    await server.command("CONFIG", "RESETSTAT");
    const listed = await ls("--limit", "20000");
    expect(listed["total"]).toBe(many);
    expect(new Set(objectsOf(listed["locks"]).map((lock) => lock["key"])).size).toBe(many);
    const stats = String(await server.command("INFO", "commandstats"));
    expect(stats).not.toMatch(/cmdstat_keys:/);
    // A thousand keys at a time: no server is kept busy, and none is asked for each.
    const scans = Number(/cmdstat_scan:calls=(\d+)/.exec(stats)?.[1]);
    const thousands = Number(await server.command("DBSIZE")) / 1_000;
    expect(scans).toBeGreaterThan(thousands / 2);
    expect(scans).toBeLessThan(thousands * 5);
    expect(await ls()).toMatchObject({ total: many });
  });

  it.each([
    ["EVALSHA_RO alone", ["+evalsha_ro", "+eval_ro", "%R~*"]],
    ["EVALSHA alone", ["+evalsha", "+eval", "~*"]],
    ["no script at all", ["~*"]],
  ])("sees the same with read-only rights and %s", async (_, rights) => {
    await locker.obtain("alone", 60_000, { metadata: "some one" });
    await locker.obtain("counted", 60_000, { limit: 5, permits: 2, metadata: "with: spaces" });
    await locker.obtain("counted", 60_000, { limit: 4 });
    const waits = [{ metadata: "first" }, { mode: "shared" as const, metadata: "second" }];
    for (const [i, options] of waits.entries()) {
      const wait = { ...options, wait: 60_000, signal: leave.signal };
      locker.obtain("alone", 60_000, wait).catch(() => {});
      await untilInLine(server, "alone", i + 1);
    }
    const reads = ["+scan", "+time", "+@read", ...rights];
    await server.command("ACL", "SETUSER", "reader", "reset", "on", `>${PASSWORD}`, ...reads);
    const as = `redis://reader:${PASSWORD}@127.0.0.1:${server.port}`;
    const seen = async (where: string): Promise<unknown> => {
      const all = await cli(["ls", "--json"], { url: where });
      const one = await cli(["inspect", "--json", "alone"], { url: where });
      const two = await cli(["inspect", "--json", "counted"], { url: where });
      expect([all.stderr, one.stderr, two.stderr]).toEqual(["", "", ""]);
      // What changes while one looks.
      return [all, one, two].map(({ stdout }) =>
        stdout.replace(/"(age|remaining|waited|readAt)": \d+/g, '"$1":0'),
      );
    };
    expect(await seen(as)).toEqual(await seen(url));
  });
});

describe("what cannot be read", () => {
  /** A user who may read one of two locks. */
  async function reader(): Promise<string> {
    await locker.obtain("app:1", 60_000);
    await locker.obtain("secret:1", 60_000);
    const rights = ["+@read", "+time", "+evalsha_ro", "+eval_ro", "%R~app:*"];
    await server.command("ACL", "SETUSER", "reader", "reset", "on", `>${PASSWORD}`, ...rights);
    return `redis://reader:${PASSWORD}@127.0.0.1:${server.port}`;
  }
  const said = /^redislock: 1 more could not be read; the last: .*permission.*\n$/i;

  it("is counted by ls, and said", async () => {
    const as = await reader();
    const { code, stdout, stderr } = await cli(["ls", "--json"], { url: as });
    expect(objectIn(stdout)).toMatchObject({ locks: [{ key: "app:1" }], total: 1, unread: 1 });
    expect([code, stderr]).toEqual([0, expect.stringMatching(said)]);
    expect((await cli(["ls"], { url: as })).stderr).toMatch(said);
    expect((await cli(["ls"], { url })).stderr).toBe("");
  });

  it("is said by watch, once", async () => {
    const watching = start(["watch", "--interval", "20ms"], { url: await reader() });
    await watching.says("could not be read");
    // What comes later is told at a later look.
    await locker.obtain("app:2", 60_000);
    await watching.says("app:2");
    watching.signal("SIGINT");
    expect((await watching.ended).stderr).toMatch(said);
  });

  it("ends watch if it is all, and is sat out if it comes later", async () => {
    const as = await reader();
    await server.command("ACL", "SETUSER", "reader", "-scan");
    expect(await cli(["watch"], { url: as })).toMatchObject({ code: 69, stdout: "" });
    await server.command("ACL", "SETUSER", "reader", "+scan", "%R~*");
    const watching = start(["watch", "--interval", "20ms"], { url: as });
    await watching.says("app:1");
    await server.command("ACL", "SETUSER", "reader", "-scan");
    await watching.says("lacks a permission");
    await locker.obtain("app:2", 60_000);
    await server.command("ACL", "SETUSER", "reader", "+scan");
    await watching.says("held\tapp:2");
    watching.signal("SIGINT");
    const { code, stderr } = await watching.ended;
    expect([code, stderr.trimEnd().split("\n").length]).toEqual([0, 1]);
  });
});

describe("a name that is not UTF-8, as of a lock of another client", () => {
  it("is counted, and said", async () => {
    const name = Buffer.from("caf\xe9", "latin1");
    const grant = Buffer.concat([name, Buffer.from(":redislock:grant{AAA}")]);
    await server.command("SET", grant, "1795786235414435 a-token-of-another", "PX", "60000");
    const { code, stdout, stderr } = await cli(["ls", "--json"], { url });
    expect(objectIn(stdout)).toMatchObject({ locks: [], total: 0, unread: 1 });
    expect([code, stderr]).toEqual([0, expect.stringContaining("its name is not UTF-8")]);
  });
});

describe("output", () => {
  it("that cannot be written is told by the exit code", async () => {
    const args = ["-c", 'exec node "$@" >/dev/full', "sh", bin];
    for (const command of [["ls"], ["inspect", "k"], ["completion", "bash"]]) {
      const { code, stderr } = await new Cli("sh", [...args, ...command], { url }).ended;
      expect([code, stderr]).toEqual([74, expect.stringMatching(/^redislock: [^\n]*ENOSPC.*\n$/)]);
    }
  });

  it("that nobody reads keeps nothing from being done", async () => {
    await locker.obtain("k", 60_000);
    const script = '{ node "$@"; echo "code $?" >&2; } | true';
    const args = ["-c", script, "sh", bin, "release", "--yes", "k"];
    expect((await new Cli("sh", args, { url }).ended).stderr).toBe("code 0\n");
    expect(await server.command("EXISTS", "k")).toBe(0);
  });

  it("that nobody reads ends watch", async () => {
    await locker.obtain("k", 60_000);
    const script = '{ node "$@"; echo "code $?" >&2; } | true';
    const args = ["-c", script, "sh", bin, "watch"];
    expect((await new Cli("sh", args, { url }).ended).stderr).toBe("code 0\n");
  });
});

describe("watch", () => {
  it("refuses to look more rarely than a timer can go", async () => {
    const { code, stdout, stderr } = await cli(["watch", "--interval", "30d"], { url });
    expect([code, stdout]).toEqual([64, ""]);
    expect(stderr).toMatch(/^redislock: .*--interval.*24d.*\n$/);
  });

  it("writes a line for each change, and ends in peace", async () => {
    const watching = start(["watch", "--interval", "20ms"], { url });
    const first = await locker.obtain("k", 60_000, { metadata: "first" });
    await watching.says(/\theld\tk\texclusive\t0\tfirst\n/);
    const second = locker.obtain("k", 60_000, { wait: 60_000, metadata: "second" });
    await watching.says(/\twaiters\tk\texclusive\t1\tfirst\n/);
    await first.release();
    await watching.says(/\tpassed on\tk\texclusive\t0\tsecond\n/);
    await (await second).release();
    await watching.says(/\tfreed\tk\t/);
    watching.signal("SIGINT");
    const { code, stdout, stderr } = await watching.ended;
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout.trimEnd().split("\n")).toHaveLength(4);
  });

  it("says that Redis hangs, and goes on when it answers again", async () => {
    const own = await startServer();
    const client = new Redis(own.url);
    const theirs = createLocker(client);
    try {
      const watching = start(["watch", "--interval", "20ms"], { url: own.url });
      await theirs.obtain("before", 60_000);
      await watching.says("held\tbefore");
      own.pause();
      await watching.says("is away or hangs");
      // Who would look once does not wait for long.
      const once = await cli(["ls"], { url: own.url });
      expect(once).toMatchObject({ code: 69, stdout: "" });
      expect(once.stderr).toMatch(/^redislock: Redis at .* did not answer in time.*\n$/);
      own.resume();
      await theirs.obtain("after", 60_000);
      await watching.says("held\tafter");
      own.pause();
      await waitUntil(() => watching.stderr.split("is away").length === 3, { timeout: 15_000 });
      watching.signal("SIGINT");
      expect(await watching.ended).toMatchObject({ code: 0 });
    } finally {
      own.resume();
      await theirs.close();
      client.disconnect();
      await own.stop();
    }
  });

  it("tells a lock that its filter leaves out by now from one that is free", async () => {
    const lock = await locker.obtain("k", 60_000, { metadata: "first" });
    locker.obtain("k", 60_000, { wait: 60_000, signal: leave.signal }).catch(() => {});
    await untilInLine(server, "k", 1);
    const watching = start(["watch", "--waiting", "--interval", "20ms"], { url });
    await watching.says(/\theld\tk\texclusive\t1\tfirst\n/);
    leave.abort();
    leave = new AbortController();
    await watching.says(/\twaiters\tk\texclusive\t0\tfirst\n/);
    await lock.release();
    const again = await locker.obtain("k", 60_000, { metadata: "again" });
    locker.obtain("k", 60_000, { wait: 60_000, signal: leave.signal }).catch(() => {});
    await watching.says(/\theld\tk\texclusive\t1\tagain\n/);
    await again.release();
    watching.signal("SIGINT");
    expect((await watching.ended).stdout).not.toContain("freed");
  });
});

describe("release", () => {
  it("serves the line, and tells who has it now", async () => {
    await locker.obtain("k", 60_000, { metadata: "stuck" });
    const next = locker.obtain("k", 60_000, { wait: 60_000, metadata: "next" });
    await untilInLine(server, "k", 1);
    const { code, stdout } = await cli(["release", "--yes", "k"], { url });
    expect(code).toBe(0);
    expect(stdout).toMatch(/stuck[^]*Released\. It went to next; 0 waiters left in line\.\n$/);
    expect((await next).held).toBe(true);
  });

  it("does nothing where nobody can be asked", async () => {
    await locker.obtain("k", 60_000);
    expect((await cli(["release", "k"], { url })).code).toBe(64);
    expect(await server.command("EXISTS", "k")).toBe(1);
    expect((await cli(["release", "--yes", "free"], { url })).stdout).toContain(
      "nothing to release",
    );
  });
});
