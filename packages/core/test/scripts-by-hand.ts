/** The scripts, asked by hand as a client of another language would, and what they leave on the server. */
import { createHash } from "node:crypto";

import { afterEach } from "@jest/globals";
import { connect, Heard, textsOf, waitUntil, type Reply as RawReply } from "@redislock/test-kit";

import { scripts, toReply, type ScriptName } from "../src/adapter.js";
import type { Reply, Script, Subscription } from "../src/index.js";
import { quorumScripts, type QuorumScriptName } from "../src/quorum/index.js";
import type { Redis } from "./redis.js";

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;
/** For how long those in these tests remember a fencing token. */
export const MEMORY = 2 * DAY;

/** The keys of a lock; all locks share one fence, as in one hash slot. */
export interface Keys {
  readonly lock: string;
  readonly grant: string;
  readonly fence: string;
  readonly line: string;
  readonly waiters: string;
  readonly holders: string;
  readonly shares: string;
}

export function keysOf(lock: string): Keys {
  const [grant = "", line = "", waiters = "", holders = "", shares = ""] = [
    ...["grant", "line", "waiters", "holders", "shares"],
  ].map((what) => `${lock}:redislock:${what}`);
  return { lock, grant, fence: "fence", line, waiters, holders, shares };
}

export const [a, b, c] = [keysOf("a"), keysOf("b"), keysOf("c")];

export const FIVE = ["lock", "grant", "fence", "line", "waiters"] as const;
export const SEVEN = [...FIVE, "holders", "shares"] as const;

type Name = ScriptName | QuorumScriptName;

/** Which of a lock's keys a script takes. */
export function takenBy(name: Name): readonly (keyof Keys)[] {
  if (name === "announce") return ["lock"];
  if (name === "ttl") return ["lock", "grant"];
  if (name === "refresh" || name === "refreshMany" || name === "lift")
    return ["lock", "grant", "fence"];
  return name === "inspect" || name.includes("Shared") ? SEVEN : FIVE;
}

export type Argument = string | number;

export interface Standing {
  readonly ticket?: Argument;
  readonly patience?: number;
  readonly reach?: 0 | 1 | 2;
  readonly lease?: number;
  readonly proof?: string;
  readonly echo?: "" | "1";
}

/** What else an obtain is told by whoever would stand in line. */
export function standing(id: string, how: Standing = {}): Argument[] {
  const { ticket = "", patience = HOUR, reach = 1, lease = 20_000, proof = "proof" } = how;
  return [id, ticket, patience, reach, lease, proof, how.echo ?? ""];
}

/** What is left of so many milliseconds that began a moment ago. */
export function about(ms: number): { asymmetricMatch(value: unknown): boolean } {
  return {
    asymmetricMatch: (value) => Number(value) > ms - 2_900 && Number(value) <= ms,
    toString: () => `about ${ms}`,
  } as { asymmetricMatch(value: unknown): boolean };
}

export function microsOf(time: RawReply): number {
  const [seconds, micros] = textsOf(time).map(Number);
  return (seconds ?? 0) * 1_000_000 + (micros ?? 0);
}

/** The ticket of who was told to wait. */
export function ticketOf(reply: Reply): string {
  return Array.isArray(reply) ? String(reply[2]) : "";
}

/**
 * For how long a fencing token is remembered: `before` is what others asked for, `after` what is left
 * when somebody asks for `memory` with a lease of `ttl`.
 */
export const memories: readonly [
  how: string,
  before: number,
  ttl: number,
  memory: number,
  after: number,
][] = [
  ["as long as is asked for", 1_000, 10_000, 4 * HOUR, 4 * HOUR],
  ["for twice the lease, if that is longer", 1_000, 3 * HOUR, HOUR, 6 * HOUR],
  ["as long as others remember it", 10 * HOUR, 10_000, HOUR, 10 * HOUR],
  ["for as long as others, of less than a day", 30 * HOUR, 10_000, HOUR, 30 * HOUR],
  ["as long as is asked for, if that is a day or more", 30 * HOUR, 10_000, 25 * HOUR, 25 * HOUR],
  ["as long as is asked for, if that is just a day", 30 * HOUR, 10_000, DAY, DAY],
  ["as long as others, if a little less than a day", 30 * HOUR, 10_000, 20 * HOUR, 30 * HOUR],
  ["for twice the lease, of more than a day", 1_000, 20 * HOUR, 25 * HOUR, 40 * HOUR],
  ["no longer for a lease of less than half of that", 1_000, 10 * HOUR, 25 * HOUR, 25 * HOUR],
];

/** Asks on one server. */
export function byHand({ server, client }: Pick<Redis, "server" | "client">) {
  const command = async (...args: string[]): Promise<RawReply> => server.command(...args);
  /** What scripts are told in place of what the server answers, in Lua, by the command. */
  const pretended = new Map<string, string>();
  const subscriptions: Subscription[] = [];

  // Nobody hears in the next test, who is not there.
  afterEach(async () => {
    if (subscriptions.length === 0) return;
    await Promise.all(subscriptions.splice(0).map((one) => one.close()));
    const isQuiet = async (): Promise<boolean> =>
      textsOf(await command("PUBSUB", "CHANNELS")).length === 0;
    await waitUntil(isQuiet, { what: "the end of subscriptions" });
  });

  /** The script by that name, to which the server answers as was pretended. */
  function scriptOf(name: Name): Script {
    const answers = [...pretended].map(
      ([what, answer]) => `if (...) == '${what}' then return ${answer} end`,
    );
    const prelude = `local redis = setmetatable({ call = function(...)
      ${answers.join("\n")}
      return redis.call(...)
    end }, { __index = redis })\n`;
    const { source: own } = { ...scripts, ...quorumScripts }[name];
    const source = answers.length > 0 ? prelude + own : own;
    return { name, source, sha1: createHash("sha1").update(source).digest("hex") };
  }

  async function send(name: Name, keys: string[], args: readonly Argument[]): Promise<Reply> {
    const { source } = scriptOf(name);
    return toReply(
      await server.command("EVAL", source, String(keys.length), ...keys, ...args.map(String)),
    );
  }

  async function run(name: Name, locks: readonly Keys[], ...args: Argument[]): Promise<Reply> {
    const keys = locks.flatMap((lock) => takenBy(name).map((key) => lock[key]));
    return send(name, keys, args);
  }

  /** The same script for several at once. */
  function runMany(
    name: ScriptName,
    parts: readonly { readonly lock: Keys; readonly args: readonly Argument[] }[],
  ): Promise<Reply> {
    const takes = takenBy(name);
    const keys = parts.flatMap(({ lock }) => takes.map((key) => lock[key]));
    const args = parts.flatMap((part) => part.args);
    return send(name, keys, [takes.length, parts[0]?.args.length ?? 0, ...args]);
  }

  /** Listens as a process of waiters does; gives what was heard until now. */
  async function listen(inbox: string): Promise<() => Promise<string[]>> {
    return hear(`redislock:inbox:${inbox}`);
  }

  async function hear(channel: string): Promise<() => Promise<string[]>> {
    const heard = new Heard();
    subscriptions.push(await client().subscribe(channel, heard));
    return () => heardUntilNow(channel, heard);
  }

  /** As `hear`, of several channels and without being counted: by a pattern, until it was asked. */
  async function overhear(...channels: string[]): Promise<() => Promise<string[]>> {
    const heard = new Heard();
    const connection = await connect(server.port);
    connection.onPush((push) => {
      if (push[0] === "pmessage" && channels.includes(String(push[2])))
        heard.message(String(push[3]));
    });
    await connection.send("PSUBSCRIBE", "*");
    return async () => {
      const texts = await heardUntilNow(channels[0] ?? "", heard);
      await connection.close();
      return texts;
    };
  }

  async function heardUntilNow(channel: string, heard: Heard): Promise<string[]> {
    await command("PUBLISH", channel, "end");
    const texts: string[] = [];
    for (;;) {
      const text = (await heard.next()).replace("message: ", "");
      if (text === "end") return texts;
      texts.push(text);
    }
  }

  return {
    command,
    scriptOf,
    send,

    letClockRun: (): void => void pretended.delete("TIME"),

    /** From now on, scripts are told this, in Lua, when they send a command; undefined for the truth. */
    pretend: (what: string, answer: string | undefined): void => {
      if (answer === undefined) pretended.delete(what);
      else pretended.set(what, answer);
    },

    /** From now on, scripts read this time. Keys expire by the server's own clock all the same. */
    stopClock: (micros: number): void => {
      const [seconds, rest] = [Math.floor(micros / 1_000_000), micros % 1_000_000];
      pretended.set("TIME", `{ '${seconds}', '${rest}' }`);
    },

    run,
    runMany,
    listen,
    hear,
    overhear,
    pttl: async (key: string): Promise<number> => Number(await command("PTTL", key)),
    inLine: async ({ line }: Keys): Promise<string[]> =>
      textsOf(await command("ZRANGE", line, "0", "-1")),
    records: async ({ waiters }: Keys): Promise<string[]> =>
      textsOf(await command("HKEYS", waiters)),

    /** Puts waiters into a line who never ask again. */
    bury: async (
      { line, waiters }: Keys,
      count: number,
      how: {
        readonly reach?: 0 | 1 | 2;
        readonly at?: number;
        readonly ttl?: number;
        readonly inbox?: string;
        readonly value?: string;
        readonly from?: number;
      } = {},
    ): Promise<void> => {
      const { reach = 1, at = Date.now(), ttl = 30_000 } = how;
      const { inbox = "dead", value = "dead", from = 1 } = how;
      await command(
        "EVAL",
        `for n = ARGV[4], ARGV[4] + ARGV[1] - 1 do
          redis.call('ZADD', KEYS[1], n, ARGV[2] .. ':' .. n)
          redis.call('HSET', KEYS[2], ARGV[2] .. ':' .. n, ARGV[3])
        end`,
        "2",
        line,
        waiters,
        String(count),
        inbox,
        `${at} ${HOUR} ${reach} 1 ${ttl} ${MEMORY} 4 proof  ${value}`,
        String(from),
      );
    },

    /** Makes a waiter one who did not ask for longer than it may be silent. */
    silence: async ({ waiters }: Keys, id: string): Promise<void> => {
      const record = String(await command("HGET", waiters, id));
      const long = String(Date.now() - HOUR - 60_000);
      await command("HSET", waiters, id, record.replace(/^\d+/, long));
    },
  };
}
