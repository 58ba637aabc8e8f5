import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { isNews, type News } from "./news.js";

/** A process of the shop, such as a seller. */
export interface ShopProcess {
  readonly name: string;
  /** Rejects if the process fails before. */
  readonly ready: Promise<void>;
  /** Resolves when the process is gone, with its exit code or the signal that killed it. */
  readonly ended: Promise<number | NodeJS.Signals>;
  start(): void;
  /** SIGKILL: the process can neither notice nor tidy up. */
  kill(): void;
}

/** What a process has to know: its name, and what else its file takes as options. */
export type Duty = { readonly name: string } & Readonly<Record<string, string | number | boolean>>;

export function startProcess(
  file: URL,
  url: string,
  duty: Duty,
  onNews: (news: News) => void,
): ShopProcess {
  const args = Object.entries(duty)
    .filter(([, value]) => value !== false)
    .map(([option, value]) => (value === true ? `--${option}` : `--${option}=${value}`));
  const child = fork(fileURLToPath(file), args, {
    // Not as an argument, which everyone on the machine can read: it may hold a password.
    env: { ...process.env, REDIS_URL: url },
  });
  const { name } = duty;
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
    void ended.then((how) => reject(new Error(`process ${name} ended before it began: ${how}`)));
  });
  return {
    name,
    ready,
    ended,
    start: () => child.send("start"),
    kill: () => child.kill("SIGKILL"),
  };
}

/** Starts them together, and waits until all have ended by themselves. */
export async function runTogether(
  processes: readonly ShopProcess[],
  onStart: () => void,
  mayDie: (one: ShopProcess) => boolean = () => false,
): Promise<void> {
  await Promise.all(processes.map(({ ready }) => ready));
  onStart();
  for (const one of processes) one.start();
  const ends = await Promise.all(processes.map(({ ended }) => ended));
  for (const [index, one] of processes.entries()) {
    const how = ends[index] ?? 0;
    if (how !== 0 && !mayDie(one)) throw new Error(`process ${one.name} ended with ${how}`);
  }
}
