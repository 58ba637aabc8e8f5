import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Adapter } from "./connection.js";
import { isNews, type News } from "./news.js";

/** What a seller has to know. */
export interface Duty {
  readonly name: string;
  readonly adapter: Adapter;
  readonly lock: boolean;
  /** Put before every key. */
  readonly shop: string;
  /** How many buyers come to this seller. */
  readonly buyers: number;
  /** Milliseconds that a sale takes, on the average. */
  readonly pause: number;
  /** Milliseconds after which the lock of a dead seller is free. */
  readonly lease: number;
}

export interface SellerProcess {
  readonly name: string;
  /** Rejects if the process fails before. */
  readonly ready: Promise<void>;
  /** Resolves when the process is gone, with its exit code or the signal that killed it. */
  readonly ended: Promise<number | NodeJS.Signals>;
  start(): void;
  /** SIGKILL: the process can neither notice nor tidy up. */
  kill(): void;
}

export function startSeller(url: string, duty: Duty, onNews: (news: News) => void): SellerProcess {
  const { name, lock, ...rest } = duty;
  const args = Object.entries({ name, ...rest }).map(([option, value]) => `--${option}=${value}`);
  if (lock) args.push("--lock");
  const child = fork(fileURLToPath(new URL("./seller.js", import.meta.url)), args, {
    // Not as an argument, which everyone on the machine can read: it may hold a password.
    env: { ...process.env, REDIS_URL: url },
  });
  // Its last words may come after its end: they are all read when the channel is closed.
  const ended = Promise.all([once(child, "exit"), once(child, "disconnect")]).then(
    () => child.signalCode ?? child.exitCode ?? 0,
  );
  const ready = new Promise<void>((resolve, reject) => {
    child.on("message", (message) => {
      if (!isNews(message)) return;
      if (message.type === "ready") resolve();
      else onNews(message);
    });
    void ended.then((how) => reject(new Error(`seller ${name} ended before it began: ${how}`)));
  });
  return {
    name,
    ready,
    ended,
    start: () => child.send("start"),
    kill: () => child.kill("SIGKILL"),
  };
}
