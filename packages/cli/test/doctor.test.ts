import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { type RedisServer, startServer, waitUntil } from "@redislock/test-kit";

import { cli, endAll, type Json, objectsOf, PASSWORD } from "./cli.js";

let server: RedisServer;

beforeAll(async () => {
  server = await startServer();
});

afterAll(() => server.stop());

beforeEach(async () => {
  await server.command("FLUSHALL");
  for (const [name, usual] of [
    ["maxmemory", "0"],
    ["maxmemory-policy", "noeviction"],
    ["appendonly", "no"],
  ] as const) {
    await server.command("CONFIG", "SET", name, usual);
  }
});

afterEach(endAll);

async function doctor(
  ...args: string[]
): Promise<{ readonly code: number; readonly of: (check: string) => Json | undefined }> {
  return doctorAt(server.url, ...args);
}

async function doctorAt(url: string, ...args: string[]): ReturnType<typeof doctor> {
  const { code, stdout, stderr } = await cli(["doctor", "--json", ...args], { url });
  expect(stderr).toBe("");
  const diagnoses: unknown = JSON.parse(stdout);
  const findings = objectsOf(objectsOf(diagnoses)[0]?.["findings"]);
  return { code, of: (name) => findings.find((one) => one["check"] === name) };
}

async function asUser(...rules: string[]): Promise<string> {
  await server.command("ACL", "SETUSER", "app", "reset", "on", `>${PASSWORD}`, ...rules);
  return `redis://app:${PASSWORD}@127.0.0.1:${server.port}`;
}

/** What docs/writing-an-adapter.md says that a user needs, and what makes it better still. */
const documented =
  "~lock:* &redislock:inbox:* +subscribe +publish +pubsub +evalsha +eval +getrange +set +del +unlink " +
  "+exists +pexpire +pttl +time +hget +hset +hdel +zadd +zcard +zpopmin +zrange +zrank +zrem +zscore " +
  "+hscan +type +scan";

describe("doctor", () => {
  it("finds nothing to mend on a plain server, and leaves no key but the last fencing token", async () => {
    const { code, of } = await doctor();
    expect(code).toBe(0);
    for (const check of ["version", "role", "replicas", "memory", "round trip", "clock"]) {
      expect(of(check)?.["mark"]).toBe("ok");
    }
    for (const check of ["pub/sub", "permissions", "a lock"])
      expect(of(check)?.["mark"]).toBe("ok");
    expect(of("persistence")).toMatchObject({ mark: "warn", found: "no append-only file" });
    expect(await server.command("DBSIZE")).toBeLessThanOrEqual(1);
  });

  it("fails where locks can be evicted", async () => {
    await server.command("CONFIG", "SET", "maxmemory", "100mb");
    await server.command("CONFIG", "SET", "maxmemory-policy", "volatile-lru");
    const { code, of } = await doctor();
    expect([code, of("memory")?.["mark"]]).toEqual([1, "fail"]);
    await server.command("CONFIG", "SET", "maxmemory-policy", "noeviction");
    expect((await doctor()).of("memory")?.["mark"]).toBe("ok");
  });

  it("warns when memory is nearly full", async () => {
    const info = String(await server.command("INFO", "memory"));
    const used = Number(/^used_memory:(\d+)/m.exec(info)?.[1]);
    await server.command("CONFIG", "SET", "maxmemory", String(Math.round(used * 1.05)));
    const { of } = await doctor();
    expect(of("memory")?.["mark"]).toBe("warn");
  });

  it("tells how much an append-only file may forget", async () => {
    await server.command("CONFIG", "SET", "appendonly", "yes");
    const told: unknown[] = [];
    for (const fsync of ["everysec", "always", "no"]) {
      await server.command("CONFIG", "SET", "appendfsync", fsync);
      told.push((await doctor()).of("persistence")?.["mark"]);
    }
    expect(told).toEqual(["warn", "ok", "warn"]);
  });

  it.each([
    ["ahead of", "-7_200_000"],
    ["behind", "7_200_000"],
  ])("warns of a server whose clock is %s ours", async (where, ms) => {
    const moved = `const now = Date.now; Date.now = () => now() + ${ms};`;
    const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(moved)}` };
    const { code, stdout } = await cli(["doctor"], { url: server.url, env });
    expect(code).toBe(0);
    const [, mark, apart] = /^(\w+) +clock +(.*)$/m.exec(stdout) ?? [];
    expect(mark).toBe("warn");
    expect(apart).toMatch(new RegExp(`^(1h 59m|2h 00m|1h59m|2h00m) ${where} this machine's$`));
  });

  it("fails on a replica, and warns of what its master may lose", async () => {
    const replica = await startServer();
    try {
      await replica.command("REPLICAOF", "127.0.0.1", String(server.port));
      const { code, of } = await doctorAt(replica.url);
      expect([code, of("role")?.["mark"], of("a lock")?.["mark"]]).toEqual([1, "fail", "fail"]);
      const isThere = async (): Promise<boolean> =>
        String(await server.command("INFO", "replication")).includes("connected_slaves:1");
      await waitUntil(isThere, { what: "the master to have a replica" });
      expect((await doctor()).of("replicas")).toMatchObject({ mark: "warn", found: "1 replica" });
    } finally {
      await replica.stop();
    }
  });

  it("is content with the documented permissions, and changes nothing that is there", async () => {
    await server.command("SET", "redislock{AAA}", "5");
    const url = await asUser("resetchannels", "-@all", ...documented.split(" "));
    const { code, of } = await doctorAt(url, "--namespace", "lock:");
    expect([code, of("permissions")?.["mark"], of("a lock")?.["mark"]]).toEqual([0, "ok", "ok"]);
    expect(of("memory")?.["mark"]).toBe("unknown");
    expect(await server.command("GET", "redislock{AAA}")).toBe("5");
  });

  it.each(documented.split(" ").filter((rule) => rule.startsWith("+")))(
    "names %s if it is missing",
    async (rule) => {
      const rules = documented.split(" ").filter((one) => one !== rule);
      const url = await asUser("resetchannels", "-@all", ...rules);
      const { of } = await doctorAt(url, "--namespace", "lock:");
      expect(of("permissions")).toMatchObject({ acl: `ACL SETUSER app ${rule}` });
    },
  );

  it("names keys and channels that are missing", async () => {
    const others = documented.split(" ").filter((rule) => rule.startsWith("+"));
    const url = await asUser("resetchannels", "-@all", ...others);
    const { code, of } = await doctorAt(url, "lock:");
    expect(code).toBe(1);
    expect(of("permissions")?.["acl"]).toBe(
      "ACL SETUSER app ~lock:* ~redislock* &redislock:inbox:* &redislock:leader:*",
    );
  });

  it("tells a command that the server does not have from one that is not permitted", async () => {
    const without = await startServer({ args: ["--rename-command", "INFO", ""] });
    try {
      const { of } = await doctorAt(without.url);
      expect(of("version")).toMatchObject({
        mark: "unknown",
        found: "INFO did not tell",
        meaning: expect.stringContaining("unknown command"),
      });
    } finally {
      await without.stop();
    }
    const { of } = await doctorAt(await asUser("resetchannels", "-@all", "+ping", "~*"));
    expect(of("version")?.["found"]).toBe("INFO is not permitted to this user");
  });

  it("says what a user with read-only rights cannot do and see", async () => {
    const url = await asUser("resetchannels", "+@read", "+info", "~*");
    const { code, of } = await doctorAt(url);
    expect(code).toBe(1);
    expect(of("memory")?.["mark"]).toBe("ok");
    expect(of("clock")?.["mark"]).toBe("unknown");
    expect(of("permissions")?.["found"]).toContain("+set");
  });
});
