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
  memory: MemoryServer;
  /** Counts how often it went down: what was sent before does not arrive after that. */
  life = 0;
  /** How many batches came, by script. */
  readonly batches = new Map<string, number>();
  /** Memory is full. */
  full = false;
  /** How many dead waiters a script drops at most, instead of as many as it really does. */
  mostDropped: number | undefined;
  /** What it says instead of doing anything, as a replica does. */
  refusal: ServerError | undefined;
  #up = true;
  /** What it will be asked when it goes on; undefined while it does not hang. */
  #hanging: (() => void)[] | undefined;
  readonly #texts = new Map<string, string>();
  readonly #timeline: Timeline;
  readonly #bug: ServerBug;
  readonly #watch: ServerWatch | undefined;

  constructor(
    timeline: Timeline,
    bug: ServerBug = {},
    watch?: ServerWatch,
    memory: MemoryServer = new MemoryServer({ clock: timeline.clock() }),
  ) {
    this.memory = memory;
    this.#timeline = timeline;
    this.#bug = bug;
    this.#watch = watch;
  }

  get up(): boolean {
    return this.#up;
  }

  get hangs(): boolean {
    return this.#hanging !== undefined;
  }

  /** It is gone, and with it all that it has not answered. */
  goDown(): void {
    this.#up = false;
    this.life++;
    this.#hanging = undefined;
  }

  /** It is there again, with this memory. */
  start(memory: MemoryServer): void {
    this.memory = memory;
    this.#up = true;
  }

  /** From now on it does nothing, and forgets nothing. */
  hang(): void {
    if (this.#up) this.#hanging ??= [];
  }

  goOn(): void {
    const asked = this.#hanging ?? [];
    this.#hanging = undefined;
    for (const run of asked) run();
  }

  /** Runs this now, or when it goes on. */
  do(run: () => void): void {
    if (this.#hanging) this.#hanging.push(run);
    else run();
  }

  /** Runs a script, and hands on what came of it. */
  ask(
    script: Script,
    keys: readonly string[],
    args: readonly string[],
    answer: (outcome: Outcome) => void,
  ): void {
    if (this.#hanging) {
      this.#hanging.push(() => this.ask(script, keys, args, answer));
      return;
    }
    if (this.refusal) {
      answer({ error: this.refusal });
      return;
    }
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
