import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { createLocker, type Locker } from "@redislock/ioredis";
import { type RedisServer, startServer } from "@redislock/test-kit";
import { Redis } from "ioredis";

import { cli, endAll, startInTerminal } from "./cli.js";

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

afterEach(endAll);

const ESCAPE = "\u001b";

describe("on a terminal", () => {
  it.each([80, 120])("no line of a table is wider than its %d columns", async (columns) => {
    const metadata = `a name that is too long ${"x".repeat(200)}`;
    for (const key of ["short", `long:${"k".repeat(150)}`]) {
      await locker.obtain(key, 60_000, { metadata });
    }
    const { code, stdout } = await startInTerminal(["ls"], columns, { url, env: { NO_COLOR: "1" } })
      .ended;
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split("\r\n");
    expect(lines).toHaveLength(4);
    for (const line of lines) expect(Array.from(line).length).toBeLessThanOrEqual(columns);
    expect(Array.from(lines[1] ?? "")).toHaveLength(columns);
  });

  it("a terminal that does not know its size is one of 80 columns", async () => {
    await locker.obtain("order:of-a-customer", 60_000, { metadata: "m".repeat(100) });
    const env = { NO_COLOR: "1" };
    const { stdout } = await startInTerminal(["ls"], 0, { url, env }).ended;
    const [, line = ""] = stdout.split("\r\n");
    expect(line).toMatch(/^order:of-a-customer .*m…$/);
    expect(Array.from(line)).toHaveLength(80);
    const watching = startInTerminal(["watch", "--interval", "20ms"], 0, { url, env });
    await watching.says("1 lock held");
    await watching.says("order:of-a-customer");
    watching.write("\u0003");
    expect((await watching.ended).code).toBe(0);
  });

  it("wide characters take two columns, and the columns of a table stay straight", async () => {
    const names = ["鍵の鍵", "e\u0301te\u0301", "🔒", "plain", "長".repeat(60)];
    for (const name of names) await locker.obtain(name, 60_000, { metadata: "someone" });
    const env = { NO_COLOR: "1" };
    const { stdout } = await startInTerminal(["ls"], 80, { url, env }).ended;
    const lines = stdout.trimEnd().split("\r\n").slice(0, -1);
    expect(lines).toHaveLength(1 + names.length);
    // As a terminal draws them, a wide one in two places and what stands upon another in none.
    const drawn = lines.map((line) => line.replace(/[鍵の長🔒]/gu, "##").replace(/\u0301/g, ""));
    const [head = "", ...rows] = drawn;
    for (const row of rows) {
      expect(row.indexOf("exclusive")).toBe(head.indexOf("KIND"));
      expect(Array.from(row).length).toBeLessThanOrEqual(80);
    }
  });

  it("colours are as NO_COLOR and FORCE_COLOR say, and else for terminals alone", async () => {
    const bold = `${ESCAPE}[1mKEY`;
    expect((await startInTerminal(["ls"], 80, { url }).ended).stdout).toContain(bold);
    const plain = await startInTerminal(["ls"], 80, { url, env: { NO_COLOR: "1" } }).ended;
    expect(plain.stdout).not.toContain(ESCAPE);
    expect((await cli(["ls"], { url })).stdout).not.toContain(ESCAPE);
    expect((await cli(["ls"], { url, env: { FORCE_COLOR: "1" } })).stdout).toContain(bold);
  });

  it("keys and metadata of others move no cursor", async () => {
    await locker.obtain("evil\u001b[2J", 60_000, { metadata: "\u001b]0;title\u0007\r\n" });
    for (const args of [["ls"], ["inspect", "evil\u001b[2J"]]) {
      const env = { NO_COLOR: "1" };
      const { stdout } = await startInTerminal(args, 120, { url, env }).ended;
      expect(stdout).toContain("evil\\u{1b}[2J");
      expect(stdout).not.toContain(ESCAPE);
    }
  });

  it("watch redraws in place, and leaves the screen as it was", async () => {
    const watching = startInTerminal(["watch", "--interval", "20ms"], 80, { url });
    await watching.says("0 locks held");
    const lock = await locker.obtain("k", 60_000, { metadata: "somebody" });
    await watching.says("somebody");
    await lock.release();
    watching.write("\u0003");
    const { code, stdout } = await watching.ended;
    expect(code).toBe(0);
    expect(stdout.startsWith(`${ESCAPE}[?1049h${ESCAPE}[?25l`)).toBe(true);
    expect(stdout.replace(/\^C/, "").endsWith(`${ESCAPE}[?25h${ESCAPE}[?1049l`)).toBe(true);
  });

  it("watch leaves the screen alone if it never came to draw on it", async () => {
    const refused = startInTerminal(["watch"], 80, { url: "redis://127.0.0.1:1" });
    const { code, stdout } = await refused.ended;
    expect([code, stdout]).toEqual([69, expect.stringMatching(/^redislock: /)]);
    expect(stdout).not.toContain(ESCAPE);
  });

  it("release asks, and does nothing after any answer but a yes", async () => {
    await locker.obtain("k", 60_000, { metadata: "stuck" });
    for (const answer of ["n", "", "yesterday", "k"]) {
      const no = startInTerminal(["release", "k"], 80, { url });
      await no.says("[y/N]");
      expect(no.stdout).toContain("stuck");
      no.write(`${answer}\n`);
      expect((await no.ended).code).toBe(1);
      expect(await server.command("EXISTS", "k")).toBe(1);
    }
    const yes = startInTerminal(["release", "k"], 80, { url });
    await yes.says("[y/N]");
    yes.write("y\n");
    expect(await yes.ended).toMatchObject({ code: 0 });
    expect(await server.command("EXISTS", "k")).toBe(0);
  });

  it.each([
    ["Ctrl-C", "\u0003"],
    ["Ctrl-D", "\u0004"],
  ])("release takes %s for a no", async (_, key) => {
    await locker.obtain("k", 60_000);
    const asking = startInTerminal(["release", "k"], 80, { url });
    await asking.says("[y/N]");
    asking.write(key);
    const { code, stdout } = await asking.ended;
    expect([code, stdout]).toEqual([1, expect.stringMatching(/\nNothing was done\.\r\n$/)]);
    expect(await server.command("EXISTS", "k")).toBe(1);
  });

  it("watch says on the screen what it cannot see", async () => {
    await locker.obtain("app:1", 60_000);
    await locker.obtain("secret:1", 60_000);
    const rights = ["+@read", "+time", "+evalsha_ro", "+eval_ro", "%R~app:*"];
    await server.command("ACL", "SETUSER", "reader", "reset", "on", ">reader", ...rights);
    const as = `redis://reader:reader@127.0.0.1:${server.port}`;
    const watching = startInTerminal(["watch", "--interval", "20ms"], 80, { url: as });
    await watching.says("1 more could not be read");
    watching.write("q\u0003");
    expect((await watching.ended).code).toBe(0);
  });

  it("release does nothing if the lock has changed hands since it was shown", async () => {
    const first = await locker.obtain("k", 60_000);
    const asking = startInTerminal(["release", "k"], 80, { url });
    await asking.says("[y/N]");
    await first.release();
    const second = await locker.obtain("k", 60_000);
    asking.write("y\n");
    expect((await asking.ended).code).toBe(1);
    expect(await second.ttl()).toBeGreaterThan(0);
    await second.release();
  });

  it("run says what it waits for, and ends by Ctrl-C", async () => {
    const lock = await locker.obtain("k", 60_000, { metadata: "somebody" });
    const waiting = startInTerminal(["run", "k", "--", "true"], 80, { url });
    await waiting.says(/waiting for "k", held by somebody/);
    waiting.write("\u0003");
    expect((await waiting.ended).code).toBe(130);
    await lock.release();
  });
});
