/** The server itself stands still: its connections stay open, and it says nothing. */
import { expect, test } from "@jest/globals";
import { failure } from "@redislock/test-kit";

import { end, realEnd, settlesWithin } from "./proof.js";
import { startStage } from "./scenes.js";

const stage = await startStage();

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

test.each([
  {
    how: "stopped",
    begin: async (): Promise<void> => {
      for (const server of stage.servers) server.pause();
    },
    finish: async (): Promise<void> => {
      for (const server of stage.servers) server.resume();
    },
  },
  {
    how: "paused by CLIENT PAUSE",
    begin: async (): Promise<void> => {
      for (const server of stage.servers) await server.command("CLIENT", "PAUSE", "6000", "ALL");
    },
    finish: () => wait(6_000 - 4_500),
  },
])("while the server is $how, every holder is told at its deadline", async ({ begin, finish }) => {
  await using all = await stage.openAll();
  const locks = await all.each(async (scene) => ({
    lock: await scene.locker.obtain(scene.key, 4_500, { renew: true }),
    realEnd: await realEnd(scene),
  }));
  await begin();
  const ends = await Promise.all(locks.map(({ lock }) => end(lock)));
  await finish();
  for (const [index, { reason, heldWhenTold, wallDeadline, early }] of ends.entries()) {
    expect(reason).toMatchObject({ code: "LOST", reason: "unreachable" });
    expect(heldWhenTold).toBe(false);
    expect(early).toBe(false);
    expect(wallDeadline).toBeLessThanOrEqual(locks[index]?.realEnd ?? 0);
  }
});

test("a pause of writing that is shorter than the deadline is waited out", async () => {
  await using all = await stage.openAll();
  for (const server of stage.servers) await server.command("CLIENT", "PAUSE", "800", "WRITE");
  await all.each(async ({ locker, key }) => {
    const lock = await locker.obtain(key, 10_000);
    await lock.release();
  });
});

test("while the server is stopped, calls end by their own deadline, and afterwards nothing is left", async () => {
  await using all = await stage.openAll({ commandTimeout: 1_000 });
  for (const server of stage.servers) server.pause();
  await all.each(async ({ locker, key }) => {
    const obtaining = failure(locker.obtain(key, 60_000));
    // Less than two timeouts, and as long as a busy machine may need.
    expect(await settlesWithin(1_900, obtaining)).toBe(true);
    expect(await obtaining).toMatchObject({ code: "UNKNOWN" });
  });
  for (const server of stage.servers) server.resume();
  await all.each(async ({ key, anotherLocker }) => {
    const lock = await anotherLocker().obtain(key, 10_000, { wait: 20_000 });
    await lock.release();
  });
});
