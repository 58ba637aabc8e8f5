import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { connect, failure, startServer, VirtualClock } from "@redislock/test-kit";
import { inspect } from "node:util";

import {
  Locker,
  RedisLockError,
  type Lock,
  type LockEvent,
  type Reply,
  type Script,
} from "../src/index.js";
import { ServerError } from "../src/adapter.js";
import { startRedis } from "./redis.js";
import { RespClient } from "./resp-client.js";

const { server, proxy, client, locker, untilInLine } = await startRedis();

const token = "secret-of-the-asker-1234";
const othersToken = "secret-of-the-holder-567";

/** Everything that can be seen of it in a log. */
function everythingIn(value: unknown): string {
  const printed = inspect(value, { depth: 10, showHidden: true, maxStringLength: null });
  return `${printed}\n${String(value)}\n${JSON.stringify(value) ?? ""}`;
}

function expectNoToken(value: unknown): void {
  for (const secret of [token, othersToken]) expect(everythingIn(value)).not.toContain(secret);
}

let events: LockEvent[] = [];
const onEvent = (event: LockEvent): unknown => events.push(event);

beforeEach(() => {
  events = [];
});

afterEach(() => {
  expectNoToken(events);
});

test("the check sees a token that is there", () => {
  const error = new Error("trouble", { cause: { deep: [{ down: token }] } });
  expect(() => expectNoToken(error)).toThrow();
});

test("a lock shows its token to whoever asks for it, and in no other way", async () => {
  const one = locker({ onEvent });
  const lock = await one.obtain("k", 10_000, { token, metadata: "m", renew: true });
  expect(lock.token).toBe(token);
  expectNoToken(lock);
  expectNoToken(one);
  expectNoToken({ ...lock });
});

test("nor does a locker whose obtains wait", async () => {
  const one = locker({ onEvent });
  const holder = await one.obtain("k", 10_000, { token: othersToken });
  const waiting = one.obtain("k", 10_000, { token, wait: Infinity });
  await untilInLine("k", 1, "told");
  expectNoToken(one);
  expectNoToken(await one.inspect("k"));
  await holder.release();
  expectNoToken(await waiting);
});

/** An error of each kind, by what goes wrong. */
const troubles: [string, () => Promise<unknown>][] = [
  [
    "another has the lock",
    async () => {
      await locker().obtain("k", 10_000, { token: othersToken, metadata: "m" });
      return failure(locker({ onEvent }).obtain("k", 10_000, { token }));
    },
  ],
  [
    "another has the lock, and others wait",
    async () => {
      await locker().obtain("k", 10_000, { token: othersToken });
      return failure(locker({ onEvent }).obtain("k", 10_000, { token, wait: 60 }));
    },
  ],
  [
    "a lock that Go or redis-cli took",
    async () => {
      await server.command("SET", "k", othersToken);
      return failure(locker({ onEvent }).obtain("k", 10_000, { token }));
    },
  ],
  [
    "a lock that Go or redis-cli took after one of ours",
    async () => {
      await (await locker().obtain("k", 10_000)).release();
      await server.command("SET", "k", othersToken);
      return failure(locker({ onEvent }).obtain("k", 10_000, { token }));
    },
  ],
  [
    "a key that holds no lock",
    async () => {
      await server.command("HSET", "k", token, othersToken);
      return failure(locker({ onEvent }).obtain("k", 10_000, { token }));
    },
  ],
  [
    "a second release",
    async () => {
      const lock = await locker({ onEvent }).obtain("k", 10_000, { token });
      await lock.release();
      return failure(lock.release());
    },
  ],
  [
    "a refresh of a lock that another took",
    async () => {
      const lock = await locker({ onEvent }).obtain("k", 10_000, { token });
      await server.command("SET", "k", othersToken);
      return failure(lock.refresh());
    },
  ],
  [
    "a release of a lock that another took",
    async () => {
      const lock = await locker({ onEvent }).obtain("k", 10_000, { token });
      await server.command("SET", "k", othersToken);
      return failure(lock.release());
    },
  ],
  [
    "a lease that ended in doubt",
    async () => {
      const clock = new VirtualClock();
      const lock = await locker({ onEvent, clock }).obtain("k", 10_000, { token });
      const silence = proxy.silence();
      const failed = failure(lock.refresh());
      await silence.happened;
      clock.advance(2_000);
      await failed;
      clock.advance(10_000);
      const reason: unknown = lock.signal.reason;
      return reason;
    },
  ],
  [
    "no answer",
    async () => {
      const clock = new VirtualClock();
      const silence = proxy.silence();
      const failed = failure(locker({ onEvent, clock }).obtain("k", 10_000, { token }));
      await silence.happened;
      clock.advance(2_000);
      return failed;
    },
  ],
  [
    "no connection",
    async () => {
      proxy.refuse();
      const one = locker({ onEvent, commandTimeout: 20 });
      return failure(one.obtain("k", 10_000, { token }));
    },
  ],
  [
    "a locker that is closed",
    async () => {
      await server.command("SET", "k", othersToken);
      const one = locker({ onEvent });
      const failed = failure(one.obtain("k", 10_000, { token, wait: Infinity }));
      await proxy.commands.waitFor("SUBSCRIBE");
      await one.close();
      return failed;
    },
  ],
  [
    "an abort",
    async () => {
      await server.command("SET", "k", othersToken);
      const signal = AbortSignal.timeout(20);
      return failure(locker({ onEvent }).obtain("k", 10_000, { token, wait: 60_000, signal }));
    },
  ],
];

describe("no token is in the error for", () => {
  test.each(troubles)("%s", async (_, makeTrouble) => {
    expectNoToken(await makeTrouble());
  });

  test("a server that quotes the command back", async () => {
    const quoting = await startServer({ args: ["--rename-command", "EVALSHA", ""] });
    const redis = new RespClient(() => connect(quoting.port));
    const error = await failure(new Locker(redis, { onEvent }).obtain("k", 10_000, { token }));
    expect(error).toMatchObject({ code: "REFUSED", reply: "ERR" });
    expectNoToken(error);
    await redis.close();
    await quoting.stop();
  });

  test("a server that quotes the argument that it does not like", async () => {
    const one = failing(() => new ServerError(`ERR invalid argument '${token}'`));
    const error = await failure(one.obtain("k", 10_000, { token }));
    expect(error).toMatchObject({ code: "REFUSED" });
    expectNoToken(error);
  });
});

function rejection(error: unknown): Promise<never> {
  // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- Clients do that, too.
  return Promise.reject(error);
}

/** A locker whose client rejects everything but `except`, and is closed then: no use in trying again. */
function failing(makeError: (args: readonly string[]) => unknown, except?: string): Locker {
  const redis = client();
  const broken = {
    closed: false,
    run(script: Script, keys: readonly string[], args: readonly string[]): Promise<Reply> {
      if (script.name === except) return redis.run(script, keys, args);
      this.closed = true;
      return rejection(makeError(args));
    },
  };
  return new Locker(broken, { onEvent });
}

/** Errors as client libraries make them, with all of the command on them. */
const clientErrors: [string, (args: readonly string[]) => unknown][] = [
  ["the command hung on it", (args) => Object.assign(new Error("no"), { command: { args } })],
  ["the command in its text", (args) => new Error(`sending ${args.join(" ")} failed`)],
  ["the command in its cause", (args) => new Error("no", { cause: new Error(args.join(" ")) })],
  [
    "others within",
    (args) => new AggregateError([new Error(args.join(" "))], `all failed: ${args.join(" ")}`),
  ],
  ["no error at all", (args) => ({ toString: () => args.join(" "), args })],
  ["only text", (args) => args.join(" ")],
  ["a name and a code", (args) => Object.assign(new Error("no"), { name: args[0], code: args[0] })],
];

describe.each(clientErrors)("a client's error with %s", (_, makeError) => {
  test("is handed on without the token when an obtain fails", async () => {
    const error = await failure(failing(makeError).obtain("k", 10_000, { token }));
    expect(error).toMatchObject({ code: "UNKNOWN" });
    expect(error instanceof RedisLockError && error.cause).toBeInstanceOf(Error);
    expectNoToken(error);
  });

  test("is handed on without the token when a lock that is held is asked about", async () => {
    const lock: Lock = await failing(makeError, "obtain").obtain("k", 10_000, { token });
    for (const ask of [() => lock.refresh(), () => lock.ttl(), () => lock.release()]) {
      expectNoToken(await failure(ask()));
    }
    await lock[Symbol.asyncDispose]();
    expect(events).toMatchObject([{ type: "obtained" }, { type: "releaseFailed" }]);
  });
});
