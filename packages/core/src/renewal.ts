import type { Entry } from "./alarm.js";
import type { Calls, Command, Failure } from "./calls.js";
import { type Claim, readVerdict, type Verdict, verdictOn } from "./claim.js";
import type { Reply } from "./client.js";
import type { EventListener } from "./events.js";
import type { Lease } from "./lease.js";
import { listOf } from "./replies.js";
import { refreshScript } from "./scripts.js";

/** A lock that is held: what is said of it to Redis, and how long it is ours. */
export interface Holding {
  readonly claim: Claim;
  readonly lease: Lease;
  /** When it is renewed next; only {@link Renewal} writes it. */
  timer?: Entry | undefined;
  /** Settles when the refresh that is under way does; only {@link Renewal} writes it. */
  busy?: Promise<unknown> | undefined;
}

/** At most so many keys in one refresh, so that the script stays short for everyone else. */
const BATCH = 100;

/**
 * Starts leases anew: once, when asked to, or over and over until stopped. Renews each third of the
 * ttl; what comes due in the same thirtieth of it goes out together. A renewal that failed is tried
 * again within the lease; only Redis' "not yours" or the end of the lease ends it.
 */
export class Renewal {
  readonly #calls: Calls;
  readonly #emit: EventListener;
  readonly #due = new Set<Holding>();
  /** Whoever drops a lock without releasing it must not hold it for ever. */
  readonly #dropped = new FinalizationRegistry<Holding>((holding) => this.stop(holding));

  constructor(calls: Calls, emit: EventListener) {
    this.#calls = calls;
    this.#emit = emit;
  }

  /** Renews the lease until it is stopped, lost, or `handle` was garbage-collected. */
  keep(holding: Holding, handle: object): void {
    this.#dropped.register(handle, holding, holding);
    this.#schedule(holding);
  }

  stop(holding: Holding): void {
    this.#dropped.unregister(holding);
    if (holding.timer) this.#calls.alarm.clear(holding.timer);
    holding.timer = undefined;
  }

  /** Starts one lease anew, with this ttl from now on. One at a time for each lock, to keep their order. */
  async refresh(holding: Holding, ttl: number): Promise<Verdict | Failure> {
    const deadline = this.#calls.alarm.now() + this.#calls.timeout;
    while (holding.busy) await holding.busy;
    if (this.#calls.alarm.now() >= deadline) {
      return { kind: "unknown", error: new Error("no answer to the refresh before this one") };
    }
    const results = await this.#send([holding], ttl, deadline);
    if (holding.timer) this.#schedule(holding);
    return results[0] ?? "deleted";
  }

  #schedule(holding: Holding, at: number = nextRenewal(holding.lease)): void {
    if (holding.timer) this.#calls.alarm.clear(holding.timer);
    holding.timer = this.#calls.alarm.set(at, () => {
      this.#due.add(holding);
      // What else comes due at this moment is in the set by then, and goes out with it.
      if (this.#due.size === 1) void Promise.resolve().then(() => this.#renewDue());
    });
  }

  #renewDue(): void {
    const due = [...this.#due].filter(({ lease, timer, busy }) => timer && !busy && lease.held);
    this.#due.clear();
    for (const batch of this.#batches(due)) void this.#renew(batch);
  }

  async #renew(batch: readonly Holding[]): Promise<void> {
    const results = await this.#send(batch);
    for (const [index, holding] of batch.entries()) {
      const { claim, lease, timer } = holding;
      const result = results[index];
      const { remaining } = lease;
      if (!timer || remaining === 0 || result === undefined) continue;
      if (typeof result === "string") {
        this.#schedule(holding);
        this.#emit({ type: "renewed", keys: claim.keys, remaining });
      } else {
        this.#schedule(holding, this.#calls.alarm.now() + Math.max(lease.ttl / 30, 10));
        const error = claim.failure("refresh", result);
        this.#emit({ type: "renewalFailed", keys: claim.keys, remaining, error });
      }
    }
  }

  /** Refreshes in one command, each with its own ttl if none is given, and tells the leases. */
  async #send(
    batch: readonly Holding[],
    ttl?: number,
    deadline?: number,
  ): Promise<(Verdict | Failure)[]> {
    const sent = this.#sendNow(batch, ttl, deadline);
    for (const holding of batch) holding.busy = sent;
    try {
      return await sent;
    } finally {
      for (const holding of batch) holding.busy = undefined;
    }
  }

  async #sendNow(
    batch: readonly Holding[],
    ttl: number | undefined,
    deadline = this.#calls.alarm.now() + this.#calls.timeout,
  ): Promise<(Verdict | Failure)[]> {
    const now = this.#calls.alarm.now();
    const parts = batch.map(({ claim, lease }) =>
      claim.refreshPart(ttl ?? lease.ttl, ttl !== undefined && ttl < lease.ttl),
    );
    for (const { lease } of batch) lease.refreshing(now, ttl ?? lease.ttl);
    const command: Command<readonly Verdict[]> = {
      script: refreshScript,
      keys: parts.flatMap(({ keys }) => keys),
      args: parts.flatMap(({ args }) => args),
      read: (reply) => readVerdicts(reply, batch),
    };
    const until = Math.min(deadline, ...batch.map(({ lease }) => lease.validUntil));
    const outcome = await this.#calls.run(command, until);
    // Redis may have refused all of them because of one.
    if (outcome.kind === "refused" && batch.length > 1 && this.#calls.fallsApart(outcome.error)) {
      const alone = batch.map((holding) => this.#sendNow([holding], ttl, deadline));
      return (await Promise.all(alone)).flat();
    }
    return batch.map(({ claim, lease }, index) => {
      if (outcome.kind !== "reply") {
        lease.doubt(claim.failure("refresh", outcome));
        return outcome;
      }
      const verdict = outcome.reply[index] ?? "deleted";
      if (verdict === "ours") lease.refreshed(outcome.sentAt, ttl ?? lease.ttl);
      else if (lease.held) lease.lose(verdict);
      return verdict;
    });
  }

  /** What may go into one command: not too many keys, and in a cluster one lock, as slots may move apart. */
  #batches(holdings: readonly Holding[]): Holding[][] {
    const batches: Holding[][] = [];
    let open: Holding[] | undefined;
    let keys = 0;
    for (const holding of holdings) {
      keys += holding.claim.keys.length;
      if (!open || keys > BATCH || this.#calls.apart) {
        open = [];
        keys = holding.claim.keys.length;
        batches.push(open);
      }
      open.push(holding);
    }
    return batches;
  }
}

/** The verdict on each claim of a batch, from one reply for each of their locks. */
function readVerdicts(reply: Reply, batch: readonly Holding[]): readonly Verdict[] | undefined {
  const count = batch.reduce((sum, { claim }) => sum + claim.keys.length, 0);
  const verdicts = listOf(reply, count)?.map(readVerdict);
  if (!verdicts?.every((verdict) => verdict !== undefined)) return undefined;
  let next = 0;
  return batch.map(({ claim }) => verdictOn(verdicts.slice(next, (next += claim.keys.length))));
}

/** A third of the ttl after the lease began, on a grid of thirtieths so that renewals meet. */
function nextRenewal(lease: Lease): number {
  const grid = lease.ttl / 30;
  return Math.floor((lease.sentAt + lease.ttl / 3) / grid) * grid;
}
