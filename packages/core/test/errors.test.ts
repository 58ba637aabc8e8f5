import { describe, expect, test } from "@jest/globals";
import { execFile } from "node:child_process";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { inspect, promisify } from "node:util";

import {
  LockerClosedError,
  LockLostError,
  LockNotHeldError,
  NotALockError,
  NotObtainedError,
  OutcomeUnknownError,
  RedisLockError,
  RefusedError,
  type ErrorCode,
} from "../src/index.js";
import { ServerError } from "../src/adapter.js";

const keys = ["order:1", "order:2"];
const holder = { metadata: "host 7", fencingToken: 5, remaining: 1_234 };
const cause = new Error("the reason");
const refusal = new ServerError("NOPERM no");

type ErrorClass = new (...args: never[]) => RedisLockError;

/** One of each: its name, its code, the class, what its message says, and what it tells besides. */
const errors: [string, ErrorCode, ErrorClass, RedisLockError, string, object][] = [
  [
    "NotObtainedError",
    "NOT_OBTAINED",
    NotObtainedError,
    new NotObtainedError(keys, { holder, waited: 7, attempts: 3, position: 2 }),
    '"order:1", "order:2" not obtained: another holds it for 1234 ms more',
    { keys, key: "order:1", holder, waited: 7, attempts: 3, position: 2 },
  ],
  [
    "LockNotHeldError",
    "NOT_HELD",
    LockNotHeldError,
    new LockNotHeldError(keys, "it was released before", cause),
    '"order:1", "order:2" not held: it was released before',
    { keys, key: "order:1", cause },
  ],
  [
    "LockLostError",
    "LOST",
    LockLostError,
    new LockLostError(keys, "unreachable", cause),
    '"order:1", "order:2" lost: Redis could not be asked in time whether it is still held',
    { keys, key: "order:1", reason: "unreachable", cause },
  ],
  [
    "OutcomeUnknownError",
    "UNKNOWN",
    OutcomeUnknownError,
    new OutcomeUnknownError(keys, "release", "no answer in 2000 ms", cause),
    'release of "order:1", "order:2": outcome unknown: no answer in 2000 ms',
    { keys, key: "order:1", operation: "release", cause },
  ],
  [
    "RefusedError",
    "REFUSED",
    RefusedError,
    new RefusedError(keys, "obtain", refusal),
    'obtain of "order:1", "order:2" refused: NOPERM no',
    { keys, key: "order:1", operation: "obtain", reply: "NOPERM", cause: refusal },
  ],
  [
    "NotALockError",
    "NOT_A_LOCK",
    NotALockError,
    new NotALockError(keys, refusal),
    '"order:1", "order:2" does not hold a lock but another type of data',
    { keys, key: "order:1", cause: refusal },
  ],
  [
    "LockerClosedError",
    "CLOSED",
    LockerClosedError,
    new LockerClosedError(keys),
    '"order:1", "order:2" not obtained: the locker was closed',
    { keys, key: "order:1" },
  ],
  ["ServerError", "SERVER", ServerError, refusal, "NOPERM no", { key: "", reply: "NOPERM" }],
];

describe.each(errors)("%s", (name, code, type, error, message, facts) => {
  test("has its name, code and message, and tells the facts", () => {
    expect(error).toMatchObject({ name, code, message, ...facts });
  });

  test("is an Error, a RedisLockError, of its own class, and of no other", () => {
    expect(error).toBeInstanceOf(Error);
    expect(error).toBeInstanceOf(RedisLockError);
    expect(error).toBeInstanceOf(type);
    for (const [, , other] of errors) expect(error instanceof other).toBe(other === type);
  });

  test("reads well when it is printed", () => {
    expect(String(error)).toBe(`${name}: ${message}`);
    const printed = inspect(error);
    expect(printed.startsWith(`${name}: ${message}\n    at `)).toBe(true);
    expect(printed).toContain(`code: '${code}'`);
  });

  test("goes into a log as JSON with its code and facts", () => {
    const json: unknown = JSON.parse(JSON.stringify(error));
    expect(json).toMatchObject({ code, keys: error.keys });
    expect(json).not.toHaveProperty("cause");
  });

  test("has no cause where there is none", () => {
    expect("cause" in error).toBe("cause" in facts);
  });
});

test.each([
  [{ ...holder, remaining: Infinity }, /taken without a ttl and will not end by itself/],
  [{ ...holder, own: true }, /: this process holds it itself, for 1234 ms more$/],
  [undefined, /others stand before us in line/],
])("NotObtainedError says why, holder %j", (who, why) => {
  expect(new NotObtainedError(keys, { holder: who, waited: 0, attempts: 1 }).message).toMatch(why);
});

test.each([
  ["expired", /its ttl ran out/],
  ["taken", /another holds it now/],
  ["deleted", /it was removed from Redis/],
  ["unreachable", /could not be asked in time/],
  ["dropped", /not renewed any more, because nothing kept the lock object or its signal/],
] as const)("LockLostError says why: %s", (reason, why) => {
  expect(new LockLostError(keys, reason)).toMatchObject({ reason });
  expect(new LockLostError(keys, reason).message).toMatch(why);
});

test("NotALockError says which of its keys holds what", () => {
  const error = new NotALockError(["k"], new ServerError("WRONGTYPE k:line holds a hash"));
  expect(error.message).toBe(
    '"k" does not hold a lock but another type of data: k:line holds a hash',
  );
  const unclear = new NotALockError(["k"], new ServerError("WRONGTYPE no"));
  expect(unclear.message).toBe('"k" does not hold a lock but another type of data');
});

test("names with quotes and line breaks do not disguise the message", () => {
  const error = new LockNotHeldError(['a" not held:\n'], "it was released before");
  expect(error.message).toBe('"a\\" not held:\\n" not held: it was released before');
});

test("what only looks like one of our errors is none", () => {
  const [, , , real] = errors[0] ?? [];
  const alike: unknown[] = [
    Object.assign(new Error("no"), { name: "LockLostError", code: "LOST", keys }),
    { name: "LockLostError", code: "LOST", keys, message: "lost" },
    JSON.parse(JSON.stringify(real)),
    new TypeError("bad input"),
    "LOST",
    null,
    undefined,
    () => 1,
  ];
  for (const one of alike) {
    expect(one instanceof RedisLockError).toBe(false);
    for (const [, , type] of errors) expect(one instanceof type).toBe(false);
  }
});

test("what another copy of this package has made is known by its brand and code", () => {
  const foreign = Object.assign(new Error("lost"), { code: "LOST" });
  Object.defineProperty(foreign, Symbol.for("redislock.error"), { value: true });
  expect(foreign).toBeInstanceOf(RedisLockError);
  for (const [, code, type] of errors) expect(foreign instanceof type).toBe(code === "LOST");
});

test("a class of the user's own, made from one of ours, knows its own and only its own", () => {
  class MyLoss extends LockLostError {}
  const mine = new MyLoss(keys, "taken");
  expect(mine).toBeInstanceOf(MyLoss);
  expect(mine).toBeInstanceOf(LockLostError);
  expect(new LockLostError(keys, "taken") instanceof MyLoss).toBe(false);
});

test("an error of the CommonJS copy is recognised by the ES module copy, and the other way round", async () => {
  // In a Node of its own, for the copies as they are published, found as a user's code finds them.
  const code = `
    import { createRequire } from "node:module";
    import * as core from "@redislock/core";
    import * as adapter from "@redislock/core/adapter";
    const require = createRequire(import.meta.url);
    const esm = { ...core, ...adapter };
    const cjs = { ...require("@redislock/core"), ...require("@redislock/core/adapter") };
    const kinds = ["NotObtainedError", "LockNotHeldError", "LockLostError", "OutcomeUnknownError",
      "RefusedError", "NotALockError", "LockerClosedError", "ServerError"];
    const make = (copy, kind) =>
      kind === "NotObtainedError" ? new copy[kind](["k"], { waited: 0, attempts: 1 })
      : kind === "ServerError" ? new copy[kind]("ERR no")
      : kind === "RefusedError" ? new copy[kind](["k"], "obtain", new copy.ServerError("ERR no"))
      : new copy[kind](["k"], "taken", new copy.ServerError("ERR no"));
    const wrong = [];
    if (cjs.RedisLockError === esm.RedisLockError) wrong.push("the copies are one");
    for (const [from, to] of [[cjs, esm], [esm, cjs]]) {
      for (const kind of kinds) {
        const error = make(from, kind);
        if (!(error instanceof to.RedisLockError)) wrong.push(kind + " is no RedisLockError");
        for (const other of kinds) {
          if (error instanceof to[other] !== (kind === other)) wrong.push(kind + " as " + other);
        }
      }
    }
    console.log(JSON.stringify(wrong));`;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--input-type=module", "--eval", code],
    { cwd: dirname(dirname(fileURLToPath(import.meta.url))) },
  );
  expect(JSON.parse(stdout)).toEqual([]);
});
