import { type Reply, type Script } from "@redislock/core";
import { ServerError } from "@redislock/core/adapter";
import { MemoryServer } from "@redislock/testing";

import { asRefusal, withMemoryFull } from "./memory-full.js";
import { dropsAtMost, isBatch, isNewInLine, withoutPlace } from "./protocol.js";
import type { Timeline } from "./timeline.js";

export type Outcome = { readonly reply: Reply } | { readonly error: ServerError };

/** What is wrong with a server that has a bug. */
export interface ServerBug {
  /** Changes the text of scripts. */
  readonly source?: (script: Script) => string;
  /** New waiters are put in line so many milliseconds after they were told to wait, by this change of obtain. */
  readonly lateEnqueue?: { readonly delay: number; readonly source: (script: Script) => string };
}

/** A script that was run. */
export interface Run {
  readonly script: Script;
  readonly keys: readonly string[];
  readonly args: readonly string[];
  readonly outcome: Outcome;
}

/** Sees the server before and after each script. */
export interface ServerWatch {
  before(server: MemoryServer): void;
  after(server: MemoryServer, run: Run): void;
}

/** The server in memory, perhaps with a bug, and perhaps with somebody watching what it does. */
export class SimulatedServer {
  readonly memory: MemoryServer;
  /** How many batches came, by script. */
  readonly batches = new Map<string, number>();
  /** Memory is full. */
  full = false;
  /** How many dead waiters a script drops at most, instead of as many as it really does. */
  mostDropped: number | undefined;
  readonly #texts = new Map<string, string>();
  readonly #timeline: Timeline;
  readonly #bug: ServerBug;
  readonly #watch: ServerWatch | undefined;

  constructor(timeline: Timeline, bug: ServerBug = {}, watch?: ServerWatch) {
    this.memory = new MemoryServer({ clock: timeline.clock() });
    this.#timeline = timeline;
    this.#bug = bug;
    this.#watch = watch;
  }

  /** Runs a script, and hands on what came of it. */
  ask(
    script: Script,
    keys: readonly string[],
    args: readonly string[],
    answer: (outcome: Outcome) => void,
  ): void {
    const { source, lateEnqueue } = this.#bug;
    const { name } = script;
    if (isBatch(script)) this.batches.set(name, (this.batches.get(name) ?? 0) + 1);
    const run = (text: string | undefined, given: readonly string[]): Outcome => {
      const source = this.#adapted(text ?? script.source);
      const unchanged = source === script.source;
      return this.#run(unchanged ? script : { ...script, source, sha1: source }, keys, given);
    };
    if (!lateEnqueue || !isNewInLine(script, args)) {
      answer(run(source?.(script), args));
      return;
    }
    const asked = run(source?.(script), withoutPlace(args));
    if ("error" in asked || typeof asked.reply === "string") {
      answer(asked);
      return;
    }
    this.#timeline.at(this.#timeline.now + lateEnqueue.delay, () => {
      answer(run(lateEnqueue.source(script), args));
    });
  }

  /** The text as this server runs it now. */
  #adapted(source: string): string {
    const { mostDropped, full } = this;
    if (mostDropped === undefined && !full) return source;
    const name = `${String(mostDropped)} ${String(full)} ${source}`;
    let text = this.#texts.get(name);
    if (text === undefined) {
      const bounded = mostDropped === undefined ? source : dropsAtMost(source, mostDropped);
      text = full ? withMemoryFull(bounded) : bounded;
      this.#texts.set(name, text);
    }
    return text;
  }

  #run(script: Script, keys: readonly string[], args: readonly string[]): Outcome {
    this.#watch?.before(this.memory);
    const outcome = this.#outcome(script, keys, args);
    this.#watch?.after(this.memory, { script, keys, args, outcome });
    return outcome;
  }

  #outcome(script: Script, keys: readonly string[], args: readonly string[]): Outcome {
    try {
      return { reply: this.memory.run(script, keys, args) };
    } catch (error) {
      if (error instanceof ServerError) return { error: asRefusal(error) };
      throw error;
    }
  }
}
