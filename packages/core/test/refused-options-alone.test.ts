/** Options that go together with no others, or that only look like what they should be: without a server. */
import { describe, expect, test } from "@jest/globals";
import { failure } from "@redislock/test-kit";

import { Locker, type ObtainOptions, type RedisClient } from "../src/index.js";

const TTL = 20_000;

/** What comes of asking for a lock when nothing may be sent. */
async function refusal(
  key: string | readonly string[],
  options: object,
  more: Partial<RedisClient> = {},
): Promise<string> {
  const run = (): never => {
    throw new Error("nothing may be sent");
  };
  return String(await failure(new Locker({ run, ...more }).obtain(key, TTL, options)));
}

describe("locks that are shared or counted", () => {
  test.each<[ObtainOptions, string]>([
    [{ limit: 0 }, "RangeError: limit must be a whole number from 1 to 2147483647, got 0"],
    [{ limit: 1.5 }, "RangeError: limit must be a whole number from 1 to 2147483647, got 1.5"],
    [
      { limit: 2 ** 31 },
      "RangeError: limit must be a whole number from 1 to 2147483647, got 2147483648",
    ],
    [{ limit: NaN }, "RangeError: limit must be a whole number from 1 to 2147483647, got NaN"],
    [{ limit: 2, permits: 3 }, "RangeError: permits must be a whole number from 1 to 2, got 3"],
    [{ limit: 2, permits: 0 }, "RangeError: permits must be a whole number from 1 to 2, got 0"],
    [{ permits: 1 }, "TypeError: permits need a limit: how many there are"],
    [{ mode: "shared", permits: 1 }, "TypeError: permits need a limit: how many there are"],
    [
      { mode: "shared", limit: 1 },
      'TypeError: mode "shared" and limit exclude each other: a limit is a mode by itself',
    ],
    [
      { mode: "exclusive", limit: 1 },
      'TypeError: mode "exclusive" and limit exclude each other: a limit is a mode by itself',
    ],
    [JSON.parse('{"mode":"read"}'), 'TypeError: mode must be "exclusive" or "shared", got "read"'],
    [JSON.parse('{"mode":7}'), 'TypeError: mode must be "exclusive" or "shared", got number'],
    [JSON.parse('{"limit":"5"}'), "TypeError: limit must be a whole number, got string"],
  ])("%j", async (options, message) => {
    expect(await refusal("k", options)).toBe(message);
  });

  test.each<ObtainOptions>([{ mode: "shared" }, { limit: 2 }])(
    "several, with %j",
    async (options) => {
      expect(await refusal(["a", "b"], options)).toBe(
        "TypeError: several keys cannot be shared or counted: obtain them one by one",
      );
    },
  );
});

test("keys of several slots of a cluster", async () => {
  expect(await refusal(["{a}:1", "{a}:2", "b"], {}, { cluster: true })).toBe(
    'RangeError: keys must share a hash slot in a cluster: "{a}:1" is in 15495, "b" in 3300; ' +
      'give them a common hash tag, as in "{order:1}:a" and "{order:1}:b"',
  );
});

test.each([...["aborted", "reason", "addEventListener", "removeEventListener", "throwIfAborted"]])(
  "a signal without %s",
  async (missing) => {
    const run = (): void => undefined;
    const all = {
      ...{ aborted: false, reason: undefined },
      ...{ addEventListener: run, removeEventListener: run, throwIfAborted: run },
    };
    Reflect.deleteProperty(all, missing);
    expect(await refusal("k", { signal: all })).toBe(
      "TypeError: signal must be an AbortSignal, got object",
    );
  },
);
