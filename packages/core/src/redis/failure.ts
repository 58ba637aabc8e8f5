import {
  NotALockError,
  type Operation,
  OutcomeUnknownError,
  RefusedError,
  type RedisLockError,
} from "../errors.js";
import type { Failure } from "./command.js";

/** The error to throw for an outcome without a reply. */
export function failureOf(
  keys: readonly string[],
  operation: Operation,
  { kind, error }: Failure,
): RedisLockError {
  if (kind === "unknown") return new OutcomeUnknownError(keys, operation, error.message, error);
  if (error.reply === "WRONGTYPE") return new NotALockError(keys, error);
  return new RefusedError(keys, operation, error);
}
