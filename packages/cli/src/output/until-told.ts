/** Goes on until a signal asks it to end, or nobody reads it any more: the end is ours and leaves nothing. */
import { stdout } from "node:process";

const ending = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

export interface Told {
  readonly signal: AbortSignal;
  stop(): void;
}

export function untilTold(): Told {
  const controller = new AbortController();
  const end = (): void => controller.abort();
  for (const name of ending) process.on(name, end);
  stdout.once("error", end);
  return {
    signal: controller.signal,
    stop() {
      stdout.off("error", end);
      for (const name of ending) process.off(name, end);
    },
  };
}

/** Waits, or less if told to end. */
export function within(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
    if (signal.aborted) done();
  });
}

/** Undefined if there is no result by then, or if told to end before there is. */
export async function resultWithin<T>(
  result: Promise<T>,
  ms: number,
  signal: AbortSignal,
): Promise<T | undefined> {
  const over = new AbortController();
  const end = (): void => over.abort();
  signal.addEventListener("abort", end);
  if (signal.aborted) end();
  try {
    return await Promise.race([result, within(ms, over.signal).then(() => undefined)]);
  } finally {
    end();
    signal.removeEventListener("abort", end);
  }
}
