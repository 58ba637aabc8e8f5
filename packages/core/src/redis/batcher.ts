import { ServerError } from "../errors.js";
import { listOf, type RedisClient, type Reply, type Script } from "./client.js";
import type { Command } from "./commands.js";
import { redacted } from "./redact.js";
import { isNotNow } from "./refusals.js";
import { UnexpectedReplyError } from "./unexpected-reply.js";

/** One command of a batch, and whoever waits for its reply. */
interface Part {
  readonly command: Command<unknown>;
  readonly resolve: (reply: Reply | PromiseLike<Reply>) => void;
  readonly reject: (error: unknown) => void;
}

/** Commands of one kind that will leave together. */
interface Batch {
  readonly many: Script;
  readonly parts: Part[];
}

/** At most so many keys in one batch, so that the script stays short for everyone else. */
const MOST_KEYS = 128;

/**
 * Sends commands of one kind that are given in the same moment as one: whoever takes or renews many
 * locks at once has more to do with commands than with locks. What comes while nothing is under way
 * leaves at once, unless it may be gathered, so that a single lock waits for nothing. All leave in the
 * order in which they came.
 *
 * Not in a cluster, where a command must stay within one slot; nor with a client whose server has once
 * refused one because of the slots or the rights of its keys, as a single endpoint of a cluster does.
 */
export class Batcher {
  readonly #client: RedisClient;
  #open: Batch | undefined;
  #underWay = 0;
  /** Each command must go by itself. */
  #apart: boolean;

  constructor(client: RedisClient) {
    this.#client = client;
    this.#apart = client.cluster === true;
  }

  /**
   * Sends a command; with `gather`, together with others of its kind even if nothing is under way. Rejects
   * with an error in which no argument stands, of this command or of another.
   */
  run(command: Command<unknown>, gather: boolean): Promise<Reply> {
    const { many } = command;
    if (!many || this.#apart || (this.#underWay === 0 && !gather)) {
      this.#close();
      return this.#runAlone(command);
    }
    return new Promise((resolve, reject) => {
      this.#batchFor(many, command).parts.push({ command, resolve, reject });
    });
  }

  /** The open batch if it is for such commands and not full, else a new one. */
  #batchFor(many: Script, { keys, args }: Command<unknown>): Batch {
    const open = this.#open;
    if (open) {
      const first = open.parts[0]?.command;
      const alike = first?.keys.length === keys.length && first.args.length === args.length;
      const fits = (open.parts.length + 1) * keys.length <= MOST_KEYS;
      if (open.many === many && alike && fits) return open;
      this.#close();
    }
    const batch: Batch = { many, parts: [] };
    this.#open = batch;
    void Promise.resolve().then(() => {
      if (this.#open === batch) this.#close();
    });
    return batch;
  }

  #close(): void {
    const batch = this.#open;
    this.#open = undefined;
    if (batch) void this.#sendBatch(batch);
  }

  async #sendBatch({ many, parts }: Batch): Promise<void> {
    const [first] = parts;
    if (!first) return;
    const alone = ({ command, resolve }: Part): void => resolve(this.#runAlone(command));
    if (parts.length === 1) {
      alone(first);
      return;
    }
    const keys: string[] = [];
    const args = [String(first.command.keys.length), String(first.command.args.length)];
    for (const { command } of parts) {
      keys.push(...command.keys);
      args.push(...command.args);
    }
    try {
      const reply = await this.#send(many, keys, args);
      const replies = listOf(reply, parts.length);
      if (!replies) throw new UnexpectedReplyError(reply);
      for (const [index, part] of parts.entries()) {
        const own = replies[index] ?? null;
        if (own === "alone") alone(part);
        else part.resolve(own);
      }
    } catch (error) {
      const fallsApart = error instanceof ServerError && this.#fallsApart(error);
      for (const part of parts) {
        if (fallsApart) alone(part);
        else part.reject(error);
      }
    }
  }

  /** Whether each must be sent again by itself: Redis may have refused all of them because of one. */
  #fallsApart(error: ServerError): boolean {
    if (error.reply === "CROSSSLOT" || error.reply === "NOPERM") this.#apart = true;
    return !isNotNow(error);
  }

  #runAlone({ script, keys, args }: Command<unknown>): Promise<Reply> {
    return this.#send(script, keys, args);
  }

  /** Async, so that a client that throws is one that rejects. */
  async #send(script: Script, keys: readonly string[], args: readonly string[]): Promise<Reply> {
    this.#underWay++;
    try {
      return await this.#client.run(script, keys, args);
    } catch (error) {
      throw redacted(error, args);
    } finally {
      this.#underWay--;
    }
  }
}
