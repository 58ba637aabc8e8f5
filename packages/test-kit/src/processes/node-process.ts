import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { createInterface } from "node:readline";
import { clearTimeout, setTimeout } from "node:timers";
import { fileURLToPath, type URL } from "node:url";

import { deferred } from "../promises/deferred.js";
import { endWithThisProcess } from "./lifeline.js";

/** How a process is started. */
export interface ProcessOptions {
  /** Its arguments. */
  readonly args?: readonly string[];
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** The folder that it runs in. Default: that of this process. */
  readonly cwd?: string;
  /** What runs the file: a program and its first arguments. Default: the Node that runs this. */
  readonly runtime?: readonly [program: string, ...args: string[]];
}

/** How a process ended: with a code, or by a signal. */
export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Which line is meant: a part of it, a pattern, or whatever the function says yes to. */
export type LineMatch = string | RegExp | ((line: string) => boolean);

/**
 * Runs a JavaScript file in a process of its own, to be stopped or killed by a test. It speaks by lines
 * on its standard output. It ends with this process at the latest.
 */
export function startProcess(file: string | URL, options: ProcessOptions = {}): NodeProcess {
  const path = typeof file === "string" ? file : fileURLToPath(file);
  const [program, ...first] = options.runtime ?? [process.execPath];
  const child = spawn(program, [...first, path, ...(options.args ?? [])], {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
  });
  endWithThisProcess(child);
  return new NodeProcess(path, child);
}

/** A running Node process. */
export class NodeProcess {
  /** Resolves when the process has ended and all that it wrote was read. */
  readonly exited: Promise<ProcessExit>;

  readonly #file: string;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: string[] = [];
  /** Called at every new line and at the end. */
  readonly #onNews = new Set<() => void>();
  #linesFound = 0;
  #stderr = "";
  #exit: ProcessExit | undefined;

  /** Use {@link startProcess}. */
  constructor(file: string, child: ChildProcessWithoutNullStreams) {
    this.#file = file;
    this.#child = child;
    const exited = deferred<ProcessExit>();
    this.exited = exited.promise;
    createInterface({ input: child.stdout }).on("line", (line) => {
      this.#lines.push(line);
      this.#announce();
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => (this.#stderr += text));
    // Writing to a process that is gone is no event of its own: `exited` tells.
    child.stdin.on("error", () => undefined);
    child.once("error", (error) => (this.#stderr += String(error)));
    child.once("close", (code, signal) => {
      this.#exit = { code, signal };
      exited.resolve(this.#exit);
      this.#announce();
    });
  }

  /** Of the process. */
  get pid(): number {
    if (this.#child.pid === undefined) throw new Error(`Not started: ${this.#story()}`);
    return this.#child.pid;
  }

  /** What it wrote to its standard error up to now. */
  get stderr(): string {
    return this.#stderr;
  }

  /** All its lines from the first on, until it ends. */
  get lines(): AsyncIterable<string> {
    return this.#iterate();
  }

  /**
   * The first line that matches after the one that was found last: calls in a row follow a dialogue.
   * Rejects when the process ends without it, and after `timeout` milliseconds, default 60 000.
   */
  async waitForLine(
    match: LineMatch,
    options: { readonly timeout?: number } = {},
  ): Promise<string> {
    const { timeout = 60_000 } = options;
    const found = deferred<string>();
    const look = (): void => {
      const index = this.#lines.findIndex(
        (line, position) => position >= this.#linesFound && lineMatches(line, match),
      );
      const line = this.#lines[index];
      if (line !== undefined) {
        this.#linesFound = index + 1;
        // At once: the next line may come before the promise is heard of, and is not for this call.
        this.#onNews.delete(look);
        found.resolve(line);
      } else if (this.#exit) {
        found.reject(
          new Error(`The process ended without the line ${String(match)}: ${this.#story()}`),
        );
      }
    };
    const timer = setTimeout(() => {
      found.reject(new Error(`No line ${String(match)} came in ${timeout} ms: ${this.#story()}`));
    }, timeout);
    this.#onNews.add(look);
    look();
    try {
      return await found.promise;
    } finally {
      clearTimeout(timer);
      this.#onNews.delete(look);
    }
  }

  /** Writes a line to its standard input. */
  send(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  /** Sends a signal: SIGSTOP and SIGCONT to pause it. Default SIGKILL. */
  kill(signal: NodeJS.Signals = "SIGKILL"): void {
    this.#child.kill(signal);
  }

  /** Sends SIGKILL and waits for the end. */
  async stop(): Promise<ProcessExit> {
    this.kill();
    return this.exited;
  }

  /** Ends it, whatever has become of the test. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async *#iterate(): AsyncGenerator<string> {
    for (let index = 0; ; index += 1) {
      while (index >= this.#lines.length) {
        if (this.#exit) return;
        await this.#news();
      }
      yield this.#lines[index] ?? "";
    }
  }

  async #news(): Promise<void> {
    await new Promise<void>((resolve) => {
      const tell = (): void => {
        this.#onNews.delete(tell);
        resolve();
      };
      this.#onNews.add(tell);
    });
  }

  #announce(): void {
    for (const tell of this.#onNews) tell();
  }

  /** All there is to know about it, for an error. */
  #story(): string {
    const end = this.#exit ? `ended with ${this.#exit.code ?? this.#exit.signal}` : "running";
    const parts = [`${this.#file} (${end})`, ...this.#lines.slice(-10), this.#stderr.slice(-4_000)];
    return parts.filter((part) => part !== "").join("\n");
  }
}

function lineMatches(line: string, match: LineMatch): boolean {
  if (typeof match === "function") return match(line);
  return typeof match === "string" ? line.includes(match) : match.test(line);
}
