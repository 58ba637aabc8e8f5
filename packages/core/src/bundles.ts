import type { RedisClient, Reply, Script } from "./client.js";
import { ServerError } from "./errors.js";
import { isNotNow } from "./refusals.js";
import { listOf, OddReplyError } from "./replies.js";
import { obtainManyScript, obtainScript, releaseManyScript, releaseScript } from "./scripts.js";

/** One question of a bundle, and whoever waits for its reply. */
interface Part {
  readonly keys: readonly string[];
  readonly args: readonly string[];
  readonly resolve: (reply: Reply | PromiseLike<Reply>) => void;
  readonly reject: (error: unknown) => void;
}

/** Questions of one kind that will leave together. */
interface Bundle {
  readonly script: Script;
  readonly many: Script;
  readonly parts: Part[];
}

const MANY: ReadonlyMap<Script, Script> = new Map([
  [obtainScript, obtainManyScript],
  [releaseScript, releaseManyScript],
]);

/** At most so many keys in one bundle, so that the script stays short for everyone else. */
const MOST_KEYS = 128;

/**
 * Sends questions of one kind that are asked in the same moment as one command: whoever takes many
 * locks at once has more to do with commands than with locks. What is asked while nothing is under way
 * leaves at once, so that a single lock waits for nothing. All leave in the order in which they were asked.
 * Not in a cluster, where a command must stay within one slot; nor with a client whose server has once
 * refused one because of the slots or the rights of its keys, as a single endpoint of a cluster does.
 */
export class Bundles {
  readonly #client: RedisClient;
  #open: Bundle | undefined;
  #underWay = 0;
  #apart = false;

  constructor(client: RedisClient) {
    this.#client = client;
  }

  /** Whether each lock must be asked about by itself. */
  get apart(): boolean {
    return this.#apart || this.#client.cluster === true;
  }

  /**
   * Whether a command for many locks that was refused like this is to be sent again for each of them, as
   * Redis may have refused all of them because of one. Remembers what will not change.
   */
  fallsApart(error: ServerError): boolean {
    if (error.reply === "CROSSSLOT" || error.reply === "NOPERM") this.#apart = true;
    return !isNotNow(error);
  }

  run(script: Script, keys: readonly string[], args: readonly string[]): Promise<Reply> {
    const many = this.#underWay === 0 || this.apart ? undefined : MANY.get(script);
    if (!many) {
      this.#close();
      return this.#ask(script, keys, args);
    }
    return new Promise((resolve, reject) => {
      this.#bundleFor(script, many, keys, args).parts.push({ keys, args, resolve, reject });
    });
  }

  /** The open bundle if it is for such questions and not full, else a new one. */
  #bundleFor(
    script: Script,
    many: Script,
    keys: readonly string[],
    args: readonly string[],
  ): Bundle {
    if (this.#open) {
      const { script: other, parts } = this.#open;
      const alike = parts[0]?.keys.length === keys.length && parts[0].args.length === args.length;
      if (other === script && alike && (parts.length + 1) * keys.length <= MOST_KEYS) {
        return this.#open;
      }
      this.#close();
    }
    const bundle = { script, many, parts: [] };
    this.#open = bundle;
    void Promise.resolve().then(() => {
      if (this.#open === bundle) this.#close();
    });
    return bundle;
  }

  #close(): void {
    const bundle = this.#open;
    this.#open = undefined;
    if (bundle) void this.#send(bundle);
  }

  async #send({ script, many, parts }: Bundle): Promise<void> {
    const [first] = parts;
    if (!first) return;
    const alone = ({ keys, args, resolve }: Part): void => resolve(this.#ask(script, keys, args));
    if (parts.length === 1) {
      alone(first);
      return;
    }
    const keys = parts.flatMap((part) => part.keys);
    const args = [first.keys.length, first.args.length].map(String);
    args.push(...parts.flatMap((part) => part.args));
    try {
      const reply = await this.#ask(many, keys, args);
      const replies = listOf(reply, parts.length);
      if (!replies) throw new OddReplyError(reply);
      for (const [index, part] of parts.entries()) {
        const answer = replies[index] ?? null;
        if (answer === "alone") alone(part);
        else part.resolve(answer);
      }
    } catch (error) {
      const fallsApart = error instanceof ServerError && this.fallsApart(error);
      for (const part of parts) {
        if (fallsApart) alone(part);
        else part.reject(error);
      }
    }
  }

  /** Async, so that a client that throws is one that rejects. */
  async #ask(script: Script, keys: readonly string[], args: readonly string[]): Promise<Reply> {
    this.#underWay++;
    try {
      return await this.#client.run(script, keys, args);
    } finally {
      this.#underWay--;
    }
  }
}
