/** What each call says to the scripts, to the letter: clients of other languages say the same. */
import { describe, expect, test } from "@jest/globals";
import { failure } from "@redislock/test-kit";

import {
  Locker,
  type ObtainOptions,
  type RedisClient,
  type Reply,
  type Subscription,
} from "../src/index.js";

const TTL = 60_000;
const DAY = "86400000";
const TOKEN = "a-token-of-my-own";

/** What stands beside a lock in Redis, and the fence of all locks of a hash slot. */
const COMPANION = /^.*:redislock:(\w+).*$/;
const FENCE = /^.*redislock\{\w{3}\}$/;

/** Answers what is to be expected; notes what it was asked, its keys shortened by the lock's name. */
class Noted implements RedisClient {
  readonly sent: (readonly string[])[] = [];
  readonly replies: Record<string, Reply> = {
    ...{ obtain: "7", release: "1", refresh: "1", shorten: "1", ttl: "5" },
    ...{ obtainShared: ["7", "3"], releaseShared: "1", refreshShared: "1", ttlShared: "5" },
    ...{ leave: [null, null, null, "0", "0", "0"], leaveShared: [null, null, null, "0", "0", "0"] },
    ...{ forceRelease: ["1", "0"], inspect: [null, null, null, "0"], announce: "0" },
  };

  run(
    { name }: { readonly name: string },
    keys: readonly string[],
    args: readonly string[],
  ): Promise<Reply> {
    const parts = keys.map((key) => key.replace(COMPANION, "$1").replace(FENCE, "fence"));
    this.sent.push([`${name}(${parts.join(" ")})`, ...args]);
    return Promise.resolve(this.replies[name] ?? null);
  }
}

const ALONE = "k grant fence line waiters";
const SHARED = `${ALONE} holders shares`;

interface Kind {
  readonly options: ObtainOptions;
  readonly suffix: string;
  /** The names that the scripts of its kind take. */
  readonly names: string;
  readonly value: (token: string) => string;
  /** What proves which of the grants with an own token it is. */
  readonly grant: string;
}

const kinds: readonly (readonly [string, Kind])[] = [
  [
    "alone",
    {
      ...{ options: {}, suffix: "", grant: "7" },
      names: ALONE,
      value: (token) => `${token}m`,
    },
  ],
  [
    "shared",
    {
      ...{ options: { mode: "shared" }, suffix: "Shared", grant: "7 3" },
      names: SHARED,
      value: (token) => `1/0/${token.length} ${token}m`,
    },
  ],
  [
    "counted",
    {
      ...{ options: { limit: 5, permits: 2 }, suffix: "Shared", grant: "7 3" },
      names: SHARED,
      value: (token) => `2/5/${token.length} ${token}m`,
    },
  ],
];

describe.each(kinds)("a lock %s", (_, { options, suffix, names, value, grant }) => {
  test.each([
    ["its own", undefined],
    ["one that was given", TOKEN],
  ])("with a token of %s", async (_what, given) => {
    const client = new Noted();
    const asked = { ...options, metadata: "m", ...(given !== undefined && { token: given }) };
    const lock = await new Locker(client).obtain("k", TTL, asked);
    const [name = "", ...args] = client.sent[0] ?? [];
    expect(name).toBe(`obtain${suffix}(${names})`);
    const call = given === undefined ? "" : expect.stringMatching(/^[\w-]{22}$/);
    const claim = value(lock.token);
    expect(args).toEqual([claim, String(TTL), String(lock.token.length), call, DAY]);

    const proof = given === undefined ? "" : grant;
    client.sent.length = 0;
    await lock.refresh();
    await lock.refresh(TTL / 2);
    await lock.refresh(TTL);
    await lock.ttl();
    client.replies[`release${suffix}`] = "more";
    await lock.release();
    const [first, second, third, time, release, leave] = client.sent.map(([called, ...said]) => [
      called?.replace(/\(.*/, ""),
      ...said,
    ]);
    const half = String(TTL / 2);
    if (suffix === "") {
      expect(first).toEqual(["refresh", claim, proof, String(TTL), DAY]);
      expect(second).toEqual(["shorten", claim, proof, half, DAY, "1"]);
      expect(third).toEqual(["shorten", claim, proof, String(TTL), DAY, "2"]);
    } else {
      expect(first).toEqual([`refresh${suffix}`, claim, proof, String(TTL), DAY, "0"]);
      expect(second).toEqual([`refresh${suffix}`, claim, proof, half, DAY, "1"]);
      expect(third).toEqual([`refresh${suffix}`, claim, proof, String(TTL), DAY, "2"]);
    }
    expect(time).toEqual([`ttl${suffix}`, claim, proof]);
    expect(release).toEqual([`release${suffix}`, claim, proof]);
    expect(leave).toEqual([`leave${suffix}`, claim, "", args[3]]);
  });

  test("for which somebody waits", async () => {
    const client = new Noted();
    client.replies[`obtain${suffix}`] = ["5", "1", "9", "0"];
    const asked = { ...options, metadata: "m", wait: 0 };
    await failure(new Locker(client).obtain("k", TTL, asked));
    const [obtain, leave] = client.sent.map(([, ...said]) => said);
    const id = expect.stringMatching(/^[\w-]{22}:1$/);
    const proof = expect.stringMatching(/^[\w-]{22}\d$/);
    expect(obtain?.slice(1)).toEqual([
      ...[String(TTL), "22", "", DAY],
      ...[id, "", "2000", "0", String(TTL), proof, ""],
    ]);
    expect(leave).toEqual([obtain?.[0], obtain?.[5], ""]);
  });
});

test("several locks are asked for together, the names of each after one another", async () => {
  const client = new Noted();
  const lock = await new Locker(client, { namespace: "n:" }).obtain(["k", "l"], TTL);
  await lock.refresh();
  await lock.ttl();
  await lock.release();
  expect(client.sent.map(([called]) => called?.replaceAll("n:", ""))).toEqual([
    `obtain(${ALONE} ${ALONE.replace("k", "l")})`,
    "refresh(k grant fence l grant fence)",
    "ttl(k grant l grant)",
    `release(${ALONE} ${ALONE.replace("k", "l")})`,
  ]);
});

test("operators ask about one lock", async () => {
  const client = new Noted();
  const locker = new Locker(client);
  await locker.inspect("k");
  client.replies["forceRelease"] = ["1", "1"];
  await locker.forceRelease("k");
  const [inspect, force, leave] = client.sent;
  expect(inspect).toEqual([`inspect(${SHARED})`, "100"]);
  expect(force).toEqual([`forceRelease(${ALONE})`]);
  expect(leave).toEqual([`leave(${ALONE})`, expect.stringMatching(/^[\w-]{22}$/), "", ""]);
});

test("who leads is announced by the name of the lock, where its followers listen", async () => {
  const listened: string[] = [];
  const subscribe = (channel: string): Promise<Subscription> => {
    listened.push(channel);
    return Promise.resolve({ close: () => Promise.resolve() });
  };
  const client = Object.assign(new Noted(), { keyPrefix: "p:", subscribe });
  const locker = new Locker(client, { namespace: "n:" });
  await locker.lead("k", TTL, {}, () => undefined);
  expect(client.sent).toContainEqual(["announce(n:k)"]);
  for await (const leader of locker.leader("k")) {
    expect(leader).toBeUndefined();
    break;
  }
  expect(listened).toEqual(["redislock:leader:p:n:k"]);
});
