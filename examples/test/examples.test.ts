/** Each small example is run as a user would run it, against a real server. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { companion, freePort, type RedisServer, startServer, waitUntil } from "@redislock/test-kit";
import { runExample, startExample } from "./run-example.js";

let server: RedisServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

const run = (name: string): Promise<string[]> => runExample(name, { redis: server.port });

describe("holding a lock", () => {
  test("quorum: two of three servers are enough, once they are old enough to vote", async () => {
    const servers = await Promise.all([startServer(), startServer(), startServer()]);
    try {
      const urls = servers.map(({ url }) => url);
      servers[2].pause();
      const paying = startExample("quorum", {}, urls);
      const { code } = await paying.exited;
      expect([code, paying.stderr]).toEqual([0, ""]);
      await paying.waitForLine("paying invoice 42, with the fencing token");
    } finally {
      servers[2].resume();
      await Promise.all(servers.map((one) => one.stop()));
    }
  }, 60_000);

  test("using: while a function runs, and by hand", async () => {
    expect(await run("using")).toEqual([
      expect.stringMatching(/^charged invoice 42, fencing token \d{16}$/),
      "held by hand: true",
    ]);
  });

  test("using-node-redis: the same with the other client", async () => {
    expect(await run("using-node-redis")).toEqual([
      expect.stringMatching(/^charged invoice 42, fencing token \d{16}$/),
    ]);
  });

  test("by-hand: refresh, ttl and release; and `await using`", async () => {
    const [held, ttl, ...reminded] = await run("by-hand");
    expect(held).toMatch(/^true \d+/);
    expect(Number(ttl)).toBeGreaterThan(10_000); // The second refresh asked for more than the first.
    expect(reminded).toEqual(["reminded customer 7", "reminded customer 9"]);
  });

  test("several-keys: no transfer is lost, and none waits for another for ever", async () => {
    expect(await run("several-keys")).toEqual(["anna 80, ben 120"]);
  });

  test("shared: readers together, whoever changes what they read alone", async () => {
    expect(await run("shared")).toEqual([
      "2 readers: shared, shared",
      "to change them now: no",
      "nobody saw half a change: true",
    ]);
  });

  test("counted: no more permits than there are, and none during maintenance", async () => {
    expect(await run("counted")).toEqual([
      "7 videos, at most 4 cores at once",
      "maintenance, 0 cores at work",
    ]);
  });

  test("own-token: a worker that was killed has its lock again at once", async () => {
    const folder = await mkdtemp(join(tmpdir(), "own-token-"));
    const start = () =>
      startExample("own-token", { redis: server.port }, [join(folder, "worker.token")]);
    const firstLife = start();
    const secondLife = await firstLife
      .waitForLine("holding")
      .finally(() => firstLife.stop())
      .then(() => start());
    try {
      const line = await secondLife.waitForLine("holding");
      for await (const before of firstLife.lines) expect(line).toBe(before);
    } finally {
      await secondLife.stop();
      await rm(folder, { recursive: true });
    }
  });
});

describe("getting a lock, or not", () => {
  test("try-once: one does it, the others do not wait", async () => {
    const [one, other, ...reports] = await run("try-once");
    expect([one, other].sort()).toEqual(["another machine cleans up", "cleaned up"]);
    expect(reports).toEqual(["report of 2030-01-01"]);
  });

  test("once-a-period: of three machines one does it, in the next period another", async () => {
    const [a, b, c] = ["a", "b", "c"].map(() =>
      startExample("once-a-period", { redis: server.port }, ["6000"]),
    );
    if (!a || !b || !c) throw new Error("never");
    const cron = async (machine: typeof a, line: string): Promise<void> => {
      machine.send("the full hour");
      await machine.waitForLine(line);
    };
    try {
      await cron(a, "reported");
      await cron(b, "another machine does it");
      await cron(c, "another machine does it");
      await cron(a, "another machine does it"); // Once more, as after its clock was set back.
      const isOver = async () => (await server.command("EXISTS", "cron:hourly-report")) === 0;
      await waitUntil(isOver, { what: "half a period to be over" });
      await cron(c, "reported");
      await cron(a, "another machine does it");
      await cron(b, "another machine does it");
    } finally {
      for (const machine of [a, b, c]) await machine.stop();
    }
  });

  test("polling: the strategies say what their comments say", async () => {
    expect(await run("polling")).toEqual([
      "every second: 1000, 1000, 1000",
      "slower: 16, 16, 5000",
      "three more: 1000, 0, 0",
      "my own: 50, 200, 0",
      "not obtained in 3 tries",
    ]);
  });

  test("waiting-in-line: in the order of coming, or giving up with the facts", async () => {
    expect(await run("waiting-in-line")).toEqual([
      "printing page 1",
      "printing page 2",
      "printing page 3",
      expect.stringMatching(/^gave up after \d+ ms at place 1 in line$/),
      expect.stringMatching(/^whoever has it may keep it for \d+ ms more$/),
    ]);
  });

  test("abort: while it waits, and while it holds", async () => {
    expect(await run("abort")).toEqual([
      "gave up waiting",
      'stopped: "invoice:42" lost: it was removed from Redis',
    ]);
  });

  test("errors: each kind is told apart", async () => {
    expect(await run("errors")).toEqual([
      "done",
      "another has the lock: a plain no",
      "done",
      "the lock was lost while the work ran: deleted",
    ]);
  });
});

describe("keeping out who comes too late", () => {
  test("fencing-redis: the slow one's write is refused", async () => {
    const [slow, quick, ...writes] = await run("fencing-redis");
    const [low, high] = [slow, quick].map((line) => Number(line?.split(": ")[1]));
    expect(low).toBeLessThan(high ?? 0);
    expect(writes).toEqual(["quick writes: true", "slow writes: false", "value: new"]);
  });

  test("fencing-sql: the slow one's update changes nothing", async () => {
    expect(await run("fencing-sql")).toEqual([
      "quick writes: true",
      "slow writes: false",
      'state: {"state":"paid"}',
    ]);
  });

  test("fencing-shared: the slow writer is refused, no reader by another", async () => {
    expect(await run("fencing-shared")).toEqual([
      "slow writes: true",
      "one number for both: true",
      "ben reads: old",
      "slow writes: false",
      "anna reads: old",
      "next writes: true",
      "anna reads, too late: null",
    ]);
  });
});

describe("running a service", () => {
  test("inspect: who holds, who waits, and taking it away", async () => {
    expect(await run("inspect")).toEqual([
      expect.stringMatching(/^held by \{"host":.*,"job":"import"\} for \d+ ms more$/),
      "1 in line: the next import",
      "now held by the next import",
    ]);
  });

  test("events: what happens is told and counted", async () => {
    expect(await run("events")).toEqual([
      expect.stringMatching(/^orders: obtained after \d+ ms$/),
      "obtained: 1",
      "notObtained: 1",
      "released: 1",
    ]);
  });

  test("telemetry-least: with no SDK it takes locks as ever", async () => {
    expect(await run("telemetry-least")).toEqual(["paid"]);
  });

  test("telemetry: metrics for Prometheus, and a wait whose span links to the holder's", async () => {
    const example = startExample("telemetry", { redis: server.port }, [`${await freePort()}`]);
    const lines: string[] = [];
    for await (const line of example.lines) lines.push(line);
    expect(await example.exited).toEqual({ code: 0, signal: null });
    const found = (what: RegExp): string[] => lines.filter((line) => what.test(line));
    expect(found(/^billed/)).toEqual(["billed invoice:42", "billed invoice:42"]);
    expect(found(/^redislock_hold_duration_count/)).toEqual([
      expect.stringMatching(/redislock_name="invoice".* 2$/),
      expect.stringMatching(/\{redislock_mode="exclusive",redislock_outcome="released",.* 1$/),
    ]);
    expect(found(/name: 'charge'/)).toHaveLength(2);
    expect(found(/links: \[$/)).toHaveLength(1);
  });

  test("shutdown: a worker ends the work at hand, and gives the lock back", async () => {
    const worker = startExample("shutdown", { redis: server.port });
    try {
      await worker.waitForLine("sending");
      worker.kill("SIGTERM");
      await worker.waitForLine("sent");
      await worker.waitForLine("ended in good order");
      expect(await worker.exited).toEqual({ code: 0, signal: null });
      expect(await server.command("EXISTS", "mail-queue")).toBe(0);
    } finally {
      await worker.stop();
    }
  });

  test("shutdown: a worker that stands in line leaves it at once", async () => {
    await server.command("SET", "mail-queue", "taken by another", "PX", "60000");
    const worker = startExample("shutdown", { redis: server.port });
    const inLine = () => server.command("ZCARD", companion("mail-queue", "line"));
    try {
      await waitUntil(async () => (await inLine()) === 1, { what: "the worker to wait" });
      worker.kill("SIGTERM");
      await worker.waitForLine("ended in good order");
      expect(await worker.exited).toEqual({ code: 0, signal: null });
      expect(await inLine()).toBe(0);
    } finally {
      await worker.stop();
    }
  });

  test("leader-election: one leads, and when it ends, the other does at once", async () => {
    const start = (name: string) => startExample("leader-election", { redis: server.port }, [name]);
    const a = start("a");
    await a.waitForLine("a sees a");
    const b = start("b");
    try {
      await b.waitForLine("b sees a");
      a.kill("SIGTERM");
      await b.waitForLine("b sees b");
      await a.waitForLine("a ended in good order");
      expect(await a.exited).toEqual({ code: 0, signal: null });
      b.kill("SIGTERM");
      await b.waitForLine("b ended in good order");
      expect(await server.command("EXISTS", "scheduler")).toBe(0);
    } finally {
      await Promise.all([a.stop(), b.stop()]);
    }
  });

  test("own-adapter: a client over a bare socket is enough, also to wait in line", async () => {
    expect(await run("own-adapter")).toEqual(["first, second, third"]);
  });
});

test("no example leaves a lock behind that it released", async () => {
  await run("using");
  await run("by-hand");
  const left = await server.command("EXISTS", "invoice:42", "reminders", "import");
  expect(left).toBe(0);
});
