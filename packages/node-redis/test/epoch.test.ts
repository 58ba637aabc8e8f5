/** What stands for a client's connection: without a server. */
import { expect, test } from "@jest/globals";

import { nodeRedisClient } from "../src/index.js";

test("while it connects, the epoch is like no other, and then the one that it counts", () => {
  const redis = {
    ...{ isOpen: true, isReady: false, socketEpoch: 0 },
    evalSha: () => Promise.resolve(),
    eval: () => Promise.resolve(),
    execute: () => Promise.reject(new Error("it opens none")),
  };
  const client = nodeRedisClient(redis);
  const first = client.epoch;
  expect(first).toBeDefined();
  expect(client.epoch).not.toBe(first);
  expect([client.epoch, first]).not.toContain(0);
  redis.isReady = true;
  expect([client.epoch, client.epoch]).toEqual([0, 0]);
  redis.socketEpoch++;
  expect(client.epoch).toBe(1);
  Reflect.deleteProperty(redis, "isReady");
  expect(client.epoch).toBe(1);
});
