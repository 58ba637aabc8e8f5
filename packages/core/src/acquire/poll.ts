import type { Timers } from "../time/timers.js";
import type { Acquisition, Answer } from "./acquisition.js";
import { delayAfter, type RetryStrategy } from "./retry.js";

/** Asks again after the delays of `retry`, until there is an answer that ends it, or the deadline. */
export async function poll(
  acquisition: Acquisition,
  timers: Timers,
  retry: RetryStrategy,
  deadline: number,
): Promise<Answer> {
  for (;;) {
    // Unbounded by the deadline: a command sent just before it deserves its answer.
    const answer = await acquisition.ask(Infinity);
    if (answer.kind === "granted" || !acquisition.wanted) return answer;
    if (answer.kind === "failed" && answer.final) return answer;
    const delay = delayAfter(retry, acquisition.tries);
    if (delay === 0 || timers.now() + delay >= deadline) return answer;
    if (answer.kind === "taken") acquisition.waiting();
    await pause(acquisition, timers, delay);
    if (!acquisition.wanted) return answer;
  }
}

/** Resolves after `ms` milliseconds, or when the acquisition is stopped. */
function pause(acquisition: Acquisition, timers: Timers, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const over = (): void => {
      timers.clear(due);
      acquisition.onStop(undefined);
      resolve();
    };
    const due = timers.set(timers.now() + ms, over);
    acquisition.onStop(over);
  });
}
