/**
 * Distributed locks over Redis and Valkey.
 *
 * The way through the source: `locker` (obtain) → `claim` (what is said to Redis) → `polling` or
 * `waiting` → `lock` → `lease`, `renewal` → release. `scripts` is all that runs in Redis.
 */

// For whoever takes locks:
export { Locker, obtain } from "./locker.js";
export type { Inspection, LockerOptions, WaiterInfo } from "./locker.js";
export type { Lock } from "./lock.js";
export type { ObtainOptions } from "./request.js";
export {
  exponentialBackoff,
  jitter,
  limitRetry,
  linearBackoff,
  noRetry,
  type RetryStrategy,
} from "./retry.js";
export {
  LockerClosedError,
  LockLostError,
  LockNotHeldError,
  NotALockError,
  NotObtainedError,
  OutcomeUnknownError,
  RedisLockError,
  RefusedError,
} from "./errors.js";
export type { ErrorCode, Holder, LossReason, Operation } from "./errors.js";
export type { EventListener, LockEvent } from "./events.js";

// For whoever writes an adapter:
export { toReply } from "./client.js";
export type { ChannelListener, RedisClient, Reply, Script, Subscription } from "./client.js";
export { ServerError } from "./errors.js";
export { type Listening, staySubscribed } from "./subscription.js";
export type { Clock, Timer } from "./clock.js";
export {
  forceReleaseScript,
  inspectScript,
  leaveScript,
  obtainManyScript,
  obtainScript,
  refreshScript,
  releaseManyScript,
  releaseScript,
  ttlScript,
} from "./scripts.js";
