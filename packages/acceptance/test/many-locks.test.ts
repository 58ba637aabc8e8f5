import { afterAll, expect, test } from "@jest/globals";
import { compilePackage, startProcess } from "@redislock/test-kit";

import { cast, ioredis, kinds, nodeRedis, type Kind } from "./clients.js";
import { startStage } from "./scenes.js";

const compiled = await compilePackage(new URL("..", import.meta.url));
afterAll(compiled.remove);
const stage = await startStage();

/** Long enough for a machine that is busy with other tests to renew ten thousand of them. */
const TTL = 9_000;

/** Milliseconds for all of that. */
const PATIENCE = 120_000;

/** Returns the bytes that each lock takes. */
async function expectManyLocks({ name, cluster }: Kind, count: number): Promise<number> {
  const server = (cluster ? stage.cluster : undefined) ?? stage.server;
  await using child = startProcess(compiled.file("many-locks"), {
    args: [name, `${server.port}`, `${count}`, `${TTL}`],
  });
  const line = await child.waitForLine("held", { timeout: PATIENCE });
  const [held = 0, lost, least = 0, bytes = 0, mostTimers] = line.split(" ").slice(1).map(Number);
  expect(lost).toBe(0);
  expect(held).toBe(count);
  expect(least).toBeGreaterThan(0);
  expect(mostTimers).toBe(1);
  expect(await child.exited).toEqual({ code: 0, signal: null });
  return bytes;
}

test.each(cast([ioredis(6), nodeRedis(6)]))(
  "$name: ten thousand locks in one process are renewed, none of them late, by one timer",
  async (kind) => {
    const bytes = await expectManyLocks(kind, 10_000);
    console.info(`${kind.name}: ${Math.round(bytes)} bytes for each lock that is held and renewed`);
    // So that docs/guarantees.md, which tells of 2.5 KB, stays true.
    expect(bytes).toBeLessThan(4_000);
  },
  PATIENCE,
);

test.concurrent.each(cast(kinds))(
  "$name: a thousand locks in one process are renewed, none of them late, by one timer",
  async (kind) => {
    await expectManyLocks(kind, 1_000);
  },
  PATIENCE,
);
