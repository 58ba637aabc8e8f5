/** Goes on until a signal asks it to end, so that the end is ours and leaves nothing. */

const ending = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

export interface Told {
  readonly signal: AbortSignal;
  /** Waits, or less if told to end. */
  within(ms: number): Promise<void>;
  stop(): void;
}

export function untilTold(): Told {
  const controller = new AbortController();
  const { signal } = controller;
  const end = (): void => controller.abort();
  for (const name of ending) process.on(name, end);
  return {
    signal,
    within(ms) {
      return new Promise((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          signal.removeEventListener("abort", done);
          resolve();
        };
        const timer = setTimeout(done, ms);
        signal.addEventListener("abort", done);
      });
    },
    stop() {
      for (const name of ending) process.off(name, end);
    },
  };
}
