import type { Attributes } from "@opentelemetry/api";
import { LockLostError, RedisLockError, type ObtainDetails } from "@redislock/core";
import type { TelemetryOptions } from "./telemetry.js";

/** How an obtain ended, and how the holding of a lock did. */
export type Outcome = "obtained" | "not_obtained" | "aborted" | "failed";
export type HoldOutcome = "released" | "lost" | "release_failed";

export const NAME = "redislock.name";
const MODE = "redislock.mode";
export const OUTCOME = "redislock.outcome";
/** Of the semantic conventions. */
export const ERROR_TYPE = "error.type";

/** Of metrics: none can have more values than the user gave names. */
export function attributesOf(
  { mode, keys }: Pick<ObtainDetails, "mode"> & { readonly keys: readonly string[] },
  naming: TelemetryOptions["name"],
): Attributes {
  const [first = ""] = keys;
  const name = naming?.(first, keys);
  return name === undefined ? { [MODE]: mode } : { [MODE]: mode, [NAME]: name };
}

/** Of spans besides: what was asked for. */
export function requestOf({ permits, limit }: ObtainDetails, keys: readonly string[]): Attributes {
  const counted =
    limit === undefined ? {} : { "redislock.permits": permits, "redislock.limit": limit };
  return { "redislock.keys": [...keys], ...counted };
}

/** A word for what went wrong, of which there are few: why a lock was lost, or the code of an error. */
export function errorType(error: unknown): string {
  if (error instanceof LockLostError) return error.reason;
  if (error instanceof RedisLockError) return error.code;
  if (error instanceof Error) return error.name;
  // What an AbortSignal of the platform says by itself, which may be of another realm.
  const name: unknown = typeof error === "object" && error !== null && Reflect.get(error, "name");
  return name === "AbortError" || name === "TimeoutError" ? name : "_OTHER";
}

/** Whether it was the program itself that ended an obtain: by its signal, or by closing the locker. */
export function isAbort(error: unknown): boolean {
  if (error instanceof RedisLockError) return error.code === "CLOSED";
  return !(error instanceof TypeError || error instanceof RangeError);
}
