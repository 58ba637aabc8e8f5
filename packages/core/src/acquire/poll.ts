import type { Commands } from "../redis/commands.js";
import { type Acquisition, type Answer, isLast } from "./acquisition.js";
import { delayAfter, type RetryStrategy } from "./retry.js";

/** Asks again after the delays of `retry`, until there is an answer that ends it, or the deadline. */
export async function poll(
  acquisition: Acquisition,
  commands: Commands,
  retry: RetryStrategy,
  deadline: number,
): Promise<Answer> {
  for (;;) {
    // Unbounded by the deadline: a command sent just before it deserves its answer.
    const answer = await acquisition.ask(Infinity);
    if (isLast(answer) || !acquisition.wanted) return answer;
    const delay = delayAfter(retry, acquisition.tries);
    if (delay === 0 || commands.timers.now() + delay >= deadline) return answer;
    if (answer.kind === "taken") acquisition.waiting();
    await pause(acquisition, commands, delay);
    if (!acquisition.wanted) return answer;
  }
}

/** Resolves after `ms` milliseconds, or when the acquisition is stopped; soon if the client is closed. */
function pause(acquisition: Acquisition, commands: Commands, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const over = (): void => {
      forget();
      acquisition.onStop(undefined);
      resolve();
    };
    const forget = commands.at(commands.timers.now() + ms, over);
    acquisition.onStop(over);
  });
}
