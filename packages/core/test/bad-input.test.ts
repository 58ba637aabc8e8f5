import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { VirtualClock, failure } from "@redislock/test-kit";

import {
  exponentialBackoff,
  jitter,
  limitRetry,
  linearBackoff,
  Locker,
  obtain,
  type Lock,
  type LockerOptions,
  type RedisClient,
} from "../src/index.js";
import { startRedis } from "./redis.js";

const { proxy, client, locker } = await startRedis();

/** The library as callers without types see it: by methods, which TypeScript lets take anything. */
interface UntypedLocker {
  obtain(key: unknown, ttl: unknown, options?: unknown): Promise<unknown>;
  tryObtain(key: unknown, ttl: unknown, options?: unknown): Promise<unknown>;
  using(key: unknown, ttl: unknown, ...rest: unknown[]): Promise<unknown>;
  inspect(key: unknown): Promise<unknown>;
  forceRelease(key: unknown): Promise<unknown>;
}

const untyped: {
  locker(options?: unknown): UntypedLocker;
  createLocker(client: unknown, options?: unknown): unknown;
  obtain(client: unknown, key: unknown, ttl: unknown, options?: unknown): Promise<unknown>;
  linearBackoff(backoff: unknown): unknown;
  exponentialBackoff(min: unknown, max?: unknown): unknown;
  limitRetry(strategy: unknown, max: unknown): unknown;
  jitter(strategy: unknown, fraction?: unknown, random?: unknown): unknown;
} = {
  locker,
  createLocker: (client: RedisClient, options?: LockerOptions) => new Locker(client, options),
  obtain,
  linearBackoff,
  exponentialBackoff,
  limitRetry,
  jitter,
};

/** What is wrong, the error it gets, what its message must say, and the value. */
type Row = readonly [string, typeof TypeError, RegExp, unknown];

const name = "k";

const keys: Row[] = [
  ["empty", RangeError, /key must not be empty/, ""],
  ["undefined", TypeError, /key must be a string or an array, got undefined/, undefined],
  ["null", TypeError, /key must be a string or an array, got null/, null],
  ["a number", TypeError, /key must be a string or an array, got number/, 7],
  ["an object", TypeError, /key must be a string or an array, got object/, {}],
  ["bytes", TypeError, /key must be a string or an array, got object/, Buffer.from("k")],
  ["a String object", TypeError, /key must be a string or an array, got object/, Object("k")],
  ["a byte too long", RangeError, /key must have at most 1024 bytes, got 1025/, "a".repeat(1025)],
  ["too long in UTF-8", RangeError, /key must have at most 1024 bytes, got 1026/, "я".repeat(513)],
  ["a lone high surrogate", TypeError, /key must be well-formed/, "a\ud83d"],
  ["a lone low surrogate", TypeError, /key must be well-formed/, "\udd12a"],
  ["surrogates the wrong way round", TypeError, /key must be well-formed/, "\udd12\ud83d"],
  ["a companion's name", RangeError, /key must not end like/, "a:redislock:line{abc}"],
  ["the fence of a namespace", RangeError, /key must not end like/, "{app}:redislock"],
  ["no keys at all", RangeError, /keys must hold 1 to 100 keys, got 0/, []],
  [
    "too many keys",
    RangeError,
    /keys must hold 1 to 100 keys, got 101/,
    Array.from({ length: 101 }, (_, index) => `k${index}`),
  ],
  ["an empty one among several", RangeError, /key must not be empty/, ["a", ""]],
  ["a number among several", TypeError, /key must be a string, got number/, ["a", 7]],
  ["a hole among several", TypeError, /key must be a string, got undefined/, new Array(2)],
  ["a list in a list", TypeError, /key must be a string, got an array/, [["a"]]],
];

function durations(argument: string): Row[] {
  const range = new RegExp(`${argument} must be a whole number of 10 to 2147483647 ms, got`);
  const number = new RegExp(`${argument} must be a number of milliseconds, got`);
  return [
    ["0", RangeError, range, 0],
    ["-1", RangeError, range, -1],
    ["too short for a lease", RangeError, range, 9],
    ["NaN", RangeError, range, NaN],
    ["Infinity", RangeError, range, Infinity],
    ["-Infinity", RangeError, range, -Infinity],
    ["a fraction", RangeError, range, 1000.5],
    ["2^31", RangeError, range, 2 ** 31],
    ["2^53", RangeError, range, 2 ** 53],
    ['"1000"', TypeError, number, "1000"],
    ["a bigint", TypeError, number, 1000n],
    ["a Date", TypeError, number, new Date()],
    ["null", TypeError, number, null],
    ["true", TypeError, number, true],
  ];
}

const optionsRows: Row[] = [
  ["options: null", TypeError, /options must be an object, got null/, null],
  ["options: a number", TypeError, /options must be an object, got number/, 5],
  ["options: an array", TypeError, /options must be an object, got an array/, []],
  ["options: a text", TypeError, /options must be an object, got string/, "wait"],
  [
    "retry with wait",
    TypeError,
    /retry and wait exclude each other/,
    { retry: linearBackoff(5), wait: 5 },
  ],
  ["retry: a number", TypeError, /retry must be a retry strategy/, { retry: 100 }],
  ["retry: null", TypeError, /retry must be a retry strategy/, { retry: null }],
  ["retry: an object", TypeError, /retry must be a retry strategy/, { retry: { delay: 100 } }],
  ["retry gives -1", RangeError, /retry must return 0 or 1 to 2147483647 ms/, { retry: () => -1 }],
  ["retry gives NaN", RangeError, /retry must return 0 or 1 to/, { retry: () => NaN }],
  ["retry gives Infinity", RangeError, /retry must return 0 or 1 to/, { retry: () => Infinity }],
  ["retry gives 0.1", RangeError, /retry must return 0 or 1 to/, { retry: () => 0.1 }],
  ["retry gives 2^31", RangeError, /retry must return 0 or 1 to/, { retry: () => 2 ** 31 }],
  ['retry gives "100"', RangeError, /retry must return 0 or 1 to/, { retry: () => "100" }],
  ["retry gives nothing", RangeError, /retry must return 0 or 1 to/, { retry: () => undefined }],
  ["retry gives a promise", RangeError, /retry must return 0 or 1 to/, { retry: async () => 100 }],
  ["wait: -1", RangeError, /wait must be 0 to 2147483647 ms or Infinity/, { wait: -1 }],
  ["wait: NaN", RangeError, /wait must be 0 to 2147483647 ms or Infinity/, { wait: NaN }],
  ["wait: 2^31", RangeError, /wait must be 0 to 2147483647 ms or Infinity/, { wait: 2 ** 31 }],
  ["wait: -Infinity", RangeError, /wait must be 0 to 2147483647 ms/, { wait: -Infinity }],
  ['wait: "100"', TypeError, /wait must be a number of milliseconds or Inf/, { wait: "100" }],
  ["wait: null", TypeError, /wait must be a number of milliseconds or Inf/, { wait: null }],
  ["wait: true", TypeError, /wait must be a number of milliseconds or Inf/, { wait: true }],
  [
    "signal: what only looks like one",
    TypeError,
    /signal must be an AbortSignal/,
    { signal: { aborted: false, reason: undefined, throwIfAborted: () => undefined } },
  ],
  ["signal: an object", TypeError, /signal must be an AbortSignal/, { signal: {} }],
  ["signal: a text", TypeError, /signal must be an AbortSignal, got string/, { signal: "stop" }],
  ["signal: null", TypeError, /signal must be an AbortSignal/, { signal: null }],
  [
    "signal: its controller",
    TypeError,
    /signal must be an AbortSignal/,
    { signal: new AbortController() },
  ],
  ["metadata: a number", TypeError, /metadata must be a string, got number/, { metadata: 5 }],
  ["metadata: an object", TypeError, /metadata must be a string, got object/, { metadata: {} }],
  ["metadata: null", TypeError, /metadata must be a string, got null/, { metadata: null }],
  [
    "metadata too long",
    RangeError,
    /metadata must have at most 4096 bytes, got 4097/,
    { metadata: "m".repeat(4097) },
  ],
  [
    "metadata too long in UTF-8",
    RangeError,
    /metadata must have at most 4096 bytes, got 4100/,
    { metadata: "🔒".repeat(1025) },
  ],
  [
    "metadata with a lone surrogate",
    TypeError,
    /metadata must be well-formed/,
    { metadata: "\ud83d" },
  ],
  [
    "token: empty",
    RangeError,
    /token must have 16 to 256 characters of printable ASCII without spaces, got 0/,
    { token: "" },
  ],
  [
    "token: weak",
    RangeError,
    /token must have 16 to 256 characters of printable ASCII without spaces, got 5/,
    { token: "job-1" },
  ],
  [
    "token: a character too short",
    RangeError,
    /token must have 16 to 256 characters of printable ASCII without spaces, got 15/,
    { token: "t".repeat(15) },
  ],
  [
    "token: too long",
    RangeError,
    /token must have 16 to 256 characters of printable ASCII without spaces, got 257/,
    { token: "t".repeat(257) },
  ],
  ["token: a number", TypeError, /token must be a string, got number/, { token: 1234567890123456 }],
  ["token: null", TypeError, /token must be a string, got null/, { token: null }],
  ...durations("holdAtLeast").map(([what, type, message, holdAtLeast]): Row => [
    `holdAtLeast: ${what}`,
    type,
    message,
    { holdAtLeast },
  ]),
  [
    "holdAtLeast with token",
    TypeError,
    /holdAtLeast and token exclude each other/,
    { holdAtLeast: 10, token: "0123456789abcdef" },
  ],
  ...[
    "0123456789 abcdef",
    "0123456789\nabcde",
    "0123456789-ключ",
    "0123456789abcde\ud83d",
    "0123456789abcde\x7f",
  ].map((token): Row => [
    `token: ${JSON.stringify(token)}`,
    RangeError,
    /token must have 16 to 256 characters of printable ASCII without spaces/,
    { token },
  ]),
];

function expectRejection(error: unknown, type: typeof TypeError, message: RegExp): void {
  expect(error).toBeInstanceOf(type);
  expect(String(error)).toMatch(message);
}

describe("before anything is sent", () => {
  afterEach(() => {
    expect(proxy.commands.all).toEqual([]);
  });

  const calls: [string, (key: unknown, ttl: unknown, options?: unknown) => Promise<unknown>][] = [
    ["obtain", (...args) => untyped.locker().obtain(...args)],
    ["tryObtain", (...args) => untyped.locker().tryObtain(...args)],
    ["using", (key, ttl, options = {}) => untyped.locker().using(key, ttl, options, () => 1)],
    ["the function obtain", (...args) => untyped.obtain(client(), ...args)],
  ];
  describe.each(calls)("%s", (_, call) => {
    test.each(keys)("key: %s", async (_what, type, message, key) => {
      expectRejection(await failure(call(key, 10_000)), type, message);
    });

    test.each(durations("ttl"))("ttl: %s", async (_what, type, message, ttl) => {
      expectRejection(await failure(call(name, ttl)), type, message);
    });

    test("ttl: missing", async () => {
      const error = await failure(call(name, undefined));
      expectRejection(error, TypeError, /ttl must be a number of milliseconds, got undefined/);
    });

    test.each(optionsRows)("%s", async (_what, type, message, options) => {
      expectRejection(await failure(call(name, 10_000, options)), type, message);
    });

    test("options left undefined are as if left out", async () => {
      const reason = new Error("stop here");
      const options = {
        ...{ retry: undefined, wait: undefined, metadata: undefined, token: undefined },
        ...{ renew: undefined, signal: AbortSignal.abort(reason) },
      };
      expect(await failure(call(name, 10_000, options))).toBe(reason);
    });
  });

  test.each([1, null, "yes"])("renew: %j", async (renew) => {
    const error = await failure(untyped.locker().obtain(name, 10_000, { renew }));
    expectRejection(error, TypeError, /renew must be true or false/);
  });

  test("renew: false in using, whose lock is always renewed", async () => {
    const call = untyped.locker().using(name, 10_000, { renew: false }, () => 1);
    expectRejection(await failure(call), TypeError, /renew cannot be false in using/);
  });

  test.each([
    ["missing", []],
    ["no function", ["text"]],
    ["missing after options", [{ wait: 5 }]],
    ["no function after options", [{ wait: 5 }, {}]],
  ])("using without fn: %s", async (_, rest) => {
    const error = await failure(untyped.locker().using(name, 10_000, ...rest));
    expectRejection(error, TypeError, /fn must be a function that takes the lock/);
  });

  describe.each([
    ["inspect", (key: unknown) => untyped.locker().inspect(key)],
    ["forceRelease", (key: unknown) => untyped.locker().forceRelease(key)],
  ])("%s", (_, call) => {
    const rows = keys.filter(([, , , key]) => !Array.isArray(key));
    test.each(rows)("key: %s", async (_what, type, _message, key) => {
      expectRejection(await failure(call(key)), type, /key must/);
    });

    test("a list of keys", async () => {
      expectRejection(await failure(call(["a"])), TypeError, /key must be a string/);
    });
  });

  const optionsOfLockers: Row[] = [
    ["options: null", TypeError, /options must be an object, got null/, null],
    ["options: a text", TypeError, /options must be an object, got string/, "app:"],
    ["namespace: a number", TypeError, /namespace must be a string, got number/, { namespace: 1 }],
    ["namespace: null", TypeError, /namespace must be a string, got null/, { namespace: null }],
    [
      "namespace too long",
      RangeError,
      /namespace must have at most 256 bytes, got 257/,
      { namespace: "n".repeat(257) },
    ],
    [
      "namespace with a lone surrogate",
      TypeError,
      /namespace must be well-formed/,
      { namespace: "\ud83d" },
    ],
    ["onEvent: an object", TypeError, /onEvent must be a function/, { onEvent: {} }],
    ["onEvent: null", TypeError, /onEvent must be a function/, { onEvent: null }],
    ...["commandTimeout", "rememberFence"].flatMap((option) =>
      durations(option).map(([what, type, message, ms]): Row => [
        `${option}: ${what}`,
        type,
        message,
        { [option]: ms },
      ]),
    ),
  ];
  test.each(optionsOfLockers)("new Locker, %s", (_, type, message, options) => {
    const construct = (): unknown => untyped.createLocker(client(), options);
    expect(construct).toThrow(type);
    expect(construct).toThrow(message);
  });

  const noClients: [string, unknown][] = [
    ["undefined", undefined],
    ["null", null],
    ["an address", "redis://127.0.0.1"],
    ["an empty object", {}],
    ["run that is no function", { run: true }],
    ["a function", () => 1],
  ];
  test.each(noClients)("a client that is none: %s", async (_, none) => {
    const message = /client must be a RedisClient/;
    expect(() => untyped.createLocker(none)).toThrow(TypeError);
    expect(() => untyped.createLocker(none)).toThrow(message);
    expectRejection(await failure(untyped.obtain(none, name, 10_000)), TypeError, message);
  });

  test("a client that is closed", async () => {
    const redis = client();
    const one = new Locker(redis);
    await redis.close();
    for (const call of [
      one.obtain(name, 10_000),
      one.tryObtain(name, 10_000),
      one.using(name, 10_000, () => 1),
      one.inspect(name),
      one.forceRelease(name),
      obtain(redis, name, 10_000),
    ]) {
      expectRejection(await failure(call), TypeError, /client is closed: connect it/);
    }
  });

  const delays: Row[] = [
    ["0", RangeError, /must be 1 to 2147483647 ms, got 0/, 0],
    ["-5", RangeError, /must be 1 to 2147483647 ms, got -5/, -5],
    ["NaN", RangeError, /must be 1 to 2147483647 ms, got NaN/, NaN],
    ["Infinity", RangeError, /must be 1 to 2147483647 ms, got Infinity/, Infinity],
    ["2^31", RangeError, /must be 1 to 2147483647 ms, got 2147483648/, 2 ** 31],
    ['"100"', TypeError, /must be a number of milliseconds/, "100"],
    ["null", TypeError, /must be a number of milliseconds/, null],
  ];
  test.each(delays)("a delay of %s", (_, type, message, delay) => {
    expect(() => untyped.linearBackoff(delay)).toThrow(type);
    expect(() => untyped.linearBackoff(delay)).toThrow(new RegExp(`^backoff ${message.source}`));
    expect(() => untyped.exponentialBackoff(0, delay)).toThrow(type);
    expect(() => untyped.exponentialBackoff(0, delay)).toThrow(
      new RegExp(`^max ${message.source}`),
    );
  });

  const strategies: [string, typeof TypeError, RegExp, () => unknown][] = [
    ["min: -1", RangeError, /^min must be 0 to/, () => exponentialBackoff(-1)],
    ["min: NaN", RangeError, /^min must be 0 to/, () => exponentialBackoff(NaN)],
    ['min: "10"', TypeError, /^min must be a number/, () => untyped.exponentialBackoff("10")],
    [
      "min above max",
      RangeError,
      /^min must not be above max, got 10 and 5/,
      () => exponentialBackoff(10, 5),
    ],
    ...[-1, NaN, 1.5, Infinity, "3"].map((max): (typeof strategies)[number] => [
      `max: ${JSON.stringify(max)}`,
      RangeError,
      /^max must be a whole number of at least 0, got/,
      () => untyped.limitRetry(linearBackoff(1), max),
    ]),
    ...[0, -0.5, 1.5, NaN].map((fraction): (typeof strategies)[number] => [
      `fraction: ${fraction}`,
      RangeError,
      /^fraction must be above 0 and at most 1, got/,
      () => jitter(linearBackoff(1), fraction),
    ]),
    [
      'fraction: "0.5"',
      TypeError,
      /^fraction must be a number/,
      () => untyped.jitter(linearBackoff(1), "0.5"),
    ],
    [
      "random: 7",
      TypeError,
      /^random must be a function/,
      () => untyped.jitter(linearBackoff(1), 0.5, 7),
    ],
    [
      "a strategy that is none, limited",
      TypeError,
      /^strategy must be a retry strategy, such as linearBackoff/,
      () => untyped.limitRetry(100, 3),
    ],
    [
      "a strategy that is none, with jitter",
      TypeError,
      /^strategy must be a retry strategy/,
      () => untyped.jitter(undefined),
    ],
  ];
  test.each(strategies)("%s", (_, type, message, construct) => {
    expect(construct).toThrow(type);
    expect(construct).toThrow(message);
  });
});

describe("before anything is sent of a lock that is held", () => {
  let lock: Lock;

  beforeEach(async () => {
    lock = await locker().obtain(name, 10_000);
    proxy.commands.clear();
  });

  test.each(durations("ttl"))("refresh, ttl: %s", async (_, type, message, ttl) => {
    const untypedLock: { refresh(ttl: unknown): Promise<void> } = lock;
    expectRejection(await failure(untypedLock.refresh(ttl)), type, message);
    expect(proxy.commands.all).toEqual([]);
    expect(lock.held).toBe(true);
  });
});

test("no message tells the token, nor a weak one", async () => {
  const error = await failure(locker().obtain(name, 10_000, { token: "s3cret" }));
  expect(String(error)).not.toContain("s3cret");
});

test("what is just allowed is allowed", async () => {
  const one = locker({ namespace: "n".repeat(256), commandTimeout: 2 ** 31 - 1 });
  for (const [key, ttl, options] of [
    ["k".repeat(1024), 2 ** 31 - 1, { metadata: "m".repeat(4096), token: "t".repeat(256) }],
    ["🔒".repeat(256), 1_000, { metadata: "🔒".repeat(1024), token: "t".repeat(16), wait: 0 }],
    [" ", 1_000, { wait: Infinity, renew: false }],
    ["x", 1_000, { retry: exponentialBackoff(0, 1) }],
    ["y", 1_000, { wait: 2 ** 31 - 1 }],
    ["z", 1_000, { wait: 0.5 }],
    ["first and last of ASCII", 1_000, { token: "!".repeat(8) + "~".repeat(8) }],
    ["polled soon", 1_000, { retry: () => 1 }],
    ["polled late", 1_000, { retry: () => 2 ** 31 - 1 }],
    ["one permit", 1_000, { limit: 1, permits: 1 }],
    ["all permits", 1_000, { limit: 2 ** 31 - 1, permits: 2 ** 31 - 1 }],
    [Array.from({ length: 200 }, (_, n) => `one of ${n % 100}`), 1_000, {}],
    ["held", 10_000, { holdAtLeast: 10 }],
    ["held for long", 10_000, { holdAtLeast: 2 ** 31 - 1 }],
  ] as const) {
    await (await one.obtain(key, ttl, options)).release();
  }
  for (const [min, max] of [
    [0, 1],
    [1, 1],
    [2 ** 31 - 1, 2 ** 31 - 1],
  ] as const) {
    expect(exponentialBackoff(min, max)(1)).toBe(Math.max(min, 1));
  }
  for (const ms of [1, 2 ** 31 - 1]) expect(linearBackoff(ms)(1)).toBe(ms);
  for (const grace of [0, 2 ** 31 - 1, Infinity]) await locker().close({ grace });
  for (const ms of [10, 2 ** 31 - 1]) locker({ commandTimeout: ms, rememberFence: ms });
  const name = "n".repeat(4096);
  expect(await one.lead("led", 1_000, { name }, (term) => term.name)).toBe(name);
  const timeless = locker({ clock: new VirtualClock() });
  expect(await timeless.obtain("ten", 10)).toMatchObject({ key: "ten" });
});
