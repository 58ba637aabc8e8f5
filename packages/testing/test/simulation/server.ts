import { type Reply, type Script } from "@redislock/core";
import { ServerError } from "@redislock/core/adapter";

import { MemoryServer } from "../../src/index.js";
import type { History } from "./history.js";
import type { Timeline } from "./timeline.js";

export type Outcome = { readonly reply: Reply } | { readonly error: ServerError };

/** What is wrong with a server that has a bug. */
export interface ServerBug {
  /** Changes the text of scripts. */
  readonly source?: (script: Script) => string;
  /** New waiters are put in line so many milliseconds after they were told to wait, by this change of obtain. */
  readonly lateEnqueue?: { readonly delay: number; readonly source: (script: Script) => string };
}

/** Sees the server before and after each script. */
export interface ServerWatch {
  before(server: MemoryServer): void;
  after(
    server: MemoryServer,
    script: Script,
    keys: readonly string[],
    args: readonly string[],
  ): void;
}

/** The server in memory, with somebody watching what it does. */
export class SimulatedServer {
  readonly memory: MemoryServer;
  readonly #timeline: Timeline;
  readonly #history: History;
  readonly #watch: ServerWatch;
  readonly #bug: ServerBug;

  constructor(timeline: Timeline, history: History, watch: ServerWatch, bug: ServerBug) {
    this.memory = new MemoryServer({
      clock: { now: () => timeline.now, after: () => ({ cancel: () => undefined }) },
    });
    this.#timeline = timeline;
    this.#history = history;
    this.#watch = watch;
    this.#bug = bug;
  }

  /** Runs a script, and hands on what came of it. */
  ask(
    script: Script,
    keys: readonly string[],
    args: readonly string[],
    answer: (outcome: Outcome) => void,
  ): void {
    const { source, lateEnqueue } = this.#bug;
    const run = (text: string | undefined, given: readonly string[]): Outcome =>
      this.#run(text === undefined ? script : { ...script, source: text, sha1: text }, keys, given);
    const isNewInLine = script.name === "obtain" && args[4] !== undefined && args[5] === "";
    if (!lateEnqueue || !isNewInLine) {
      answer(run(source?.(script), args));
      return;
    }
    const asked = run(source?.(script), args.slice(0, 4));
    if ("error" in asked || typeof asked.reply === "string") {
      answer(asked);
      return;
    }
    this.#timeline.at(this.#timeline.now + lateEnqueue.delay, () => {
      answer(run(lateEnqueue.source(script), args));
    });
  }

  #run(script: Script, keys: readonly string[], args: readonly string[]): Outcome {
    this.#watch.before(this.memory);
    const outcome = this.#outcome(script, keys, args);
    this.#history.note("server", () => {
      const told = "error" in outcome ? outcome.error.message : JSON.stringify(outcome.reply);
      const value = script.name.endsWith("Many") ? args[2] : args[0];
      const whose = value?.replace(/-+$/, "") ?? "";
      return `${script.name} ${keys[0] ?? ""} for ${whose}: ${told}`;
    });
    this.#watch.after(this.memory, script, keys, args);
    return outcome;
  }

  #outcome(script: Script, keys: readonly string[], args: readonly string[]): Outcome {
    try {
      return { reply: this.memory.run(script, keys, args) };
    } catch (error) {
      if (error instanceof ServerError) return { error };
      throw error;
    }
  }
}
