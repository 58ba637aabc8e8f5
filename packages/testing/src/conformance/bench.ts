import assert from "node:assert/strict";
import { createHash, randomUUID } from "node:crypto";

import { Locker, type LockerOptions, type RedisClient, type Script } from "@redislock/core";
import { ServerError } from "@redislock/core/adapter";

import type { ConformanceOptions, Connected, Credentials, Network, Runner } from "./options.js";

/** Milliseconds that a test may take. */
const PATIENCE = 30_000;
/** Milliseconds that something may take to come about. */
const SOON = 10_000;
/** Milliseconds for what no event tells of: connections that fail, or that must not come. */
export const A_WHILE = 200;

/** Everything that one test has in its hands, and all that has to be tidied up behind it. */
export class Bench {
  readonly #options: ConformanceOptions;
  readonly #ends: (() => unknown)[] = [];
  /** One name for all keys of a test, in braces: in a cluster they have to share a slot. */
  readonly #name = `{conformance-${randomUUID()}}`;

  constructor(options: ConformanceOptions) {
    this.#options = options;
  }

  async connect(): Promise<Connected> {
    const connected = await this.#options.connect();
    this.atEnd(() => connected.close());
    return connected;
  }

  /** Makes a user of the server who has these rights alone. Call it before `connectAs`. */
  async user(...rules: string[]): Promise<Credentials> {
    const user = { username: `conformance-${randomUUID()}`, password: randomUUID() };
    this.atEnd(() => this.command("ACL", "DELUSER", user.username));
    const set = (given: readonly string[]): Promise<unknown> =>
      this.command("ACL", "SETUSER", user.username, "on", `>${user.password}`, ...given);
    // Servers before 6.2 know no rules about channels: everybody may use all of them.
    await set(rules).catch(() => set(rules.filter((rule) => rule !== "&*")));
    return user;
  }

  async connectAs(user: Credentials): Promise<Connected> {
    const connected = await this.#options.connectAs?.(user);
    assert.ok(connected, "this test needs connectAs");
    this.atEnd(() => connected.close());
    return connected;
  }

  async client(): Promise<RedisClient> {
    return (await this.connect()).client;
  }

  /** A locker over a client of its own, as another process would have it. */
  async locker(options?: LockerOptions): Promise<Locker> {
    const locker = new Locker(await this.client(), options);
    this.atEnd(() => locker.close());
    return locker;
  }

  key(name: string): string {
    return this.#name + name;
  }

  command(...command: [string, ...string[]]): Promise<unknown> {
    return this.#options.command(...command);
  }

  /** The network, which is whole again at the end of the test. */
  network(): Network {
    const { network } = this.#options;
    assert.ok(network, "this test needs a network");
    this.atEnd(async () => {
      await network.speak();
      await network.accept();
    });
    return network;
  }

  /** The connections to the server by their ids, and what it says of each; none where it does not tell. */
  async connections(): Promise<Map<string, string>> {
    const list = String(await this.command("CLIENT", "LIST"));
    return new Map(
      [...list.matchAll(/^.*?\bid=(\d+) .*$/gm)].map(([line, id = ""]) => [id, line] as const),
    );
  }

  async loseNextReply(): Promise<void> {
    await this.#options.loseNextReply?.();
  }

  atEnd(run: () => unknown): void {
    this.#ends.push(run);
  }

  /** What came last goes first: lockers before the clients under them. */
  async tidyUp(): Promise<void> {
    for (const end of this.#ends.reverse()) await Promise.allSettled([Promise.resolve().then(end)]);
  }
}

/** Registers one test. */
export type Register = (name: string, body: (bench: Bench) => Promise<void>) => void;

export function registerWith(run: Runner, options: ConformanceOptions): Register {
  return (name, body) => {
    run.it(name, async () => {
      const bench = new Bench(options);
      try {
        await within(PATIENCE, `"${name}"`, body(bench));
      } finally {
        await bench.tidyUp();
      }
    });
  };
}

/** A Lua text as a script that no server has ever seen. */
export function newScript(source: string): Script {
  const text = `-- ${randomUUID()}\n${source}`;
  return { name: "conformance", source: text, sha1: createHash("sha1").update(text).digest("hex") };
}

/** What a promise was rejected with; a failure if it was not. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  return assert.fail("resolved, but should have been rejected");
}

export function assertServerError(error: unknown, reply: string, what: string): void {
  assert.ok(error instanceof ServerError, `${what}: not a ServerError: ${String(error)}`);
  assert.equal(error.reply, reply, what);
}

/** Waits until something holds. */
export async function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
): Promise<void> {
  const end = Date.now() + SOON;
  while (!(await holds())) {
    assert.ok(Date.now() < end, `not in ${SOON} ms: ${what}`);
    await pause(10);
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took more than ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
