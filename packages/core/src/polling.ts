import type { Alarm } from "./alarm.js";
import type { Answer, Claim } from "./claim.js";
import type { Effort } from "./effort.js";
import { delayAfter, type RetryStrategy } from "./retry.js";

/** Asks again after the delays of `retry`, until there is an answer that ends it, or the deadline. */
export async function poll(
  claim: Claim,
  effort: Effort,
  alarm: Alarm,
  retry: RetryStrategy,
  deadline: number,
): Promise<Answer> {
  for (;;) {
    // Unbounded by the deadline: a question asked just before it deserves its answer.
    const answer = await claim.ask(Infinity);
    effort.tries++;
    if (answer.kind === "granted" || effort.over) return answer;
    if (answer.kind === "failed" && answer.final) return answer;
    const delay = delayAfter(retry, effort.tries);
    if (delay === 0 || alarm.now() + delay >= deadline) return answer;
    await effort.sleep(alarm.now() + delay);
  }
}
