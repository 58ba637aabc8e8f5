/** Several processes, each with another kind of client, change a number that only a lock protects. */
import { afterAll, afterEach, expect, test } from "@jest/globals";
import { compilePackage, type NodeProcess, startProcess } from "@redislock/test-kit";

import { kinds } from "./clients.js";
import { startStage } from "./scenes.js";

/** In each process. */
const TASKS = 13;

const compiled = await compilePackage(new URL("..", import.meta.url));
afterAll(compiled.remove);
const stage = await startStage();

let processes: readonly NodeProcess[] = [];
/** Those of a test that failed would change the number of the next. */
afterEach(async () => {
  await Promise.all(processes.map((process) => process.stop()));
});

test.each([
  ["a server", kinds.filter(({ cluster }) => !cluster), stage.server],
  ["a cluster", kinds.filter(({ cluster }) => cluster), stage.cluster],
])(
  "on %s, more than fifty tasks in processes with clients of every kind lose no update",
  async (_, those, server) => {
    if (!server) throw new Error("It was not started");
    await stage.server.command("FLUSHALL");
    processes = those.map(({ name }) =>
      startProcess(compiled.file("seller"), {
        args: [name, `${server.port}`, "the number", `${stage.server.port}`, `${TASKS}`],
      }),
    );
    for (const process of processes) {
      await process.waitForLine("done", { timeout: 100_000 });
      const lines: string[] = [];
      expect(await process.exited).toEqual({ code: 0, signal: null });
      for await (const line of process.lines) lines.push(line);
      expect(lines).toEqual(["done"]);
      expect(process.stderr).toBe("");
    }
    expect(await stage.server.command("GET", "number")).toBe(String(those.length * TASKS));
    const tokens = await stage.server.command("LRANGE", "fencing tokens", "0", "-1");
    const rising = Array.isArray(tokens) ? tokens.map(Number) : [];
    expect(rising).toHaveLength(those.length * TASKS);
    expect(rising).toEqual([...rising].sort((a, b) => a - b));
    expect(new Set(rising).size).toBe(rising.length);
  },
  120_000,
);
