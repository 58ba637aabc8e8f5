import { spawnSync } from "node:child_process";

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { type RedisServer, startServer, waitUntil } from "@redislock/test-kit";

import { bin, Cli, cli, endAll, mustStaySecret, objectIn, start, untilTold } from "./cli.js";

/** Its grandchild tells its pid, and hears no TERM. */
const family = [
  "sh",
  "-c",
  `sh -c 'trap "" TERM; echo grandchild $$; while :; do sleep 0.05; done' & trap "exit 5" TERM; wait`,
];

let server: RedisServer;
let url: string;

beforeAll(async () => {
  server = await startServer();
  ({ url } = server);
});

afterAll(() => server.stop());

beforeEach(async () => {
  await server.command("FLUSHALL");
});

afterEach(endAll);

/** The token of whoever holds the lock now, from now on a secret. */
async function holderOf(key: string): Promise<string> {
  const value = await waitUntil(async () => (await server.command("GET", key)) ?? "");
  const token = String(value).slice(0, 22);
  mustStaySecret(token);
  return token;
}

/** T if it is suspended, Z if it is gone and not reaped; nothing if there is none. */
function stateOf(pid: number): string {
  const { stdout } = spawnSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" });
  return stdout.trim();
}

/** Whoever was killed and is not reaped yet does nothing any more. */
function isAlive(pid: number): boolean {
  return /^[^Z]/.test(stateOf(pid));
}

describe("run", () => {
  it("passes on input, output, environment and the command's exit code, and no token", async () => {
    const script =
      'read line; echo "$line $REDISLOCK_KEY"; echo err >&2; env | grep REDISLOCK; exit 7';
    const running = start(["run", "k", "--", "sh", "-c", script], { url, input: "" });
    await holderOf("k");
    running.write("hi\n");
    const { code, stdout, stderr } = await running.ended;
    expect([code, stderr]).toEqual([7, "err\n"]);
    expect(stdout).toMatch(/^hi k\n(REDISLOCK_(KEY=k|FENCE=\d{16})\n){2}$/);
    expect(await server.command("EXISTS", "k")).toBe(0);
  });

  it("tells who has a lock, in the metadata, without the command's arguments", async () => {
    const running = start(["run", "k", "--", ...untilTold], { url });
    await running.says("begun");
    const { stdout } = await cli(["inspect", "--json", "k"], { url });
    expect(JSON.parse(stdout)).toMatchObject({
      kind: "exclusive",
      metadata: expect.stringMatching(new RegExp(`^sh on \\S+, pid ${running.pid}$`)),
    });
    running.signal("SIGTERM");
    expect((await running.ended).code).toBe(3);
  });

  it("keeps two processes apart, and lets the second in when the first is done", async () => {
    const first = start(["run", "k", "--", ...untilTold], { url });
    await first.says("begun");
    const second = start(["run", "--wait", "20s", "k", "--", "echo", "second"], { url });
    await waitUntil(async () => {
      const { stdout } = await cli(["inspect", "--json", "k"], { url });
      return stdout.includes('"waiters": 1');
    });
    expect(second.stdout).toBe("");
    first.signal("SIGTERM");
    expect(await second.ended).toMatchObject({ code: 0, stdout: "second\n" });
  });

  it("ends with 75 if another has the lock, at once or after the wait", async () => {
    const first = start(["run", "k", "--", ...untilTold], { url });
    await first.says("begun");
    const token = await holderOf("k");
    expect(token).toHaveLength(22);
    for (const wait of [["--no-wait"], ["--wait", "200ms"]]) {
      const { code, stdout, stderr } = await cli(["run", ...wait, "k", "--", "echo", "in"], {
        url,
      });
      expect([code, stdout]).toEqual([75, ""]);
      expect(stderr).toMatch(/^redislock: "k" not obtained: held by sh on \S+, pid \d+, [^\n]+\n$/);
      // Whoever does not wait has no place.
      expect(stderr.includes("our place in line")).toBe(wait.length === 2);
    }
    first.signal("SIGTERM");
    await first.ended;
  });

  it.each([
    ["a command that is not there", ["nonesuch"], 127],
    ["a file that is no program", ["/etc/passwd"], 126],
    ["a path that leads through a file", ["/etc/passwd/program"], 126],
    ["a command that a signal ended", ["sh", "-c", "kill -USR1 $$"], 138],
    ["a command that succeeded", ["true"], 0],
  ])("tells %s by its code, and leaves no lock", async (_, command, code) => {
    expect((await cli(["run", "k", "--", ...command], { url })).code).toBe(code);
    expect(await server.command("EXISTS", "k")).toBe(0);
  });

  it.each([
    [["run", "k"], /command/],
    [["run", "--ttl", "soon", "k", "--", "true"], /30s/],
    [["run", "--shared", "--limit", "2", "k", "--", "true"], /limit/],
    [["run", "--grace", "20s", "k", "--", "true"], /--grace/],
    [["run", "--nonsense", "k", "--", "true"], /--nonsense/],
    [["run", "", "--", "true"], /key/],
    [["nonsense"], /nonsense/],
    [["lss"], /Did you mean/],
  ])("ends with 64 for %j", async (args, what) => {
    const { code, stderr, stdout } = await cli(args, { url });
    expect([code, stdout]).toEqual([64, ""]);
    expect(stderr).toMatch(what);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
  });

  it("passes on signals that only mean something to the command", async () => {
    for (const signal of ["SIGUSR1", "SIGUSR2", "SIGWINCH"] as const) {
      const script = `trap "echo told; exit 6" ${signal.slice(3)}; echo begun; while :; do sleep 0.05; done`;
      const running = start(["run", "k", "--", "sh", "-c", script], { url });
      await running.says("begun");
      running.signal(signal);
      expect(await running.ended).toMatchObject({ code: 6, stdout: "begun\ntold\n" });
    }
  });

  it("is not suspended, as nobody would renew the lock", async () => {
    // A job of a shell, as only such can be suspended.
    const job = ["-mc", 'node "$@" & echo "pid $!"; wait $!', "bash", bin, "run", "k", "--"];
    const shell = new Cli("bash", [...job, ...untilTold], { url });
    await shell.says("begun");
    const pid = Number(/pid (\d+)/.exec(shell.stdout)?.[1]);
    process.kill(pid, "SIGTSTP");
    const state = stateOf(pid);
    // Who is suspended would hear of nothing else.
    process.kill(pid, "SIGCONT");
    process.kill(pid, "SIGTERM");
    expect(state).toMatch(/^[^T]/);
    expect((await shell.ended).code).toBe(3);
  });

  it.each(["SIGINT", "SIGTERM"] as const)("passes on %s to the group", async (signal) => {
    const running = start(["run", "k", "--", ...untilTold], { url });
    await running.says("begun");
    running.signal(signal);
    expect(await running.ended).toMatchObject({ code: signal === "SIGINT" ? 4 : 3 });
    expect(running.stdout).toBe(`begun\n${signal.slice(3)}\n`);
    expect(await server.command("EXISTS", "k")).toBe(0);
  });

  it("passes on a signal to what the command started", async () => {
    const grandchild =
      "sh -c 'trap \"echo told; exit\" HUP; echo ready; while :; do sleep 0.05; done'";
    const running = start(
      ["run", "k", "--", "sh", "-c", `trap : HUP; ${grandchild} & wait; wait`],
      { url },
    );
    await running.says("ready");
    running.signal("SIGHUP");
    await running.says("told");
    expect((await running.ended).code).toBe(0);
  });

  it("ends with 128 + n when a signal comes while it waits, and leaves its place", async () => {
    const first = start(["run", "k", "--", ...untilTold], { url });
    await first.says("begun");
    const second = start(["run", "k", "--", "echo", "in"], { url });
    const waiters = async (): Promise<unknown> =>
      objectIn((await cli(["inspect", "--json", "k"], { url })).stdout)["waiters"];
    await waitUntil(async () => (await waiters()) === 1);
    second.signal("SIGINT");
    expect(await second.ended).toEqual({ code: 130, stdout: "", stderr: "" });
    expect(await waiters()).toBe(0);
    first.signal("SIGTERM");
    await first.ended;
  });

  it("ends the whole group, and itself with 79, when the lock is taken away", async () => {
    const running = start(["run", "--ttl", "6s", "k", "--", ...family], { url });
    await running.says(/grandchild \d+/);
    const pid = Number(/grandchild (\d+)/.exec(running.stdout)?.[1]);
    expect(isAlive(pid)).toBe(true);
    expect((await cli(["release", "--yes", "k"], { url })).code).toBe(0);
    const { code, stderr } = await running.ended;
    expect(code).toBe(79);
    expect(stderr).toContain('"k" lost');
    // There is no lease left to end in: it is killed at once.
    expect(stderr).not.toContain("cannot be renewed");
    expect(isAlive(pid)).toBe(false);
  });

  it("ends with 79 also if the command ends before a renewal tells of the loss", async () => {
    const running = start(["run", "k", "--", "sh", "-c", "echo begun; read line; exit 0"], {
      url,
      input: "",
    });
    await running.says("begun");
    await cli(["release", "--yes", "k"], { url });
    running.write("go\n");
    expect((await running.ended).code).toBe(79);
  });

  it("sends TERM, then KILL before the lease ends, when Redis is gone", async () => {
    const own = await startServer();
    try {
      const args = ["run", "--ttl", "3s", "--grace", "1s", "k", "--", ...family];
      const running = start(args, { url: own.url });
      await running.says(/grandchild \d+/);
      const pid = Number(/grandchild (\d+)/.exec(running.stdout)?.[1]);
      // Halfway between two renewals: so much earlier than 3 s from now it is killed.
      const isBetween = async (): Promise<boolean> =>
        Number(await own.command("PTTL", "k")) < 2_500;
      await waitUntil(isBetween, { what: "half a second after a renewal", interval: 1 });
      own.pause();
      const paused = performance.now();
      await running.says("the command is ended");
      // It hears no TERM, so nothing but KILL ends it; a lease that was renewed just now is 3 s.
      await waitUntil(() => !isAlive(pid), { interval: 1 });
      expect(performance.now() - paused).toBeLessThan(3_000);
      expect((await running.ended).code).toBe(79);
    } finally {
      own.resume();
      await own.stop();
    }
  });

  it("ends the command before the lease ends also if nobody reads what it says of that", async () => {
    const own = await startServer();
    try {
      const args = [bin, "run", "--ttl", "3s", "k", "--"];
      const deaf = ["sh", "-c", 'trap "" TERM; echo "begun $$"; exec sleep 20'];
      // What it says goes into a pipe that nobody reads, what the command says does not.
      const script = '{ { node "$@" 2>&1 >&3; echo "code $?" >&3; } | true; } 3>&1';
      const running = new Cli("sh", ["-c", script, "sh", ...args, ...deaf], { url: own.url });
      await running.says(/begun \d+/);
      const pid = Number(/begun (\d+)/.exec(running.stdout)?.[1]);
      own.pause();
      expect((await running.ended).stdout).toBe(`begun ${pid}\ncode 79\n`);
      expect(isAlive(pid)).toBe(false);
    } finally {
      own.resume();
      await own.stop();
    }
  });

  it.each(["while :; do sleep 0.05; done", "kill -STOP $$"])(
    "has a command end by itself when Redis is gone: %s",
    async (then) => {
      const own = await startServer();
      try {
        const script = `trap "echo told; exit 5" TERM; echo begun; ${then}`;
        const args = ["run", "--ttl", "6s", "--grace", "3s", "k", "--", "sh", "-c", script];
        const running = start(args, { url: own.url });
        await running.says("begun");
        own.pause();
        // As there is time for that; and with 79, as it did not come to its own end.
        expect(await running.ended).toMatchObject({ code: 79, stdout: "begun\ntold\n" });
      } finally {
        own.resume();
        await own.stop();
      }
    },
  );

  it("shares a lock, counts permits, and keeps whoever wants it alone out", async () => {
    const readers = ["a", "b"].map(() =>
      start(["run", "--shared", "s", "--", ...untilTold], { url }),
    );
    const counted = start(["run", "--limit", "3", "--permits", "2", "c", "--", ...untilTold], {
      url,
    });
    for (const one of [...readers, counted]) await one.says("begun");
    const { stdout } = await cli(["ls", "--json"], { url });
    expect(objectIn(stdout)["locks"]).toMatchObject([
      { key: "c", kind: "counted", permits: 2, limit: 3 },
      { key: "s", kind: "shared", held: 2 },
    ]);
    expect((await cli(["run", "--no-wait", "s", "--", "true"], { url })).code).toBe(75);
    const two = ["run", "--no-wait", "--limit", "3", "--permits", "2", "c", "--", "true"];
    expect((await cli(two, { url })).code).toBe(75);
    expect(
      (
        await cli(["run", "--no-wait", "--limit", "3", "--permits", "1", "c", "--", "true"], {
          url,
        })
      ).code,
    ).toBe(0);
    for (const one of [...readers, counted]) one.signal("SIGTERM");
    await Promise.all([...readers, counted].map((one) => one.ended));
  });

  it("keeps a lock taken for the rest of --hold-at-least", async () => {
    const args = ["run", "--no-wait", "--hold-at-least", "1m", "k", "--", "true"];
    expect((await cli(args, { url })).code).toBe(0);
    expect((await cli(args, { url })).code).toBe(75);
    expect(await server.command("PTTL", "k")).toBeGreaterThan(50_000);
  });
});
