/** Signals are the command's; until it runs, they end the wait. */
import { constants } from "node:os";

/** Those that end by custom, before there is a command. */
const ending = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;

/** Those that only mean something to the command. */
const telling = ["SIGUSR1", "SIGUSR2", "SIGWINCH", "SIGCONT"] as const;

/**
 * Suspended, nobody would renew the lock while the command went on. It cannot be passed on either: the
 * shell would not learn that it has the terminal back.
 */
const ignored = ["SIGTSTP"] as const;

export interface SignalPassing {
  /** Aborts at the first signal that comes before there is a command. */
  readonly ended: AbortSignal;
  /** The number of that signal. */
  readonly number: number;
  passOn(receiver: (signal: NodeJS.Signals) => void): void;
  stop(): void;
}

export function onSignals(): SignalPassing {
  const controller = new AbortController();
  let number = 0;
  let pass: ((signal: NodeJS.Signals) => void) | undefined;
  const end = (signal: NodeJS.Signals): void => {
    if (pass) {
      pass(signal);
    } else {
      number ||= constants.signals[signal];
      controller.abort();
    }
  };
  const tell = (signal: NodeJS.Signals): void => pass?.(signal);
  const ignore = (): void => {};
  for (const signal of ending) process.on(signal, end);
  for (const signal of telling) process.on(signal, tell);
  for (const signal of ignored) process.on(signal, ignore);
  return {
    ended: controller.signal,
    get number() {
      return number;
    },
    passOn(receiver) {
      pass = receiver;
    },
    stop() {
      for (const signal of ending) process.off(signal, end);
      for (const signal of telling) process.off(signal, tell);
      for (const signal of ignored) process.off(signal, ignore);
    },
  };
}
