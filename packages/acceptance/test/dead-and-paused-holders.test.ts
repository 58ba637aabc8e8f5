/** A process that holds a lock is killed, or stopped and continued. */
import { afterAll, expect, test } from "@jest/globals";
import { compilePackage, startProcess, waitUntil, type NodeProcess } from "@redislock/test-kit";

import { cast, kinds } from "./clients.js";
import { realEnd } from "./proof.js";
import { startStage, type Scene } from "./scenes.js";

const compiled = await compilePackage(new URL("..", import.meta.url));
afterAll(compiled.remove);
const stage = await startStage();

const TTL = 5_000;
const PATIENCE = 90_000;

function startHolder(kindName: string, { key, server }: Scene, how: string): NodeProcess {
  return startProcess(compiled.file("holder"), {
    args: [kindName, `${server.port}`, key, `${TTL}`, `${server.port}`, how],
  });
}

async function fenceOf(holder: NodeProcess): Promise<number> {
  const line = await holder.waitForLine(/^held \d+$/, { timeout: PATIENCE / 2 });
  return Number(line.slice("held ".length));
}

test.concurrent.each(cast(kinds))(
  "$name: after its holder was killed, a lock is granted to who waits when its ttl is over",
  async (kind) => {
    await using scene = await stage.open(kind);
    const { key, locker } = scene;
    await using holder = startHolder(kind.name, scene, "idle");
    const fence = await fenceOf(holder);
    // By itself it asks after 15 s.
    const waiting = locker.obtain(key, 60_000, { wait: 60_000 });
    await waitUntil(async () => (await locker.inspect(key)).waiters === 1, {
      what: "it to stand in line",
    });
    await holder.stop();
    const ends = await realEnd(scene);
    const lock = await waiting;
    const late = Date.now() - ends;
    expect(late).toBeGreaterThanOrEqual(-1);
    expect(late).toBeLessThan(10_000);
    expect(lock.fencingToken).toBeGreaterThan(fence);
    await lock.release();
  },
  PATIENCE,
);

test.concurrent.each(cast(kinds))(
  "$name: a holder that was stopped past its ttl sees first of all that it holds nothing",
  async (kind) => {
    await using scene = await stage.open(kind);
    const { key, locker, server } = scene;
    await using holder = startHolder(kind.name, scene, "write");
    const fence = await fenceOf(holder);
    await holder.waitForLine("written");
    holder.kill("SIGSTOP");
    await using lock = await locker.obtain(key, 60_000, { wait: 60_000 });
    expect(lock.fencingToken).toBeGreaterThan(fence);
    const lines = await linesOf(holder);
    holder.kill("SIGCONT");
    await holder.waitForLine("told");
    await holder.waitForLine("seen that it is not held");
    // What was on its way when it was stopped is all that it wrote.
    const news = (await linesOf(holder)).slice(lines.length);
    expect(news.slice(0, news.indexOf("told"))).not.toContain("refused");
    expect(await server.command("GET", `{${key}} resource`)).toBe(`${fence}`);
    expect(await lock.ttl()).toBeGreaterThan(40_000);
  },
  PATIENCE,
);

test.concurrent.each(cast(kinds))(
  "$name: a write of a holder that was stopped between its look and its write is refused by its fencing token",
  async (kind) => {
    await using scene = await stage.open(kind);
    const { key, locker, server } = scene;
    await using holder = startHolder(kind.name, scene, "stop-before-write");
    const fence = await fenceOf(holder);
    await using lock = await locker.obtain(key, 60_000, { wait: 60_000 });
    expect(lock.fencingToken).toBeGreaterThan(fence);
    await server.command("SET", `{${key}} resource`, `${lock.fencingToken}`);
    holder.kill("SIGCONT");
    await holder.waitForLine("refused");
    expect(await server.command("GET", `{${key}} resource`)).toBe(`${lock.fencingToken}`);
  },
  PATIENCE,
);

/** All that it has said up to now. */
async function linesOf({ lines }: NodeProcess): Promise<string[]> {
  const said: string[] = [];
  const reader = lines[Symbol.asyncIterator]();
  for (;;) {
    const next = await Promise.race([
      reader.next(),
      new Promise<undefined>((resolve) => setTimeout(resolve, 50)),
    ]);
    if (!next || next.done === true) return said;
    said.push(next.value);
  }
}
