import { scripts } from "@redislock/core/adapter";
import fc from "fast-check";

export const scripts = {
  obtain: scripts.obtain,
  obtainMany: scripts.obtainMany,
  release: scripts.release,
  releaseMany: scripts.releaseMany,
  leave: scripts.leave,
  refresh: scripts.refresh,
  ttl: scripts.ttl,
  inspect: scripts.inspect,
  forceRelease: scripts.forceRelease,
};

/** Something that is done to a server, and can be done to both. */
export type Operation =
  | {
      readonly kind: "run";
      readonly script: keyof typeof scripts;
      readonly keys: readonly string[];
      readonly args: readonly string[];
    }
  | { readonly kind: "command"; readonly command: readonly [string, ...string[]] };

/** Times are many minutes, so that the few milliseconds of a run make no difference. */
export const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Whose messages somebody hears, and whose nobody does. */
export const HEARD = "hears";
const UNHEARD = "deaf";

export const locks: readonly string[][] = ["a", "b"].map((key) => [
  key,
  `{${key}}:fence`,
  `{${key}}:line`,
  `{${key}}:waiters`,
]);
/** A lock whose key holds something else: the line of the first. */
const noLock = ["{a}:line", "{c}:fence", "{c}:line", "{c}:waiters"];

const oneLock = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom(...locks) },
  { weight: 1, arbitrary: fc.constant(noLock) },
);
const someLocks = fc.oneof(
  { weight: 4, arbitrary: oneLock },
  { weight: 1, arbitrary: fc.constantFrom(locks.flat(), [...locks].reverse().flat()) },
);

const holder = fc.constantFrom(
  { value: "token-1", length: 7 },
  { value: "token-1 and metadata", length: 7 },
  { value: "token-2", length: 7 },
  { value: "token-2{}\n\0é", length: 7 },
  // Half of a character: a server knows bytes, not characters.
  { value: "tökén-3é", length: 8 },
);
/** No two are the same in the end, so that it is never a matter of a millisecond which is longer. */
const ttl = fc.constantFrom(3, 6, 50, 500).map((hours) => ({ hours }));

const waiter = fc.record({
  who: fc.constantFrom(`${HEARD}:1`, `${HEARD}:2`, `${HEARD}:3`, `${UNHEARD}:1`, `${UNHEARD}:2`),
  ticket: fc.constantFrom("", "", "", "5", "7"),
  patience: fc.constantFrom(HOUR, HOUR, HOUR, -HOUR),
  told: fc.constantFrom(0, 1, 1, 1, 2),
  grantTtl: ttl,
});

/** A waiter waits for the same keys as long as it lives, in the same order: other keys, another id. */
function idOf(who: string, keys: readonly string[]): string {
  return `${who}${[...locks, noLock].findIndex(([key]) => key === keys[0])}${keys.length / 4}`;
}

const obtain = fc
  .record({ keys: someLocks, holder, ttl, waiter: fc.option(waiter, { nil: undefined }) })
  .map(({ keys, holder: { value, length }, ttl, waiter }) => {
    const args = [value, ttl, length];
    if (!waiter) return run("obtain", keys, args);
    const { who, ticket, patience, told, grantTtl } = waiter;
    return run("obtain", keys, [...args, idOf(who, keys), ticket, patience, told, grantTtl]);
  });

const release = fc
  .record({ keys: someLocks, holder })
  .map(({ keys, holder }) => run("release", keys, [holder.value]));

/** Questions of one shape, as they leave together. */
const obtainMany = fc
  .array(fc.record({ keys: oneLock, holder, ttl }), { minLength: 2, maxLength: 4 })
  .map((parts) =>
    run(
      "obtainMany",
      parts.flatMap(({ keys }) => keys),
      [4, 3, ...parts.flatMap(({ holder: { value, length }, ttl }) => [value, ttl, length])],
    ),
  );
const lineUpMany = fc
  .uniqueArray(fc.record({ keys: oneLock, holder, ttl, waiter }), {
    minLength: 2,
    maxLength: 3,
    selector: ({ keys }) => keys[0],
  })
  .map((parts) =>
    run(
      "obtainMany",
      parts.flatMap(({ keys }) => keys),
      [
        4,
        8,
        ...parts.flatMap(({ keys, holder: { value, length }, ttl, waiter }) => {
          const { who, ticket, patience, told, grantTtl } = waiter;
          return [value, ttl, length, idOf(who, keys), ticket, patience, told, grantTtl];
        }),
      ],
    ),
  );
const releaseMany = fc
  .array(fc.record({ keys: oneLock, holder }), { minLength: 2, maxLength: 4 })
  .map((parts) =>
    run(
      "releaseMany",
      parts.flatMap(({ keys }) => keys),
      [4, 1, ...parts.map(({ holder }) => holder.value)],
    ),
  );

const leave = fc
  .record({ keys: someLocks, holder, waiter: fc.option(waiter, { nil: undefined }) })
  .map(({ keys, holder, waiter }) =>
    run("leave", keys, [holder.value, waiter ? idOf(waiter.who, keys) : ""]),
  );

const refresh = fc
  .array(fc.record({ lock: oneLock, holder, ttl, cut: fc.constantFrom(0, 1) }), {
    minLength: 1,
    maxLength: 3,
  })
  .map((parts) =>
    run(
      "refresh",
      parts.flatMap(({ lock }) => lock.slice(0, 2)),
      parts.flatMap(({ holder, ttl, cut }) => [holder.value, ttl, cut]),
    ),
  );

const askForTtl = fc
  .record({ lock: oneLock, holder, both: fc.boolean() })
  .map(({ lock: [key = ""], holder, both }) =>
    run("ttl", both ? ["a", "b"] : [key], [holder.value]),
  );

const inspect = fc
  .record({ lock: oneLock, most: fc.constantFrom(1, 100) })
  .map(({ lock, most }) => run("inspect", lock, [most]));

const forceRelease = oneLock.map((lock) => run("forceRelease", lock, []));

const expiry = fc
  .constantFrom(...locks.flat(), ...locks.map(([key = ""]) => key))
  .map((key): Draft => ({ kind: "command", command: ["DEL", key] }));

const foreign = fc
  .record({ lock: fc.constantFrom(...locks), value: fc.constantFrom("foreign", "token-1"), ttl })
  .map(({ lock: [key = ""], value, ttl }): Draft => ({
    kind: "command",
    command: ["SET", key, value, "PX", ttl],
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
      { weight: 1, arbitrary: askForTtl },
      { weight: 2, arbitrary: inspect },
      { weight: 2, arbitrary: forceRelease },
      { weight: 3, arbitrary: expiry },
      { weight: 1, arbitrary: foreign },
      { weight: 1, arbitrary: foreignForEver },
    ),
    { minLength: 1, maxLength: 25, size: "max" },
  )
  .map(finished);

/** Looks at everything that is there in the end. */
export const lookAround: readonly Operation[] = finished(
  locks.flatMap((lock) => [
    run("inspect", lock, [100]),
    ...lock.map((key): Draft => ({ kind: "command", command: ["PTTL", key] })),
    { kind: "command", command: ["GET", lock[0] ?? ""] },
  ]),
);

/** An operation whose times are not settled yet. */
type Draft =
  | {
      readonly kind: "run";
      readonly script: keyof typeof scripts;
      readonly keys: readonly string[];
      readonly args: readonly Argument[];
    }
  | { readonly kind: "command"; readonly command: readonly [string, ...Argument[]] };

type Argument = string | number | Hours | undefined;

interface Hours {
  readonly hours: number;
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

function run(
  script: keyof typeof scripts,
  keys: readonly string[],
  args: readonly Argument[],
): Draft {
  return { kind: "run", script, keys, args };
}
