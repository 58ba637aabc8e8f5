/**
 * Distributed locks over Redis and Valkey: what takes and holds locks. What only an adapter needs is in
 * `@redislock/core/adapter`.
 *
 * The way of one obtain through the source: `locker` → `acquire/engine` → `acquire/acquisition` (asking)
 * → `acquire/poll` or `acquire/wait` → `lease/lock` → `lease/lease`, `lease/renewal` → release. What is
 * asked of Redis, and what its replies mean, is in `primitives`; all that runs in Redis is in `lua`.
 */
export { Locker, obtain } from "./locker.js";
export type { CloseOptions } from "./calls.js";
export type { LockerConstructor, LockerOptions } from "./locker.js";
export type { Leader, LeaderOptions, LeadOptions, Term } from "./election.js";
export type { Lock } from "./lease/lock.js";
export type { ObtainOptions } from "./options.js";
export type { HolderInfo, Inspection, WaiterInfo } from "./primitives/inspection.js";
export type { LockMode, Sharing } from "./primitives/primitive.js";
export {
  exponentialBackoff,
  jitter,
  limitRetry,
  linearBackoff,
  noRetry,
  type RetryStrategy,
} from "./acquire/retry.js";
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
export { detailed } from "./events.js";
export type {
  DetailedLockEvent,
  DetailedLockEventListener,
  HoldDetails,
  LockEvent,
  LockEventListener,
  ObtainDetails,
} from "./events.js";
export type { ChannelListener, RedisClient, Reply, Script, Subscription } from "./redis/client.js";
export type { Clock, Timer } from "./time/clock.js";
