/** The built program, run as its users run it; whatever it writes is searched for secrets. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

import { waitUntil } from "@redislock/test-kit";

export const bin = fileURLToPath(new URL("../dist/bin.js", import.meta.url));

/** In no output, whatever is tried. */
export const PASSWORD = "correct-horse-battery";
const secrets = new Set([PASSWORD]);

export function mustStaySecret(secret: string): void {
  secrets.add(secret);
}

export interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Options {
  readonly url?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Started by this, as in a terminal; the program is its last argument. */
  readonly input?: string;
}

const running = new Set<Cli>();

/** Milliseconds that a program has to end when told to. */
const PATIENCE = 10_000;

/** Ends what a test has left, as one that fails does: it would go on beside the next. */
export async function endAll(): Promise<void> {
  await Promise.all([...running].map((one) => one.end()));
}

export class Cli {
  readonly #child: ChildProcess;
  readonly ended: Promise<Result>;
  stdout = "";
  stderr = "";

  constructor(command: string, args: readonly string[], { url, env, input }: Options) {
    this.#child = spawn(command, args, {
      env: {
        PATH: process.env["PATH"] ?? "",
        ...(url === undefined ? {} : { REDIS_URL: url }),
        ...env,
      },
    });
    this.#child.stdout?.on("data", (chunk) => (this.stdout += String(chunk)));
    this.#child.stderr?.on("data", (chunk) => (this.stderr += String(chunk)));
    if (input !== undefined) this.#child.stdin?.write(input);
    else this.#child.stdin?.end();
    running.add(this);
    for (const event of ["error", "exit"]) this.#child.once(event, () => running.delete(this));
    this.ended = new Promise((resolve, reject) => {
      this.#child.once("error", reject);
      this.#child.once("close", (code, signal) => {
        const { stdout, stderr } = this;
        const leak = [...secrets].find((secret) => `${stdout}\n${stderr}`.includes(secret));
        if (leak !== undefined) reject(new Error(`a secret was written:\n${stdout}\n${stderr}`));
        else if (code === null) reject(new Error(`ended by ${String(signal)}`));
        else resolve({ code, stdout, stderr });
      });
    });
    this.ended.catch(() => {});
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Without waiting for what it may have started. */
  async end(): Promise<void> {
    const gone = once(this.#child, "exit");
    this.signal("SIGTERM");
    const timer = setTimeout(() => this.signal("SIGKILL"), PATIENCE);
    await gone;
    clearTimeout(timer);
  }

  write(text: string): void {
    this.#child.stdin?.write(text);
  }

  /** When it has written this. */
  async says(text: string | RegExp): Promise<void> {
    const isSaid = (): boolean => {
      const all = `${this.stdout}\n${this.stderr}`;
      return typeof text === "string" ? all.includes(text) : text.test(all);
    };
    await waitUntil(isSaid, { what: String(text), timeout: 25_000 });
  }
}

export function start(args: readonly string[], options: Options = {}): Cli {
  return new Cli(process.execPath, [bin, ...args], options);
}

export function cli(args: readonly string[], options: Options = {}): Promise<Result> {
  return start(args, options).ended;
}

/** The same in a terminal of so many columns, by util-linux' script. */
export function startInTerminal(
  args: readonly string[],
  columns: number,
  options: Options = {},
): Cli {
  const quoted = [process.execPath, bin, ...args].map((arg) => `'${arg}'`).join(" ");
  const command = `stty cols ${columns} rows 24; exec ${quoted}`;
  const env = { TERM: "xterm", SHELL: "/bin/sh", ...options.env };
  return new Cli("script", ["-qefc", command, "/dev/null"], { input: "", ...options, env });
}

/** A shell command that tells that it runs, and does so until it is told to end. */
export const untilTold = [
  "sh",
  "-c",
  'trap "echo TERM; exit 3" TERM; trap "echo INT; exit 4" INT; echo begun; while :; do sleep 0.05; done',
];

/** An object of the JSON that was written; what its values are, whoever asks looks. */
export type Json = Readonly<Record<string, unknown>>;

export function objectIn(text: string): Json {
  const value: unknown = JSON.parse(text);
  return asObject(value);
}

/** The objects of a list. */
export function objectsOf(value: unknown): Json[] {
  if (!Array.isArray(value)) throw new TypeError("not a list");
  return value.map(asObject);
}

function asObject(value: unknown): Json {
  if (typeof value !== "object" || value === null) throw new TypeError("not an object");
  return { ...value };
}
