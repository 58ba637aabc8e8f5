import {
  NotALockError,
  type Operation,
  OutcomeUnknownError,
  RefusedError,
  type RedisLockError,
} from "../errors.js";
import type { Failure } from "./commands.js";
import { redacted, redactedAnswer } from "./redact.js";

/** The error to throw for an outcome without a reply; without the token, wherever it stood. */
export function failureOf(
  keys: readonly string[],
  operation: Operation,
  outcome: Failure,
  token: string = "",
): RedisLockError {
  if (outcome.kind === "unknown") {
    const cause = redacted(outcome.error, token);
    return new OutcomeUnknownError(keys, operation, cause.message, cause);
  }
  const cause = redactedAnswer(outcome.error, token);
  if (cause.reply === "WRONGTYPE") return new NotALockError(keys, cause);
  return new RefusedError(keys, operation, cause);
}
