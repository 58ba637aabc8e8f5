/** What only a process of its own can show: that it ends, and that nothing is rejected unheard. */
import { afterAll, expect, test } from "@jest/globals";
import { compilePackage, startProcess } from "@redislock/test-kit";

import { cast, kinds } from "./clients.js";
import { startStage } from "./scenes.js";

const compiled = await compilePackage(new URL("..", import.meta.url));
afterAll(compiled.remove);
const stage = await startStage();

/** Milliseconds for a process to end that has nothing more to do, on a busy machine. */
const PROMPT = 30_000;
/** For all that such a process does, beside others of its kind. */
const PATIENCE = 150_000;

test.concurrent.each(
  cast(kinds).flatMap((kind) => ["quit", "destroyed"].map((closing) => ({ ...kind, closing }))),
)(
  "$name: a process with locks and waiters ends by itself once its own client is $closing",
  async ({ closing, ...kind }) => {
    await using scene = await stage.open(kind);
    await using _ = await scene.locker.obtain(`${scene.key} taken`, 600_000);
    await using child = startProcess(compiled.file("last-breath"), {
      args: [kind.name, `${scene.server.port}`, scene.key, `${scene.key} taken`, closing],
    });
    await child.waitForLine("done", { timeout: PATIENCE / 2 });
    const before = performance.now();
    expect(await child.exited).toEqual({ code: 0, signal: null });
    expect(performance.now() - before).toBeLessThan(PROMPT);
    expect(child.stderr).toBe("");
  },
  PATIENCE,
);

test.concurrent.each(cast(kinds))(
  "$name: no trouble leads to an unhandled rejection, a warning, or a listener left behind",
  async (kind) => {
    await using scene = await stage.open(kind);
    await using child = startProcess(compiled.file("trouble"), {
      args: [kind.name, `${scene.server.port}`],
    });
    const lines: string[] = [];
    for await (const line of child.lines) lines.push(line);
    expect(await child.exited).toEqual({ code: 0, signal: null });
    expect(child.stderr).toBe("");
    expect(lines).toEqual(["listeners on the client: 0", "listeners on the signal: 0", "done"]);
  },
  PATIENCE,
);
