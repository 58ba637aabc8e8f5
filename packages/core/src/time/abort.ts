import { builtin } from "./builtin.js";

/** What is to be done when a signal aborts, and the one listener that does it. */
interface Watch {
  readonly runs: Set<() => void>;
  readonly listener: () => void;
}

const watches = new WeakMap<AbortSignal, Watch>();

/**
 * Runs `run` when the signal aborts, unless the returned function was called before. One listener for
 * each signal: a single shutdown signal for any number of waits is common, and platforms warn of more
 * than ten listeners.
 */
export function onAbort(signal: AbortSignal, run: () => void): () => void {
  const watch = watches.get(signal) ?? watchOver(signal);
  watch.runs.add(run);
  return () => {
    watch.runs.delete(run);
    if (watch.runs.size > 0) return;
    signal.removeEventListener("abort", watch.listener);
    watches.delete(signal);
  };
}

/** A controller whose signal any number may listen to: Node 20 warns of more than ten. */
export function controller(): AbortController {
  const made = new AbortController();
  try {
    builtin("node:events")?.setMaxListeners?.(0, made.signal);
  } catch {
    // A signal of another realm's own, such as jsdom's: it knows no such warning.
  }
  return made;
}

function watchOver(signal: AbortSignal): Watch {
  const runs = new Set<() => void>();
  const listener = (): void => {
    for (const run of runs) run();
  };
  const watch = { runs, listener };
  watches.set(signal, watch);
  signal.addEventListener("abort", listener);
  return watch;
}
