/** A command may be of many locks, and what is said of it must show the tokens of none, to nobody. */
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { connect, startServer, type RedisServer } from "@redislock/test-kit";
import { inspect } from "node:util";

import { Locker, RefusedError, type Lock, type LockEvent, type RedisClient } from "../src/index.js";
import { ServerError } from "../src/adapter.js";
import { redacted } from "../src/redis/redact.js";
import { startRedis } from "./redis.js";
import { RespClient } from "./resp-client.js";

const { server, client } = await startRedis();

const TTL = 10_000;
const KEYS = ["a", "b", "c", "d", "e", "f"];
/** One that JSON and addresses write in another way. */
const TRICKY = `it's_"my"_\\token%_xxx`;

let sent: string[] = [];
let commands: string[] = [];
let seen: unknown[] = [];

beforeEach(() => {
  [sent, commands, seen] = [[], [], []];
});

/** Everything that can be seen of all that was said. */
function everythingSeen(): string {
  return seen
    .flatMap((thing) => [
      inspect(thing, { depth: 10, showHidden: true, maxStringLength: null }),
      JSON.stringify(thing) ?? "",
      thing instanceof Error ? (thing.stack ?? "") : "",
    ])
    .join("\n");
}

afterEach(() => {
  // Numbers so long are fencing tokens.
  const secrets = new Set(sent.filter((arg) => arg.length >= 16 && !/^\d+$/.test(arg)));
  expect(secrets.size).toBeGreaterThanOrEqual(KEYS.length);
  const text = everythingSeen();
  for (const secret of secrets) {
    const spellings = [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)];
    // Nor half of one, as where a text was cut off.
    for (const spelling of spellings) expect(text).not.toContain(spelling.slice(0, 11));
  }
});

function watching(
  redis: RedisClient,
  answer?: (args: readonly string[]) => Error | undefined,
): Locker {
  const watched: RedisClient & { closed: boolean } = {
    closed: false,
    run: async (script, keys, args) => {
      sent.push(...args);
      commands.push(script.name);
      await Promise.resolve(); // Until all calls of the moment are made.
      const error = answer?.(args);
      if (error === undefined) return redis.run(script, keys, args);
      watched.closed = true; // No use in trying again.
      throw error;
    },
  };
  return new Locker(watched, { onEvent: (event: LockEvent) => seen.push(event) });
}

async function obtainAll(locker: Locker): Promise<Lock[]> {
  const options = (key: string): { token?: string; metadata?: string } =>
    key === "c" ? { token: TRICKY } : { metadata: `of ${key}` };
  const calls = KEYS.map((key) => locker.obtain(key, TTL, options(key)));
  return locksOf(await Promise.allSettled(calls));
}

function locksOf(results: readonly PromiseSettledResult<Lock>[]): Lock[] {
  return results.flatMap((result) => {
    if (result.status === "fulfilled") return [result.value];
    seen.push(result.reason);
    return [];
  });
}

/** Errors as client libraries, proxies and servers make them, of the arguments of a command. */
const errors: [string, (args: readonly string[]) => Error][] = [
  ["its text", (args) => new Error(`sending ${args.join(" ")} failed`)],
  ["its text as JSON", (args) => new Error(`POST ${JSON.stringify(args)} failed`)],
  ["its text as an address", (args) => new Error(args.map(encodeURIComponent).join("/"))],
  ["its text, cut off", (args) => new Error(`no answer to ${args.join(" ").slice(0, 90)}`)],
  ["a property", (args) => Object.assign(new Error("no"), { command: { name: "evalsha", args } })],
  ["its cause", (args) => new Error("no", { cause: new Error("no", { cause: args }) })],
  ["errors within", (args) => new AggregateError([new Error(args.join())], args.join("|"))],
  ["its stack", (args) => Object.assign(new Error("no"), { stack: `Error: ${args.join()}` })],
  ["its name and code", (args) => Object.assign(new Error("no"), { name: args[2], code: args[2] })],
  ["an answer", (args) => new ServerError(`ERR invalid arguments '${args.join("' '")}'`)],
  ["an answer that says not now", (args) => new ServerError(`BUSY ${args.join(" ")}`)],
  [
    "an answer that refuses one of them",
    (args) => new ServerError(`NOPERM can't run ${args.join(" ")}`),
  ],
  [
    "an answer with a property",
    (args) => Object.assign(new ServerError("MISCONF no"), { command: { args } }),
  ],
];

describe.each(errors)("an error with all arguments in %s", (_, makeError) => {
  test("shows no token when locks are taken together", async () => {
    await obtainAll(watching(client(), makeError));
    expect(commands).toContain("obtainMany");
    expect(seen).toHaveLength(KEYS.length);
  });

  test("shows no token when locks are refreshed and given back together", async () => {
    let fails = false;
    const locks = await obtainAll(
      watching(client(), (args) => (fails ? makeError(args) : undefined)),
    );
    expect(locks).toHaveLength(KEYS.length);
    fails = true;
    locksOf(await Promise.allSettled(locks.map((lock) => lock.refresh().then(() => lock))));
    locksOf(await Promise.allSettled(locks.map((lock) => lock.release().then(() => lock))));
    expect(commands).toContain("refreshMany");
    expect(seen.filter((thing) => thing instanceof Error)).toHaveLength(2 * KEYS.length);
  });

  test("shows neither the place in line nor the proof of a waiter", async () => {
    await server.command("SET", "a", "another's", "PX", "60000");
    const results = await Promise.allSettled(
      KEYS.map((key) => watching(client(), makeError).obtain(key, TTL, { wait: 1, token: TRICKY })),
    );
    locksOf(results);
    expect(seen.length).toBeGreaterThanOrEqual(KEYS.length);
  });
});

describe("what servers say", () => {
  async function withServer(
    args: readonly string[],
    prepare: (server: RedisServer) => Promise<unknown>,
    what: RegExp,
  ): Promise<void> {
    const other = await startServer({ args: [...args] });
    const redis = new RespClient(() => connect(other.port));
    try {
      const warm = watching(redis);
      await (await warm.obtain("warm", TTL)).release();
      await prepare(other);
      await obtainAll(watching(redis));
      expect(commands).toContain("obtainMany");
      const refusals = seen.filter((thing) => thing instanceof RefusedError);
      expect(refusals).toHaveLength(KEYS.length);
      for (const { message } of refusals) expect(message).toMatch(what);
    } finally {
      await redis.close();
      await other.stop();
    }
  }

  test("of memory that is full", async () => {
    const fill = (other: RedisServer): Promise<unknown> =>
      other.command("CONFIG", "SET", "maxmemory", "1");
    await withServer([], fill, /OOM/);
  });

  test("of a user who may not", async () => {
    const forbid = (other: RedisServer): Promise<unknown> =>
      other.command("ACL", "SETUSER", "default", "-set");
    await withServer([], forbid, /NOPERM/);
  });

  test("of a command that it does not know, which it quotes with arguments", async () => {
    const other = await startServer({ args: ["--rename-command", "EVALSHA", ""] });
    const redis = new RespClient(() => connect(other.port));
    await obtainAll(watching(redis));
    expect(commands).toContain("obtainMany");
    expect(seen.filter((thing) => thing instanceof RefusedError)).toHaveLength(KEYS.length);
    await redis.close();
    await other.stop();
  });
});

test("what is no secret stays, and so does what looks like one but is too short to tell", () => {
  sent = KEYS.map((key) => `secret of ${key}`.padEnd(24, "-"));
  const args = [...sent, "10000", "short one"];
  const error = redacted(
    new Error(`ECONNRESET at 10000 of short one, ${sent[0]?.slice(0, 4)}`),
    args,
  );
  expect(error.message).toBe("ECONNRESET at 10000 of short one, secr");
  const { message } = redacted(
    new Error(`<${sent[1]}> <${sent[1]}>, ${sent[1]?.slice(0, 14)}`),
    args,
  );
  expect(message).toBe("<…> <…>, …");
  seen.push(error);
});
