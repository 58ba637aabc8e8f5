import { expect, test } from "@jest/globals";

import { Locker, type RedisClient } from "../src/index.js";

const client: RedisClient = { run: () => Promise.resolve(null) };

test("a locker is an instance of Locker, and of nothing else", () => {
  const locker = new Locker(client);
  expect(locker).toBeInstanceOf(Locker);
  expect(locker.constructor).toBe(Locker);
  expect(Locker.name).toBe("Locker");
  for (const other of [client, null, undefined, "locker", Locker]) {
    expect(other).not.toBeInstanceOf(Locker);
  }
});

test("a class of the user's own can extend it", () => {
  class Own extends Locker {
    twice(): number {
      return 2;
    }
  }
  const own = new Own(client);
  expect(own.twice()).toBe(2);
  expect(own).toBeInstanceOf(Own);
  expect(own).toBeInstanceOf(Locker);
  expect(new Locker(client)).not.toBeInstanceOf(Own);
});

test("a locker of another copy of this package is known as one", () => {
  const foreign = {};
  Object.defineProperty(foreign, Symbol.for("redislock.locker"), { value: true });
  expect(foreign).toBeInstanceOf(Locker);
  expect({}).not.toBeInstanceOf(Locker);
  class Mine extends Locker {}
  expect(foreign).not.toBeInstanceOf(Mine);
});
