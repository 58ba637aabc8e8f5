import type { Socket } from "node:net";
import { performance } from "node:perf_hooks";
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";

/** Under which a lane carries bytes; the proxy changes them at any time. */
export interface LaneConditions {
  /** Nothing moves; what comes in is kept. */
  held: boolean;
  /** Milliseconds that everything is on its way. */
  delay: number;
  /** The most bytes that are written at a time. */
  pieceSize: number;
}

interface Parcel {
  /** On the monotonic clock; not before this is it delivered. */
  readonly due: number;
  readonly content: Buffer | (() => void);
}

/** One direction of a connection: carries bytes to a socket in order, as the conditions allow. */
export class Lane {
  readonly #to: Socket;
  readonly #conditions: LaneConditions;
  readonly #parcels: Parcel[] = [];
  #flowing = false;

  constructor(to: Socket, conditions: LaneConditions) {
    this.#to = to;
    this.#conditions = conditions;
  }

  /** Whether there is anything under way. */
  get loaded(): boolean {
    return this.#parcels.length > 0;
  }

  /** Sends bytes, or does something once all that was sent before has been delivered. */
  push(content: Buffer | (() => void)): void {
    this.#parcels.push({ due: performance.now() + this.#conditions.delay, content });
    this.flow();
  }

  /** To be called when the conditions have become better. */
  flow(): void {
    if (!this.#flowing) void this.#deliver();
  }

  /** Throws away what is under way. */
  clear(): void {
    this.#parcels.length = 0;
  }

  async #deliver(): Promise<void> {
    this.#flowing = true;
    // With no fault in force nothing here waits: what comes in goes out in the same turn.
    for (;;) {
      const parcel = this.#parcels[0];
      if (!parcel || this.#conditions.held) break;
      const early = parcel.due - performance.now();
      if (early > 0) {
        await sleep(Math.ceil(early), undefined, { ref: false });
        continue;
      }
      this.#parcels.shift();
      if (typeof parcel.content === "function") {
        parcel.content();
        continue;
      }
      const { pieceSize } = this.#conditions;
      if (this.#to.writable) this.#to.write(parcel.content.subarray(0, pieceSize));
      if (parcel.content.length > pieceSize) {
        this.#parcels.unshift({ due: parcel.due, content: parcel.content.subarray(pieceSize) });
        // Lets the receiver read what it has, lest the pieces be joined again on the way. One turn
        // would not do for a receiver in this process: it reads between the first and the second.
        await nextTurn();
        await nextTurn();
      }
    }
    this.#flowing = false;
  }
}
