import { afterEach, beforeEach, expect, test } from "@jest/globals";

import { startSentinel, type RedisServer, type SentinelSet } from "../src/index.js";

let set: SentinelSet;
beforeEach(async () => {
  set = await startSentinel();
});
afterEach(() => set.stop());

const failOvers: Readonly<Record<string, (master: RedisServer) => Promise<RedisServer>>> = {
  planned: () => set.failOver(),
  "after a crash": async (master) => {
    await master.crash();
    return set.untilAnother(master);
  },
  "of a master that hangs": async (master) => {
    master.pause();
    return set.untilAnother(master);
  },
};

test.each(Object.entries(failOvers))("a failover: %s", async (_, failOver) => {
  const first = await set.master();
  await first.command("SET", "key", "value");
  await expect(first.command("WAIT", "1", "5000")).resolves.toBe(1);
  const second = await failOver(first);
  expect(second).not.toBe(first);
  await expect(set.master()).resolves.toBe(second);
  await expect(second.command("GET", "key")).resolves.toBe("value");
  await expect(second.command("SET", "key", "again")).resolves.toBe("OK");
});
