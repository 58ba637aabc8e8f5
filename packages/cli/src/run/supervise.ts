/**
 * Ends the command before its lease does. While renewals succeed, more than half of the lease is always
 * left. When no more than the grace is left, the command is told to end; just before the end, or as soon as
 * the lock is known to be lost, it is killed, with all of its group.
 */
import type { Lock } from "@redislock/ioredis";

import { duration } from "../output/duration.js";

import type { Ended, ProcessGroup } from "./process-group.js";

/** Milliseconds before the end at which KILL is sent, as timers may be late. */
const MARGIN = 100;
/** How often one looks whether the group is gone. */
const LOOK_EACH = 10;

export interface LeaseSupervision {
  /** The command was told to end, or killed, for the sake of the lease. */
  readonly failed: boolean;
  /** Resolves when nothing of the command may run any more on the strength of the lock. */
  over(ended: Ended): Promise<void>;
}

export function superviseLease(
  lock: Lock,
  group: ProcessGroup,
  grace: number,
  tell: (what: string) => void,
): LeaseSupervision {
  let failed = false;
  let killed = false;
  let timer: NodeJS.Timeout | undefined;
  const margin = Math.min(MARGIN, Math.floor(grace / 4));

  const kill = (): void => {
    clearTimeout(timer);
    if (killed) return;
    [failed, killed] = [true, true];
    group.send("SIGKILL");
  };
  const end = (): void => {
    failed = true;
    tell(`cannot be renewed: the command is ended, and killed in ${duration(lock.remaining)}`);
    group.send("SIGTERM");
    // A stopped command would not hear of it.
    group.send("SIGCONT");
    // Not later if a renewal succeeds after all: it was told that this is all it has.
    timer = setTimeout(kill, Math.max(0, lock.remaining - margin));
  };
  const look = (): void => {
    const spare = lock.remaining - grace;
    if (spare > 0) timer = setTimeout(look, spare);
    else end();
  };
  const lost = (): void => {
    kill();
  };
  lock.signal.addEventListener("abort", lost);
  if (lock.signal.aborted) lost();
  else look();

  return {
    get failed() {
      return failed;
    },
    async over(ended) {
      // Told to end, the command may have gone before those whom it started. Who was killed is not waited
      // for: where nobody reaps orphans, they never seem to go.
      while (failed && !killed && !("error" in ended) && group.alive) {
        await new Promise((resolve) => setTimeout(resolve, LOOK_EACH));
      }
      clearTimeout(timer);
      lock.signal.removeEventListener("abort", lost);
    },
  };
}
