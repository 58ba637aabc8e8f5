/** A command in a process group of its own, so that what it started can be told and ended with it. */
import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import { env } from "node:process";

import { exitCodes } from "../exit-codes.js";

export type Ended =
  | { readonly code: number | null; readonly signal: NodeJS.Signals | null }
  | { readonly error: NodeJS.ErrnoException };

export class ProcessGroup {
  /** When the command itself has ended, or could not be started; what it started may live on. */
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcess | undefined;

  constructor([program = "", ...args]: readonly string[], environment: Record<string, string>) {
    try {
      const child = spawn(program, args, {
        stdio: "inherit",
        env: { ...env, ...environment },
        // A group of its own, which on POSIX comes with a session of its own.
        detached: true,
      });
      this.#child = child;
      this.ended = new Promise((resolve) => {
        child.once("error", (error) => resolve({ error }));
        child.once("exit", (code, signal) => resolve({ code, signal }));
      });
    } catch (error) {
      // Node tells of the usual reasons later, and throws the others: ENOTDIR, E2BIG, ELOOP.
      if (!(error instanceof Error)) throw error;
      this.ended = Promise.resolve({ error });
    }
  }

  /** To all of the group. Who is gone misses nothing. */
  send(signal: NodeJS.Signals | 0): boolean {
    const pid = this.#child?.pid;
    if (pid === undefined) return false;
    try {
      return process.kill(-pid, signal);
    } catch (error) {
      // EPERM: somebody is there, who took on another user's rights.
      return error instanceof Error && "code" in error && error.code === "EPERM";
    }
  }

  /** Whether any of the group is left. */
  get alive(): boolean {
    return this.send(0);
  }
}

/** As a shell tells it. */
export function codeOf(ended: Exclude<Ended, { error: unknown }>): number {
  const { code, signal } = ended;
  return signal === null ? (code ?? exitCodes.no) : exitCodes.signal + constants.signals[signal];
}
