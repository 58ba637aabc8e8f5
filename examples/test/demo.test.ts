/** The demo, smaller and quicker than `npm run demo` plays it. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "@jest/globals";
import {
  freePort,
  type NodeProcess,
  type RedisServer,
  startProcess,
  startServer,
  waitUntil,
} from "@redislock/test-kit";
import { fileURLToPath } from "node:url";
import { tooWide } from "./too-wide.js";

const program = fileURLToPath(new URL("../dist/demo.js", import.meta.url));
const PASSWORD = "open-sesame";
const small = ["--sellers=3", "--tickets=6", "--pause=300", "--lease=1000"];
/** Several processes have to start for each act. */
const patient = { timeout: 60_000 };

let server: RedisServer;
let url: string;
let demo: NodeProcess;
beforeAll(async () => {
  server = await startServer({ args: ["--requirepass", PASSWORD] });
  await server.command("AUTH", PASSWORD);
  url = `redis://:${PASSWORD}@127.0.0.1:${server.port}`;
});
beforeEach(async () => {
  await server.command("FLUSHALL");
  await server.command("SET", "a key of the user's", "1");
});
afterEach(() => demo.stop());
afterAll(() => server.stop());

function startDemo(redisUrl: string, ...args: string[]): NodeProcess {
  demo = startProcess(program, { args, env: { REDIS_URL: redisUrl } });
  return demo;
}

async function outputOf(process: NodeProcess): Promise<string> {
  const lines: string[] = [];
  for await (const line of process.lines) lines.push(line);
  return lines.join("\n");
}

/** All keys and all clients but the one that asks. */
async function guests(): Promise<{ keys: unknown; clients: number }> {
  const clients = String(await server.command("CLIENT", "LIST"))
    .trim()
    .split("\n");
  return { keys: await server.command("KEYS", "*"), clients: clients.length - 1 };
}

test("oversells without the lock, and not with it, through either adapter", async () => {
  const output = await outputOf(startDemo(url, ...small));

  expect(demo.stderr).toBe("");
  expect(await demo.exited).toEqual({ code: 0, signal: null });
  expect(output).toMatch(/^1 {2}no lock +\d+ +\d+ +[1-9]\d* +- +-$/m);
  expect(output).toMatch(/^2 {2}lock, by ioredis +6 +0 +0 +\d+ +[\d.]+ s$/m);
  expect(output).toMatch(/^3 {2}lock, by node-redis, one killed +6 +0 +0 +\d+ +[\d.]+ s$/m);
  expect(output).toMatch(/\noversold 0 with the lock$/);

  // The lease of the one that was killed is sat out; who stood in line goes on.
  expect(output).toMatch(/ ([ABC]) +[\d.]+ s +killed in the sale[^]* \1's lease is over\n/);
  // Who waits is told, in both acts with a lock.
  expect(output.match(/ticket \d, \d left +[ABC]( [ABC])?$/gm)?.length).toBeGreaterThan(2);

  // Readers have the lock together, and see no half of a change.
  expect(output).toMatch(/ [ABC] +[\d.]+ s +reads \d+ \/ \d+ +[ABC]/);
  expect(output).toMatch(/ W +[\d.]+ s +writes 26 \/ 13 +alone\n/);
  expect(output).toMatch(/half a change was read 0 times\./);

  // A log gets no colours, nobody gets the password, and the server is as it was.
  expect(output).not.toContain("\u001b");
  expect(output).not.toContain(PASSWORD);
  expect(output).toContain(`redis://:***@127.0.0.1:${server.port}`);
  expect(tooWide(output)).toEqual([]);
  expect(await guests()).toEqual({ keys: ["a key of the user's"], clients: 0 });
});

test("on a terminal it has colours, and no line is wider than 80 columns", async () => {
  const command = [process.execPath, `"${program}"`, ...small].join(" ");
  demo = startProcess("--command", {
    // A terminal of its own for the command.
    runtime: ["script", "--quiet", "--return", "--log-out", "/dev/null"],
    args: [`stty columns 80; exec ${command}`],
    env: { REDIS_URL: url, TERM: "xterm", NO_COLOR: "" },
  });
  const output = await outputOf(demo);
  expect(output).toContain("\u001b[32moversold 0 with the lock");
  expect(tooWide(output)).toEqual([]);
});

test("without REDIS_URL it starts a server of its own", async () => {
  startDemo("", ...small);
  await demo.waitForLine("started for this demo");
  await demo.waitForLine("cli/dist/bin.js page --url redis://127.0.0.1:");
  await demo.waitForLine("Act 1", patient);
});

test.each(["SIGTERM", "SIGHUP"] as const)(
  "when it is stopped by %s, its sellers and its keys are gone too",
  async (signal) => {
    startDemo(url, ...small);
    await demo.waitForLine("Act 2", patient);
    await demo.waitForLine("ticket");
    demo.kill(signal);

    expect((await demo.exited).code).toBe(1);
    expect(demo.stderr).toBe(`demo: ended by ${signal}\n`);
    await waitUntil(async () => (await guests()).clients === 0, { what: "the sellers to be gone" });
    expect((await guests()).keys).toEqual(["a key of the user's"]);
  },
);

test("when nobody reads on, it ends, and its sellers and its keys are gone too", async () => {
  const command = [process.execPath, `"${program}"`, ...small].join(" ");
  demo = startProcess("-c", {
    runtime: ["bash"],
    args: [`set -o pipefail; ${command} | grep --max-count=1 Act`],
    env: { REDIS_URL: url },
  });
  expect((await demo.exited).code).toBe(1);
  expect(demo.stderr).toBe("demo: nobody reads this any more\n");
  await waitUntil(async () => (await guests()).clients === 0, { what: "the sellers to be gone" });
  expect((await guests()).keys).toEqual(["a key of the user's"]);
});

test("when it is killed, its sellers end too", async () => {
  startDemo(url, ...small);
  await demo.waitForLine("Act 2", patient);
  await demo.waitForLine("ticket");
  await demo.stop();
  await waitUntil(async () => (await guests()).clients === 0, { what: "the sellers to be gone" });
});

test("one line says that there is no server, or that the arguments are wrong", async () => {
  startDemo(`redis://:${PASSWORD}@127.0.0.1:${await freePort()}`);
  expect((await demo.exited).code).toBe(1);
  expect(demo.stderr).toMatch(/^demo: connect ECONNREFUSED .*\n$/);

  startDemo(`127.0.0.1:${PASSWORD}`);
  expect((await demo.exited).code).toBe(1);
  expect(demo.stderr).toBe("demo: REDIS_URL must look like redis://localhost:6379\n");

  startDemo(url, "--sellers=1");
  expect((await demo.exited).code).toBe(1);
  expect(demo.stderr).toBe("demo: --sellers must be a whole number of 2 to 26, got 1\n");
});
