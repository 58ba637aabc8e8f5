import type { ScriptName } from "@redislock/core/adapter";
import fc from "fast-check";

/** Something that is done to a server, and can be done to both. */
export type Operation =
  | {
      readonly kind: "run";
      readonly script: ScriptName;
      readonly keys: readonly string[];
      readonly args: readonly string[];
    }
  | { readonly kind: "command"; readonly command: readonly [string, ...string[]] };

/** Times are many minutes, so that the few milliseconds of a run make no difference. */
export const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Whose messages somebody hears, and whose nobody does. */
const HEARD = "hears";
const UNHEARD = "deaf";
/** The channel that somebody listens to. */
export const HEARD_CHANNEL = `redislock:inbox:${HEARD}`;
const UNHEARD_CHANNEL = `redislock:inbox:${UNHEARD}`;

const companions = (key: string): string[] =>
  ["grant", "fence", "line", "waiters"].map((what) => `{${key}}:redislock:${what}`);

export const locks: readonly string[][] = ["a", "b"].map((key) => [key, ...companions(key)]);
/** A lock whose key holds something else: the line of the first. */
const noLock = ["{a}:redislock:line", ...companions("c")];
/** A lock of the same slot as the first: they share their fence. */
const neighbour = ["d", ...companions("d")].map((name, index) =>
  index === 2 ? "{a}:redislock:fence" : name,
);

const oneLock = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom(...locks) },
  { weight: 2, arbitrary: fc.constant(neighbour) },
  { weight: 1, arbitrary: fc.constant(noLock) },
);
const someLocks = fc.oneof(
  { weight: 4, arbitrary: oneLock },
  {
    weight: 1,
    arbitrary: fc.constantFrom(locks.flat(), [...locks].reverse().flat(), [
      ...(locks[0] ?? []),
      ...neighbour,
    ]),
  },
);

/** As the scripts of shared locks take them. */
function shared([key = "", ...others]: readonly string[]): string[] {
  const [line = ""] = others.slice(2);
  const companion = (kind: string): string => line.replace(/:line$/, `:${kind}`);
  return [key, ...others, companion("holders"), companion("shares")];
}

/** Who asks; a call where the token is not one call's alone. */
const holder = fc.constantFrom(
  { value: "token-1", length: 7, call: "" },
  { value: "token-1 and metadata", length: 7, call: "" },
  { value: "token-2", length: 7, call: "call-1" },
  { value: "token-2", length: 7, call: "call-2" },
  // The same bytes, split otherwise.
  { value: "token-22", length: 7, call: "call-1" },
  { value: "token-22", length: 8, call: "call-2" },
  { value: "token-2{}\n\0é", length: 7, call: "" },
  // Half of a character: a server knows bytes, not characters.
  { value: "tökén-3é", length: 8, call: "" },
);
/** The fencing token that a holder says it was told: none, one before all, one after all. */
const told = fc.constantFrom("", "", "1", String(Number.MAX_SAFE_INTEGER));
/** No two are the same in the end, so that it is never a matter of a millisecond which is longer. */
const ttl = fc.constantFrom(3, 6, 50, 500).map((hours) => ({ hours }));

const waiter = fc.record({
  who: fc.constantFrom<string>(
    `${HEARD}:1`,
    `${HEARD}:2`,
    `${HEARD}:3`,
    `${UNHEARD}:1`,
    `${UNHEARD}:2`,
  ),
  ticket: fc.constantFrom("", "", "", "5", "7"),
  // A record with the last is of no known form.
  patience: fc.constantFrom(HOUR, HOUR, HOUR, HOUR, -HOUR),
  reach: fc.constantFrom(0, 1, 1, 1, 2),
  lease: ttl,
  proof: fc.constantFrom("proof-1", "proof-2"),
  echo: fc.constantFrom("", "", "1"),
});

/** A waiter waits for the same keys as long as it lives, in the same order: other keys, another id. */
function idOf(who: string, keys: readonly string[]): string {
  const first = [...locks, noLock, neighbour].findIndex(([key]) => key === keys[0]);
  const last = [...locks, noLock, neighbour].findIndex(([key]) => key === keys[5]);
  return `${who}${first}${last + 1}`;
}

interface Holder {
  readonly value: string;
  readonly length: number;
  readonly call: string;
}
type Waiter = typeof waiter extends fc.Arbitrary<infer T> ? T : never;

function asking({ value, length, call }: Holder, ttl: Hours): Argument[] {
  return [value, ttl, length, call, HOUR];
}

function placeOf(waiter: Waiter, keys: readonly string[]): Argument[] {
  const { who, ticket, patience, reach, lease, proof, echo } = waiter;
  return [idOf(who, keys), ticket, patience, reach, lease, proof, echo];
}

/** The same of who would share: any number, or so many of a few permits. */
const claim = fc
  .record({ how: fc.constantFrom("1/0", "1/0", "1/3", "2/3", "3/3", "1/1"), holder })
  .map(({ how, holder }) => ({ ...holder, value: `${how}/${holder.length} ${holder.value}` }));
/** The grant that a holder of a shared lock says it was told. */
const seat = fc.constantFrom("", "", "1 1", "4102444800000000 1");

const obtainShared = fc
  .record({ keys: oneLock, claim, ttl, waiter: fc.option(waiter, { nil: undefined }) })
  .map(({ keys, claim, ttl, waiter }) =>
    run("obtainShared", shared(keys), [
      ...asking(claim, ttl),
      ...(waiter ? placeOf({ ...waiter, who: `${waiter.who}9` }, keys) : []),
    ]),
  );
const obtainSharedMany = fc
  .array(fc.record({ keys: oneLock, claim, ttl }), { minLength: 2, maxLength: 4 })
  .map((parts) =>
    many(
      "obtainSharedMany",
      parts.map(({ keys, claim, ttl }) => ({ keys: shared(keys), args: asking(claim, ttl) })),
    ),
  );
const releasedShare = fc
  .record({ keys: oneLock, claim, seat })
  .map(({ keys, claim, seat }) => ({ keys: shared(keys), args: [claim.value, seat] }));
const releaseShared = releasedShare.map(({ keys, args }) => run("releaseShared", keys, args));
const releaseSharedMany = fc
  .array(releasedShare, { minLength: 2, maxLength: 4 })
  .map((parts) => many("releaseSharedMany", parts));
const leaveShared = fc
  .record({ keys: oneLock, claim, waiter: fc.option(waiter, { nil: undefined }) })
  .map(({ keys, claim, waiter }) =>
    run("leaveShared", shared(keys), [
      claim.value,
      waiter ? idOf(`${waiter.who}9`, keys) : "",
      claim.call,
    ]),
  );
const refreshedShare = fc
  .record({ keys: oneLock, claim, seat, ttl, order: fc.constantFrom(0, 0, 1, 2) })
  .map(({ keys, claim, seat, ttl, order }) => ({
    keys: shared(keys),
    args: [claim.value, seat, ttl, HOUR, order],
  }));
const refreshShared = refreshedShare.map(({ keys, args }) => run("refreshShared", keys, args));
const refreshSharedMany = fc
  .array(refreshedShare, { minLength: 2, maxLength: 3 })
  .map((parts) => many("refreshSharedMany", parts));
const ttlShared = fc
  .record({ keys: oneLock, claim, seat })
  .map(({ keys, claim, seat }) => run("ttlShared", shared(keys), [claim.value, seat]));

/** Commands of one shape, as they leave together. */
function many(
  script: ScriptName,
  parts: readonly { readonly keys: readonly string[]; readonly args: readonly Argument[] }[],
): Draft {
  const [first] = parts;
  return run(
    script,
    parts.flatMap(({ keys }) => keys),
    [first?.keys.length, first?.args.length, ...parts.flatMap(({ args }) => args)],
  );
}

const obtain = fc
  .record({ keys: someLocks, holder, ttl, waiter: fc.option(waiter, { nil: undefined }) })
  .map(({ keys, holder, ttl, waiter }) =>
    run("obtain", keys, [...asking(holder, ttl), ...(waiter ? placeOf(waiter, keys) : [])]),
  );

const release = fc
  .record({ keys: someLocks, holder, told })
  .map(({ keys, holder, told }) => run("release", keys, [holder.value, told]));

const obtainMany = fc
  .array(fc.record({ keys: oneLock, holder, ttl }), { minLength: 2, maxLength: 4 })
  .map((parts) =>
    many(
      "obtainMany",
      parts.map(({ keys, holder, ttl }) => ({ keys, args: asking(holder, ttl) })),
    ),
  );
const lineUpMany = fc
  .uniqueArray(fc.record({ keys: oneLock, holder, ttl, waiter }), {
    minLength: 2,
    maxLength: 3,
    selector: ({ keys }) => keys[0],
  })
  .map((parts) =>
    many(
      "obtainMany",
      parts.map(({ keys, holder, ttl, waiter }) => ({
        keys,
        args: [...asking(holder, ttl), ...placeOf(waiter, keys)],
      })),
    ),
  );
const releaseMany = fc
  .array(fc.record({ keys: oneLock, holder, told }), { minLength: 2, maxLength: 4 })
  .map((parts) =>
    many(
      "releaseMany",
      parts.map(({ keys, holder, told }) => ({ keys, args: [holder.value, told] })),
    ),
  );

const leave = fc
  .record({ keys: someLocks, holder, waiter: fc.option(waiter, { nil: undefined }) })
  .map(({ keys, holder, waiter }) =>
    run("leave", keys, [holder.value, waiter ? idOf(waiter.who, keys) : "", holder.call]),
  );

const refreshed = fc.record({ lock: oneLock, holder, told, ttl }).map((drawn) => ({
  keys: drawn.lock.slice(0, 3),
  args: [drawn.holder.value, drawn.told, drawn.ttl, HOUR],
}));
const shortened = fc
  .record({ lock: oneLock, holder, told, ttl, order: fc.constantFrom(1, 2, 3) })
  .map(({ lock, holder, told, ttl, order }) => ({
    keys: lock,
    args: [holder.value, told, ttl, HOUR, order],
  }));
const shorten = shortened.map(({ keys, args }) => run("shorten", keys, args));
const shortenMany = fc
  .array(shortened, { minLength: 2, maxLength: 3 })
  .map((parts) => many("shortenMany", parts));
const refresh = refreshed.map(({ keys, args }) => run("refresh", keys, args));
const refreshMany = fc
  .array(refreshed, { minLength: 2, maxLength: 3 })
  .map((parts) => many("refreshMany", parts));

const askForTtl = fc
  .record({ lock: oneLock, holder, told, both: fc.boolean() })
  .map(({ lock, holder, told, both }) => {
    const named = both ? locks : [lock];
    return run(
      "ttl",
      named.flatMap((keys) => keys.slice(0, 2)),
      [holder.value, told],
    );
  });

const inspect = fc
  .record({ lock: oneLock, most: fc.constantFrom(1, 100) })
  .map(({ lock, most }) => run("inspect", shared(lock), [most]));

const forceRelease = oneLock.map((lock) => run("forceRelease", lock, []));

/** Waiters who are silent for long, asked in the future, or whose record or place alone was lost. */
const decay = fc
  .record({
    lock: fc.constantFrom(...locks),
    what: fc.constantFrom<readonly [string, number, ...string[]]>(
      ["HSET", 4, "1000 1000 1 1 3600000 3600000 7 proof  token-1"],
      ["HSET", 4, "4102444800000 3600000 1 1 3600000 3600000 7 proof  token-1"],
      ["HDEL", 4],
      ["ZREM", 3],
    ),
    waiter,
  })
  .map(({ lock, what: [name, index, ...more], waiter }): Draft => ({
    kind: "command",
    command: [name, lock[index] ?? "", idOf(waiter.who, lock), ...more],
  }));

const expiry = fc
  .constantFrom(...locks.flatMap(shared), ...locks.map(([key = ""]) => key))
  .map((key): Draft => ({ kind: "command", command: ["DEL", key] }));

/** What the server says of who listens; and a message of somebody else's, which is counted too. */
const listeners = fc.constantFrom<Draft>(
  { kind: "command", command: ["PUBSUB", "NUMSUB"] },
  { kind: "command", command: ["PUBSUB", "NUMSUB", HEARD_CHANNEL] },
  { kind: "command", command: ["PUBSUB", "NUMSUB", UNHEARD_CHANNEL, HEARD_CHANNEL] },
  { kind: "command", command: ["PUBSUB", "NOSUCH"] },
  { kind: "command", command: ["PUBLISH", HEARD_CHANNEL, "hello"] },
  { kind: "command", command: ["PUBLISH", UNHEARD_CHANNEL, "hello"] },
);

const foreign = fc
  .record({ lock: fc.constantFrom(...locks), value: fc.constantFrom("foreign", "token-1"), ttl })
  .map(({ lock: [key = ""], value, ttl }): Draft => ({
    kind: "command",
    command: ["SET", key, value, "PX", ttl],
  }));

/** A last fencing token far ahead of the clock, as after a clock that was set back; or none at all. */
const fenceAhead = fc
  .record({
    lock: fc.constantFrom(...locks),
    ttl,
    text: fc.constantFrom("4102444800000000", "4102444800000000", "garbage", "9".repeat(20), "-1"),
  })
  .map(({ lock: [, , fence = ""], ttl, text }): Draft => ({
    kind: "command",
    command: ["SET", fence, text, "PX", ttl],
  }));

const foreignForEver = fc
  .constantFrom(...locks)
  .map(([key = ""]): Draft => ({ kind: "command", command: ["SET", key, "foreign"] }));

export const operations: fc.Arbitrary<Operation[]> = fc
  .array(
    fc.oneof(
      { weight: 12, arbitrary: obtain },
      { weight: 2, arbitrary: obtainMany },
      { weight: 2, arbitrary: lineUpMany },
      { weight: 4, arbitrary: release },
      { weight: 2, arbitrary: releaseMany },
      { weight: 3, arbitrary: leave },
      { weight: 2, arbitrary: refresh },
      { weight: 1, arbitrary: refreshMany },
      { weight: 2, arbitrary: shorten },
      { weight: 1, arbitrary: shortenMany },
      { weight: 2, arbitrary: decay },
      { weight: 1, arbitrary: askForTtl },
      { weight: 2, arbitrary: inspect },
      { weight: 2, arbitrary: forceRelease },
      { weight: 9, arbitrary: obtainShared },
      { weight: 2, arbitrary: obtainSharedMany },
      { weight: 3, arbitrary: releaseShared },
      { weight: 1, arbitrary: releaseSharedMany },
      { weight: 2, arbitrary: leaveShared },
      { weight: 2, arbitrary: refreshShared },
      { weight: 1, arbitrary: refreshSharedMany },
      { weight: 1, arbitrary: ttlShared },
      { weight: 3, arbitrary: expiry },
      { weight: 1, arbitrary: listeners },
      { weight: 1, arbitrary: foreign },
      { weight: 1, arbitrary: foreignForEver },
      { weight: 1, arbitrary: fenceAhead },
    ),
    { minLength: 1, maxLength: 25, size: "max" },
  )
  .map(finished);

/** Looks at everything that is there in the end. */
export const lookAround: readonly Operation[] = finished(
  locks.flatMap((lock) => [
    run("inspect", shared(lock), [100]),
    ...shared(lock).map((key): Draft => ({ kind: "command", command: ["PTTL", key] })),
    { kind: "command", command: ["GET", lock[0] ?? ""] },
  ]),
);

/** An operation whose times are not settled yet. */
type Draft =
  | {
      readonly kind: "run";
      readonly script: ScriptName;
      readonly keys: readonly string[];
      readonly args: readonly Argument[];
    }
  | { readonly kind: "command"; readonly command: readonly [string, ...Argument[]] };

type Argument = string | number | Hours | undefined;

interface Hours {
  readonly hours: number;
}

/** What a command for many does, one after the other. */
export function oneByOne(operation: Operation): Operation[] {
  if (operation.kind !== "run" || !isMany(operation.script)) return [operation];
  const { keys, args } = operation;
  const script = SINGLE[operation.script];
  const [keysEach, argsEach] = [Number(args[0]), Number(args[1])];
  return Array.from({ length: keys.length / keysEach }, (_, n) => ({
    kind: "run",
    script,
    keys: keys.slice(n * keysEach, (n + 1) * keysEach),
    args: args.slice(2 + n * argsEach, 2 + (n + 1) * argsEach),
  }));
}

const SINGLE = {
  obtainMany: "obtain",
  releaseMany: "release",
  refreshMany: "refresh",
  shortenMany: "shorten",
  obtainSharedMany: "obtainShared",
  releaseSharedMany: "releaseShared",
  refreshSharedMany: "refreshShared",
} as const;

function isMany(script: ScriptName): script is keyof typeof SINGLE {
  return script in SINGLE;
}

function finished(drafts: readonly Draft[]): Operation[] {
  let minutes = 0;
  const settled = ({ hours }: Hours): number => hours * HOUR + ++minutes * MINUTE;
  const text = (arg: Argument): string => String(typeof arg === "object" ? settled(arg) : arg);
  return drafts.map((draft) => {
    if (draft.kind === "run") return { ...draft, args: draft.args.map(text) };
    const [name, ...args] = draft.command;
    return { ...draft, command: [name, ...args.map(text)] };
  });
}

function run(script: ScriptName, keys: readonly string[], args: readonly Argument[]): Draft {
  return { kind: "run", script, keys, args };
}
