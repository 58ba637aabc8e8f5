/** What a locker tells of its work, for logs and metrics. Never holds a token. */
import type { Holder, LockLostError, RedisLockError } from "./errors.js";

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

export type LockEventListener = (event: LockEvent) => void;

/** Calls the listener so that nothing it does can disturb a lock: what it throws goes to the console. */
export function isolated(listener: LockEventListener | undefined): LockEventListener {
  return (event) => {
    try {
      const result: unknown = listener?.(event);
      if (result !== undefined) void Promise.resolve(result).catch(complain);
    } catch (error) {
      complain(error);
    }
  };
}

function complain(error: unknown): void {
  console.error("redislock: the onEvent listener failed:", error);
}
