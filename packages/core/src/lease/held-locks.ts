import { Bag } from "./bag.js";
import type { Lock } from "./lock.js";
import type { Holding } from "./renewal.js";

/** The locks that a locker holds, until they are lost, or their release has come to its end. */
export class HeldLocks extends Bag<Holding> {
  /** All of them, also those whose object nobody has any more, in the order in which they were obtained. */
  override all(): Holding[] {
    return super.all().sort((a, b) => a.since - b.since);
  }

  /** Those that are certainly ours, as they are while one goes through them. */
  *locks(): Iterator<Lock> {
    const seen = new Set<Holding>();
    for (
      let more = this.all();
      more.length > 0;
      more = this.all().filter((one) => !seen.has(one))
    ) {
      for (const holding of more) {
        seen.add(holding);
        const { lock } = holding.handle;
        if (lock?.held) yield lock;
      }
    }
  }
}
