// Timers come from the module, not from the globals, so that a test's fake timers do not stop them.
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";

/** How long and how often {@link waitUntil} looks. */
export interface WaitUntilOptions {
  /** What is waited for, as the error says it: "the key to expire". */
  readonly what?: string;
  /** Milliseconds before giving up. Default 60 000, for busy machines. */
  readonly timeout?: number;
  /** Milliseconds between two looks. Default 5. */
  readonly interval?: number;
}

/**
 * Looks at `condition` until it gives something truthy, and resolves with that. Rejects at the
 * timeout, and at once when `condition` throws.
 *
 * Only for what announces itself by no event: a wait that polls is slower and hides races.
 */
export async function waitUntil<T>(
  condition: () => T | Promise<T>,
  options: WaitUntilOptions = {},
): Promise<T> {
  const { what = "the condition", timeout = 60_000, interval = 5 } = options;
  const deadline = performance.now() + timeout;
  for (;;) {
    const answer = await condition();
    if (answer) return answer;
    if (performance.now() >= deadline) {
      throw new Error(`Waited ${timeout} ms in vain for ${what}; last answer: ${String(answer)}`);
    }
    await sleep(interval);
  }
}
