import { ServerError } from "../errors.js";
import { hashSlot } from "../keys/hash-slot.js";
import { listOf, type RedisClient, type Reply, type Script } from "./client.js";
import type { Command } from "./command.js";
import { redacted } from "./redact.js";
import { isNotNow } from "./refusals.js";
import { UnexpectedReplyError } from "./unexpected-reply.js";

/** One command, and who gets its reply: an object, since promises cost more than all else here. */
export interface Part extends Recipient {
  readonly command: Command<unknown>;
  /** It may wait for others of the same moment, even if nothing is under way. */
  readonly gather: boolean;
}

interface Recipient {
  answered(reply: Reply): void;
  /** With an error in which no argument stands, of this command or of another. */
  failed(error: Error): void;
}

/** Commands of one kind that will leave together. */
interface Batch {
  readonly many: Script;
  readonly shared: Shared;
  readonly parts: [Part, ...Part[]];
}

/** What commands must have in common to leave together, besides their kind. */
type Shared = "server" | "slot";

/** At most so many keys in one batch, those of 64 locks: the script keeps everyone else waiting. */
const MOST_KEYS = 320;
/**
 * At most so many of any slots, unless they are gathered. All of a batch get their replies together, and
 * mostly send their next commands together: in two batches, this process works at the one while the server
 * works at the other.
 */
const MOST_KEYS_OF_LOOPS = 160;

/**
 * Sends commands of one kind that are given in the same moment as one: whoever takes or renews many
 * locks at once has more to do with commands than with locks. What comes while nothing is under way
 * leaves at once, unless it may be gathered, so that a single lock waits for nothing. All leave in the
 * order in which they came.
 *
 * In a cluster, only those of one hash slot; also where a server has once refused one because of the
 * slots of its keys, as a single endpoint of a cluster does. None where it was for their rights.
 */
export class Batcher {
  readonly #client: RedisClient;
  /** The batches that are still filled, by slot where that counts, else by 0. */
  readonly #open = new Map<number, Batch>();
  #underWay = 0;
  /** Undefined once each must go by itself. */
  #shared: Shared | undefined;
  /** Commands that go alone from now on: others of their batch may have stood in the way. */
  readonly #apart = new WeakSet<Command<unknown>>();

  constructor(client: RedisClient) {
    this.#client = client;
    this.#shared = client.cluster === true ? "slot" : "server";
  }

  /** Sends a command, perhaps together with others of its kind. */
  run(part: Part): void {
    const { command } = part;
    const { many } = command;
    const shared = this.#apart.has(command) ? undefined : this.#shared;
    if (!many || !shared || (this.#underWay === 0 && !part.gather)) {
      for (const slot of this.#open.keys()) this.#close(slot);
      this.#sendAlone(part);
    } else {
      this.#gather(many, shared, part);
    }
  }

  /** Puts it into the open batch if that is for such commands and not full, else into a new one. */
  #gather(many: Script, shared: Shared, part: Part): void {
    const { keys, args } = part.command;
    const most = part.gather || shared === "slot" ? MOST_KEYS : MOST_KEYS_OF_LOOPS;
    const slot = shared === "slot" ? this.#slotOf(keys) : 0;
    const open = this.#open.get(slot);
    if (open) {
      const first = open.parts[0].command;
      const alike = first.keys.length === keys.length && first.args.length === args.length;
      const fits = (open.parts.length + 1) * keys.length <= most;
      if (open.many === many && alike && fits) {
        open.parts.push(part);
        return;
      }
      this.#close(slot);
    }
    const batch: Batch = { many, shared, parts: [part] };
    this.#open.set(slot, batch);
    void Promise.resolve().then(() => {
      if (this.#open.get(slot) === batch) this.#close(slot);
    });
  }

  #slotOf([first = ""]: readonly string[]): number {
    return hashSlot((this.#client.keyPrefix ?? "") + first);
  }

  #close(slot: number): void {
    const batch = this.#open.get(slot);
    this.#open.delete(slot);
    if (batch) this.#sendBatch(batch);
  }

  #sendBatch({ many, shared, parts }: Batch): void {
    const [first] = parts;
    if (parts.length === 1) {
      this.#sendAlone(first);
      return;
    }
    const keys: string[] = [];
    const args = [String(first.command.keys.length), String(first.command.args.length)];
    for (const { command } of parts) {
      keys.push(...command.keys);
      args.push(...command.args);
    }
    const failed = (error: Error): void => {
      const fallsApart = error instanceof ServerError && this.#fallsApart(error, shared);
      for (const part of parts) {
        if (fallsApart) this.#sendAlone(part);
        else part.failed(error);
        // A slot that moves is served lock by lock, but not to a command for several.
        if (shared === "slot") this.#apart.add(part.command);
      }
    };
    const answered = (reply: Reply): void => {
      const replies = listOf(reply, parts.length);
      if (!replies) {
        failed(new UnexpectedReplyError(reply));
        return;
      }
      for (const [index, part] of parts.entries()) {
        const own = replies[index] ?? null;
        if (own === "alone") this.#sendAlone(part);
        else part.answered(own);
      }
    };
    this.#send(many, keys, args, { answered, failed });
  }

  /** Whether each must be sent again by itself: Redis may have refused all of them because of one. */
  #fallsApart(error: ServerError, shared: Shared): boolean {
    const { reply } = error;
    if (reply === "NOPERM") this.#shared = undefined;
    if (reply === "CROSSSLOT") this.#shared = shared === "server" ? "slot" : undefined;
    return !isNotNow(error);
  }

  #sendAlone(part: Part): void {
    const { script, keys, args } = part.command;
    this.#send(script, keys, args, part);
  }

  #send(
    script: Script,
    keys: readonly string[],
    args: readonly string[],
    recipient: Recipient,
  ): void {
    this.#underWay++;
    resultOf(() => this.#client.run(script, keys, args)).then(
      (reply) => {
        this.#underWay--;
        recipient.answered(reply);
      },
      (error: unknown) => {
        this.#underWay--;
        recipient.failed(redacted(error, args));
      },
    );
  }
}

function resultOf(run: () => Promise<Reply>): Promise<Reply> {
  try {
    return Promise.resolve(run());
  } catch (error) {
    return rejected(error);
  }
}

/** A client that throws is one that rejects. */
async function rejected(error: unknown): Promise<never> {
  throw error;
}
