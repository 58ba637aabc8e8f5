/** What a locker tells of its work, for logs and metrics. Never holds a token. */
import type { Holder, LockLostError, RedisLockError } from "./errors.js";
import type { Claim, LockMode } from "./primitives/primitive.js";
import type { HolderInfo } from "./primitives/inspection.js";

/** What a listener for `onEvent` is told. */
export type LockEvent =
  /** A lock was obtained, after `waited` milliseconds and `tries` commands. */
  | {
      readonly type: "obtained";
      readonly keys: readonly string[];
      readonly waited: number;
      readonly tries: number;
      readonly fencingToken: number;
    }
  /** An obtain ended with a "no". */
  | {
      readonly type: "notObtained";
      readonly keys: readonly string[];
      readonly waited: number;
      readonly tries: number;
      readonly holder: Holder | undefined;
    }
  /**
   * An obtain begins to wait, in line or polling, for a lock that this process holds itself, through the
   * same client. If that one is released only after this one was obtained, it waits for itself.
   */
  | { readonly type: "waitingForOwn"; readonly keys: readonly string[] }
  /** An obtain had to wait, in line or polling, and did so for `waited` milliseconds, however it ended. */
  | { readonly type: "waited"; readonly keys: readonly string[]; readonly waited: number }
  /** The lease was renewed and is ours for `remaining` milliseconds. */
  | { readonly type: "renewed"; readonly keys: readonly string[]; readonly remaining: number }
  /** A renewal got no answer or a refusal; it is tried again for `remaining` milliseconds. */
  | {
      readonly type: "renewalFailed";
      readonly keys: readonly string[];
      readonly remaining: number;
      readonly error: RedisLockError;
    }
  /** A lock was lost while it was held. */
  | { readonly type: "lost"; readonly keys: readonly string[]; readonly error: LockLostError }
  /** A lock was given back, after `held` milliseconds. */
  | { readonly type: "released"; readonly keys: readonly string[]; readonly held: number }
  /** A release got no answer or a refusal, or found the lock gone. The lock ends by its ttl at the latest. */
  | {
      readonly type: "releaseFailed";
      readonly keys: readonly string[];
      readonly error: RedisLockError;
    }
  /** A grant came after its obtain had given up, or too few replicas had it, and was released again. */
  | { readonly type: "lateGrantReleased"; readonly keys: readonly string[] }
  /**
   * A step of an election got no answer or a refusal: a leader stood for election (`obtain`) or told its
   * followers (`announce`), or a follower looked who leads (`inspect`). The first and the last are tried
   * again after a pause of 100 ms that doubles, up to 10 s; who is not told looks when the lease is over.
   */
  | {
      readonly type: "electionFailed";
      readonly keys: readonly string[];
      readonly error: RedisLockError;
    }
  /** The channel for wake-up messages could not be opened: waiters ask instead of being told. */
  | { readonly type: "subscribeFailed"; readonly error: Error };

/** What `onEvent` of a locker takes. */
export type LockEventListener = (event: LockEvent) => void;

/** What a listener that wants details is told of an obtain, and of the lock that came of it. */
export interface ObtainDetails {
  /** The same in all events of one obtain and its lock, and no other's in this process: a small number. */
  readonly id: number;
  /** How the lock is asked for: alone, shared or counted. */
  readonly mode: LockMode;
  /** How many permits are asked for; 1 for a lock that is not counted. */
  readonly permits: number;
  /** How many may be out; `undefined` for a lock that is not counted. */
  readonly limit: number | undefined;
}

/** What it is told of a lock that was obtained. */
export interface HoldDetails extends ObtainDetails {
  /** As `lock.fencingToken` is. */
  readonly fencingToken: number;
  /** Milliseconds since the lock was obtained. */
  readonly held: number;
}

/**
 * Each {@link LockEvent} with what it belongs to, `releaseFailed` also where `release` threw the error, and
 * besides them how obtains begin, wait and fail.
 */
export type DetailedLockEvent =
  | (Extract<
      LockEvent,
      {
        readonly type:
          "obtained" | "notObtained" | "waitingForOwn" | "waited" | "lateGrantReleased";
      }
    > &
      ObtainDetails)
  | (Extract<
      LockEvent,
      { readonly type: "renewed" | "renewalFailed" | "lost" | "released" | "releaseFailed" }
    > &
      HoldDetails)
  | Extract<LockEvent, { readonly type: "electionFailed" | "subscribeFailed" }>
  /** An obtain begins. It ends with `obtained`, `notObtained` or `obtainFailed`. */
  | (ObtainDetails & { readonly type: "obtaining"; readonly keys: readonly string[] })
  /** An obtain begins to wait, in line or polling, for locks that are taken. It waits until it ends. */
  | (ObtainDetails & {
      readonly type: "waiting";
      readonly keys: readonly string[];
      /** Its place in line, 1 for the next to be served; `undefined` for one that polls. */
      readonly position: number | undefined;
      /**
       * Asks Redis who has the locks: at most a hundred of each key.
       *
       * @throws what `inspect` throws
       */
      readonly holders: () => Promise<readonly HolderInfo[]>;
    })
  /** An obtain threw this `error`, after `waited` milliseconds: it was aborted, or there was trouble. */
  | (ObtainDetails & {
      readonly type: "obtainFailed";
      readonly keys: readonly string[];
      readonly waited: number;
      readonly error: unknown;
    });

/** A listener for `onEvent` that is told all of it: see {@link detailed}. */
export interface DetailedLockEventListener {
  (event: LockEvent | DetailedLockEvent): void;
  /** By this it is known as one that wants details. */
  readonly detail: "all";
}

/**
 * Makes a listener for `onEvent` that is told also how obtains begin, wait and fail, and which events
 * belong together.
 *
 * @example
 * createLocker(redis, { onEvent: detailed((event) => console.log(event)) });
 */
export function detailed(
  listener: (event: DetailedLockEvent) => unknown,
): DetailedLockEventListener {
  const told = (event: LockEvent | DetailedLockEvent): unknown => {
    if (isDetailed(event)) return listener(event);
    throw new TypeError("it wants details: give it to onEvent itself, or call it in detailed()");
  };
  return Object.assign(told, { detail: "all" as const });
}

function isDetailed(event: LockEvent | DetailedLockEvent): event is DetailedLockEvent {
  return "id" in event || event.type === "electionFailed" || event.type === "subscribeFailed";
}

/** Tells a listener of an event, with details if it wants them. */
export interface Teller {
  (event: LockEvent, details?: ObtainDetails): void;
  /** Tells of what only a listener is told that wants details; undefined for one that does not. */
  readonly more?: (event: DetailedLockEvent) => void;
}

/**
 * Calls the listener so that nothing it does can disturb a lock: what it throws goes to the console. Where
 * nobody listens, there is nobody to tell, and nothing is made to be told.
 */
export function isolated(listener: LockEventListener | undefined): Teller | undefined {
  if (!listener || !isDetailedListener(listener)) return listener && guarded(listener);
  const tell = guarded(listener);
  return Object.assign<Teller, Pick<Teller, "more">>(
    (event, details) => tell({ ...event, ...details }),
    { more: tell },
  );
}

function isDetailedListener(listener: LockEventListener): listener is DetailedLockEventListener {
  return Object.hasOwn(listener, "detail") && Reflect.get(listener, "detail") === "all";
}

function guarded<Event>(listener: (event: Event) => unknown): (event: Event) => void {
  return (event) => {
    try {
      const result = listener(event);
      if (result !== undefined) void Promise.resolve(result).catch(complain);
    } catch (error) {
      complain(error);
    }
  };
}

function complain(error: unknown): void {
  console.error("redislock: the onEvent listener failed:", error);
}

/** Where the last id is kept: copies of this package in a process, as ES module and CommonJS, share it. */
const LAST_ID = Symbol.for("redislock.lastObtain");

/** The details of an obtain that begins. */
export function detailsOf({ sharing }: Pick<Claim, "sharing">): ObtainDetails {
  const { mode = "exclusive", permits = 1, limit } = sharing ?? {};
  const last: unknown = Reflect.get(globalThis, LAST_ID);
  const id = typeof last === "number" ? last + 1 : 1;
  Reflect.set(globalThis, LAST_ID, id);
  return { id, mode, permits, limit };
}
