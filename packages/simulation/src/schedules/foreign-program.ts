import type { RedisClient, Reply, Script } from "@redislock/core";

import { foreignScripts, foreignToken } from "../foreign.js";
import type { ForeignHold } from "../foreign-locks.js";
import { SimulatedProcess } from "./process.js";
import type { Scene } from "./world.js";

const NAME = "foreign";
/** Milliseconds that it waits for a reply. */
const TIMEOUT = 100;
/** Milliseconds between one try and the next. */
const PAUSE = 10;
/** Its rounds are shorter than those of others, which wait for locks. */
const ROUNDS = 2;

/** Ttls in the storm and in the calm: a long one shows whether somebody looks before it ends. */
const STORMY = [40, 150, 600, 2_000] as const;
const CALM = [150, 600, 2_000, 15_000, 15_000] as const;
/** One of this ttl or a longer one is deleted: nobody need wait for its end. */
const LONG = 15_000;
/** For how many milliseconds it works at the most. */
const LONGEST_WORK = 500;

/** A connection to one of the servers that hold a lock. */
interface Line extends Pick<RedisClient, "run"> {
  cut(): void;
}

/** How a foreign program works. */
export interface ForeignRig {
  readonly keys: readonly [string, ...string[]];
  readonly launch: (process: SimulatedProcess) => ForeignGear;
}

/** What it works with. */
interface ForeignGear {
  /** Its connections: to each of several servers, a majority of which makes a lock its own. */
  readonly lines: readonly Line[];
  /** Called when it asks: whether what it gets then is void by now. Default: never. */
  readonly voidLater?: () => () => boolean;
}

/** A program that takes the same locks in a plain manner: {@link ForeignLocks} says what it may rely on. */
export class ForeignProgram {
  readonly #scene: Scene;
  readonly #rig: ForeignRig;
  readonly #process: SimulatedProcess;
  readonly #lines: readonly Line[];
  readonly #voidLater: NonNullable<ForeignGear["voidLater"]>;
  #rounds = 0;
  #tokens = 0;

  constructor(scene: Scene, rig: ForeignRig) {
    this.#scene = scene;
    this.#rig = rig;
    this.#process = new SimulatedProcess(NAME, scene);
    const { lines, voidLater = () => () => false } = rig.launch(this.#process);
    this.#lines = lines;
    this.#voidLater = voidLater;
  }

  get busy(): boolean {
    return this.#rounds > 0;
  }

  get waiting(): readonly string[] {
    return this.busy ? [NAME] : [];
  }

  start(rounds: number): void {
    this.#rounds = ROUNDS * rounds;
    this.#work().catch((error: unknown) => {
      this.#scene.failure ??= error instanceof Error ? error : new Error(String(error));
    });
  }

  calm(): void {
    // It hears of nothing, and so there is nothing that it could miss.
  }

  cut(): void {
    for (const line of this.#lines) line.cut();
  }

  async #work(): Promise<void> {
    for (; this.#rounds > 0; this.#rounds--) await this.#round();
  }

  /** Takes a lock, or tries to, and does something while it has it. */
  async #round(): Promise<void> {
    const { chance, stormy } = this.#scene;
    const { keys } = this.#rig;
    await this.#process.sleep(chance.between(`${NAME} idle`, 0, 400));
    const key = chance.pick(`${NAME} key`, keys);
    const ttl = chance.pick(`${NAME} ttl`, stormy ? STORMY : CALM);
    const tries = chance.pick(`${NAME} tries`, [1, 20, 60]);
    if (!chance.strikes(NAME, 1)) return;
    for (let left = tries; left > 0; left--) {
      const hold = await this.#obtain(key, ttl);
      if (hold) {
        await this.#have(hold, key, ttl);
        return;
      }
      await this.#process.sleep(PAUSE);
    }
  }

  async #obtain(key: string, ttl: number): Promise<ForeignHold | undefined> {
    const { timeline, watch } = this.#scene;
    const token = foreignToken(++this.#tokens);
    const since = timeline.now;
    const isVoid = this.#voidLater();
    const until = since + ttl;
    const isSet = await this.#askAll(foreignScripts.set, key, [token, String(ttl)], "OK");
    if (isSet && timeline.now < until) {
      const hold = { name: token, lock: { keys: [key], token }, since, until, isVoid };
      this.#note(() => `has ${key} for ${ttl} ms`);
      watch.foreign.hold(hold);
      return hold;
    }
    // Where it does not know, or has some without a majority.
    await this.#askAll(foreignScripts.delete, key, [token], "1");
    return undefined;
  }

  async #have(hold: ForeignHold, key: string, ttl: number): Promise<void> {
    const { chance, timeline, watch } = this.#scene;
    const { token } = hold.lock;
    await this.#process.sleep(chance.between(`${NAME} works`, 0, Math.min(ttl, LONGEST_WORK)));
    if (chance.draw(`${NAME} extends`) < 0.3) {
      const until = timeline.now + ttl;
      if (await this.#askAll(foreignScripts.extend, key, [token, String(ttl)], "1")) {
        hold.until = until;
        this.#note(() => `has extended ${key}`);
        await this.#process.sleep(
          chance.between(`${NAME} works on`, 0, Math.min(ttl, LONGEST_WORK)),
        );
      }
    }
    if (ttl < LONG && chance.draw(`${NAME} forgets`) < 0.3) {
      this.#note(() => `lets ${key} run out`);
      return;
    }
    watch.foreign.letGo(hold);
    this.#note(() => `deletes ${key}`);
    await this.#askAll(foreignScripts.delete, key, [token], "1");
  }

  /** Whether a majority replies so, in time. */
  async #askAll(
    script: Script,
    key: string,
    args: readonly string[],
    yes: string,
  ): Promise<boolean> {
    const replies = await Promise.all(
      this.#lines.map((line) => this.#ask(line, script, key, args)),
    );
    const count = replies.filter((reply) => String(reply) === yes).length;
    return count > this.#lines.length / 2;
  }

  #ask(line: Line, script: Script, key: string, args: readonly string[]): Promise<Reply> {
    // Refused, lost or without an answer: it has nothing to say to any of these.
    const reply = line.run(script, [key], args).catch(() => null);
    return Promise.race([reply, this.#process.sleep(TIMEOUT).then(() => null)]);
  }

  #note(line: () => string): void {
    this.#scene.history.note(NAME, line);
  }
}
