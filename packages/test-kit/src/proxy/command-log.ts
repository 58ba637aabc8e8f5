import { clearTimeout, setTimeout } from "node:timers";

import { deferred } from "../promises/deferred.js";

/** A command and its arguments as text, the name in upper case: `["SET", "key", "value"]`. */
export type Command = readonly string[];

/** Which commands are meant: one name, several, or those that the function says yes to. */
export type CommandMatch = string | readonly string[] | ((command: Command) => boolean);

/** Whether `command` is one of those meant; without `match`, every command is. */
export function matches(command: Command, match: CommandMatch | undefined): boolean {
  if (match === undefined) return true;
  if (typeof match === "function") return match(command);
  const [name = ""] = command;
  const names = typeof match === "string" ? [match] : match;
  return names.some((meant) => meant.toUpperCase() === name);
}

/** What {@link CommandLog.waitFor} waits for, and how long. */
export interface WaitForOptions {
  /** Which one of the commands that match. Default 1, the first. */
  readonly count?: number;
  /** Milliseconds before giving up. Default 60 000, for busy machines. */
  readonly timeout?: number;
}

/** The commands that clients have sent, in the order in which they came. */
export class CommandLog {
  readonly #commands: Command[] = [];
  readonly #onRecord = new Set<() => void>();

  /** All commands since the start or the last `clear`. */
  get all(): readonly Command[] {
    return this.#commands;
  }

  /** How many of them match. Without `match`: how many there are. */
  count(match?: CommandMatch): number {
    return this.#matching(match).length;
  }

  /** Forgets them. */
  clear(): void {
    this.#commands.length = 0;
  }

  /**
   * The first command that matches: at once when it has come already (`clear` before, to mean a new
   * one), otherwise when it comes.
   */
  async waitFor(match: CommandMatch, options: WaitForOptions = {}): Promise<Command> {
    const { count = 1, timeout = 60_000 } = options;
    const found = deferred<Command>();
    const look = (): void => {
      const command = this.#matching(match)[count - 1];
      if (command) found.resolve(command);
    };
    const timer = setTimeout(() => {
      const seen = this.#commands.map(([name]) => name).join(" ");
      const wanted = typeof match === "function" ? "one that matches" : String(match);
      found.reject(
        new Error(`No command came in ${timeout} ms that is ${wanted} (${count}). Seen: ${seen}`),
      );
    }, timeout);
    this.#onRecord.add(look);
    look();
    try {
      return await found.promise;
    } finally {
      clearTimeout(timer);
      this.#onRecord.delete(look);
    }
  }

  /** For the proxy: a command came. */
  record(command: Command): void {
    this.#commands.push(command);
    for (const look of this.#onRecord) look();
  }

  #matching(match: CommandMatch | undefined): Command[] {
    return this.#commands.filter((command) => matches(command, match));
  }
}
