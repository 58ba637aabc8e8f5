/** What is kept for each lock, waiter and name: bytes and objects, whatever the machine's speed. */
import { afterAll, afterEach, describe, expect, test } from "@jest/globals";
import { compilePackage, startProcess, startServer } from "@redislock/test-kit";
import { createHash } from "node:crypto";

import { cast, ioredis, nodeRedis } from "./clients.js";

const compiled = await compilePackage(new URL("..", import.meta.url));
const server = await startServer();
afterEach(() => server.command("FLUSHALL"));
afterAll(async () => {
  await compiled.remove();
  await server.stop();
});

const MORE = 2_000;
const NAMES = 10_000;
/** Milliseconds: a busy machine takes its time. */
const PATIENCE = 240_000;

interface Bounds {
  readonly bytes: number;
  readonly objects: number;
}

/** About a tenth above what was measured. */
const BOUNDS: Readonly<Record<string, Bounds>> = {
  waiter: { bytes: 3_450, objects: 72 },
  "lock that is renewed": { bytes: 2_150, objects: 52 },
};

describe.each(cast([ioredis(6), nodeRedis(6)]))("$name", ({ name }) => {
  test.each(Object.entries(BOUNDS))(
    "one more %s takes no more than %o of the heap",
    async (what, bounds) => {
      await using child = startProcess(compiled.file("memory"), {
        args: [name, `${server.port}`, what, `${MORE}`],
        runtime: [process.execPath, "--expose-gc"],
      });
      const line = await child.waitForLine("one more:", { timeout: PATIENCE });
      const [bytes = NaN, objects = NaN] = line.split(" ").slice(2).map(Number);
      console.info(`${name}, ${what}: ${bytes.toFixed()} bytes, ${objects.toFixed(1)} objects`);
      expect(await child.exited).toMatchObject({ code: 0 });
      expect(bytes).toBeLessThan(bounds.bytes);
      expect(objects).toBeLessThan(bounds.objects);
    },
    PATIENCE,
  );
});

test(
  "a name of ten characters that is remembered takes no more than 120 bytes of Redis",
  async () => {
    const user = await ioredis(6).connect(server.port);
    await using locker = user.locker();
    // Names that are alike in most characters share their slots, and so what is remembered.
    const names = Array.from({ length: NAMES }, (_, n) =>
      createHash("sha1").update(`${n}`).digest("base64url").slice(0, 10),
    );
    const takeSome = async (first: number): Promise<void> => {
      const some = names.slice(first, first + 500);
      const locks = await Promise.all(some.map((key) => locker.obtain(key, 10_000)));
      await Promise.all(locks.map((lock) => lock.release()));
    };
    // What the server keeps of scripts and connections is not counted.
    await takeSome(0);
    await server.command("FLUSHALL");
    const before = await usedMemory();
    for (let first = 0; first < NAMES; first += 500) await takeSome(first);
    const bytes = ((await usedMemory()) - before) / NAMES;
    console.info(`${bytes.toFixed()} bytes of Redis for each name`);
    expect(bytes).toBeGreaterThan(0);
    expect(bytes).toBeLessThan(120);
    user.destroy();
  },
  PATIENCE,
);

async function usedMemory(): Promise<number> {
  const info = String(await server.command("INFO", "memory"));
  return Number(/^used_memory:(\d+)/m.exec(info)?.[1]);
}
