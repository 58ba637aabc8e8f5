import type { Outcome } from "../redis/command.js";

/** What one of several servers said, or why it said nothing. */
export interface ServerVerdict {
  /** Its place in the array that the locker was given, from 0. */
  readonly server: number;
  /** Its vote, `refused` for an error that it answered with, `unknown` where no answer came. */
  readonly said: "yes" | "no" | "refused" | "unknown";
  /** The error that it answered with, or why no answer came. */
  readonly error: Error | undefined;
}

/**
 * What each server said where a majority did not say yes: the `cause` of an error of a quorum. `errors`
 * has those of the servers that gave no vote.
 */
export class QuorumError extends AggregateError {
  /** One for each server, in their order. */
  readonly servers: readonly ServerVerdict[];

  constructor(servers: readonly ServerVerdict[]) {
    super(
      servers.flatMap(({ error }) => (error ? [error] : [])),
      servers.map(told).join("; "),
    );
    // A literal name, for bundlers rename classes.
    Object.defineProperty(this, "name", { value: "QuorumError", configurable: true });
    this.servers = servers;
  }
}

function told({ server, said, error }: ServerVerdict): string {
  return `server ${server + 1}: ${said}${error ? ` (${error.message})` : ""}`;
}

/** The outcomes as they are told to users. */
export function quorumError<T>(
  outcomes: readonly (Outcome<T> | undefined)[],
  isYes: (reply: T) => boolean,
): QuorumError {
  return new QuorumError(
    Array.from(outcomes, (outcome, server): ServerVerdict => {
      if (!outcome) return { server, said: "unknown", error: notWaitedFor() };
      if (outcome.kind !== "reply") return { server, said: outcome.kind, error: outcome.error };
      return { server, said: isYes(outcome.reply) ? "yes" : "no", error: undefined };
    }),
  );
}

function notWaitedFor(): Error {
  return new Error("its answer was not waited for");
}
