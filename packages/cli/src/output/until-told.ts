/** Goes on until a signal asks it to end, so that the end is ours and leaves nothing. */

const ending = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

export interface Told {
  readonly signal: AbortSignal;
  stop(): void;
}

export function untilTold(): Told {
  const controller = new AbortController();
  const end = (): void => controller.abort();
  for (const name of ending) process.on(name, end);
  return {
    signal: controller.signal,
    stop() {
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

/** Undefined if told to end before there is a result. */
export async function unlessTold<T>(
  result: Promise<T>,
  signal: AbortSignal,
): Promise<T | undefined> {
  const over = new AbortController();
  const told = new Promise<undefined>((resolve) => {
    const end = (): void => resolve(undefined);
    signal.addEventListener("abort", end, { signal: over.signal });
    if (signal.aborted) end();
  });
  try {
    return await Promise.race([result, told]);
  } finally {
    over.abort();
  }
}
