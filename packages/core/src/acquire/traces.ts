import { leave } from "../lease/leave.js";
import type { Claim, Leftover } from "../primitives/primitive.js";
import type { Commands } from "../redis/commands.js";

/**
 * What one obtain has left in Redis, or may have: a place in line, a lock that was granted, commands that
 * may take the lock yet. From it follows when there is nothing to take back, and how it is taken back.
 */
export class Traces {
  /** The id of its place in line, once it was asked for. */
  inLine: string | undefined;
  /** The locks were granted, whether or not that was heard of yet by whoever waits for it. */
  granted = false;
  readonly #claim: Claim;
  readonly #commands: Commands;
  /** Commands that may take the locks yet, or may have done so without our knowing. */
  #open = 0;
  /** One of them went over another connection than what takes back. */
  #astray = false;

  constructor(claim: Claim, commands: Commands) {
    this.#claim = claim;
    this.#commands = commands;
  }

  /** A command is sent that takes the locks, perhaps over a connection `beside` the client's own. */
  sent(beside: boolean): void {
    this.#open++;
    if (beside) this.#astray = true;
  }

  /** It is known what that command did, and it does nothing more. */
  known(): void {
    this.#open--;
    if (this.#open === 0) this.#astray = false;
  }

  /** True while a command may still take the locks, or may have taken them. */
  get uncertain(): boolean {
    return this.#open > 0;
  }

  /** Nothing was left, and nothing can be yet. */
  get none(): boolean {
    return !this.uncertain && !this.granted && this.inLine === undefined;
  }

  /**
   * Leaves the line, and gives back what was granted. Resolves to what that was; to undefined without a
   * reply. Calls `owned` each time that a lock was given back, also when that is heard of late.
   */
  async takeBack(owned: () => void): Promise<Leftover | undefined> {
    if (!this.#astray) return this.#leave(owned);
    // Of two connections, a server that hung reads either first: once it answers, it has read both.
    const left = await this.#leave(owned, () => void this.#leave(owned));
    return left && this.#leave(owned);
  }

  async #leave(owned: () => void, late?: () => void): Promise<Leftover | undefined> {
    const heard = (left: Leftover | undefined): void => {
      if (left?.owned) owned();
    };
    const outcome = await leave(this.#commands, this.#claim, this.inLine, (left) => {
      heard(left);
      late?.();
    });
    if (outcome.kind !== "reply") return undefined;
    heard(outcome.reply);
    return outcome.reply;
  }
}
