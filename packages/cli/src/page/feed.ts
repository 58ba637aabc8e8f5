/**
 * What all open pages are told: one look at the locks serves all of them, and nobody looks while none is
 * open. A page that reads too slowly is told all anew instead of all that it missed.
 */
import { Failure } from "../failure.js";
import type { Change } from "../locks/changes.js";
import { follow, type FollowOptions } from "../locks/follow.js";
import type { Listing } from "../locks/listing.js";
import { lockDetail } from "../locks/lock-detail.js";
import type { LockInfo } from "../locks/lock-info.js";
import type { Observer } from "../locks/observer.js";
import { withoutSecrets } from "../output/text.js";
import { within } from "../output/until-told.js";
import type { Connection } from "../redis/connection.js";

import type { Grant, Look, Message, Opened, Row, Rows, Start, Summary } from "./messages.js";

/** Milliseconds by which two readings of one moment differ at most. */
const JITTER = 250;
/** Of a holder's metadata, in a list. */
const MOST_TEXT = 200;
const ROWS_AT_A_TIME = 500;
/** Messages that a page may be behind. */
const MOST_BEHIND = 32;
/** Grants that are remembered, of all locks and of one. */
const GRANTS = 2_000;
const GRANTS_OF_ONE = 20;
/** Changes that one look tells of, however many there are. */
const GRANTS_OF_A_LOOK = 100;

/** Before the first look. */
const NOTHING: Summary = {
  ...{ total: 0, held: 0, waiters: 0 },
  ...{ unread: 0, why: "", unasked: 0, failure: null },
};

export interface FeedOptions extends FollowOptions {
  readonly readOnly: boolean;
}

export class Feed {
  readonly #observer: Observer;
  readonly #connection: Connection;
  readonly #prefix: string;
  readonly #options: FeedOptions;
  readonly #pages = new Set<Page>();
  readonly #opened = new Map<string, Promise<Opened>>();
  #rows = new Map<string, Row>();
  #grants: Grant[] = [];
  #summary: Summary | undefined;
  #looking = new AbortController();

  constructor(observer: Observer, connection: Connection, prefix: string, options: FeedOptions) {
    this.#observer = observer;
    this.#connection = connection;
    this.#prefix = prefix;
    this.#options = options;
  }

  get pages(): number {
    return this.#pages.size;
  }

  /** What one page is told, until it leaves. */
  async *messages(left: AbortSignal): AsyncGenerator<Message> {
    const page = new Page();
    this.#pages.add(page);
    if (this.#pages.size === 1) {
      this.#looking = new AbortController();
      void this.#look(this.#looking.signal);
    }
    const leave = (): void => page.wake();
    left.addEventListener("abort", leave);
    try {
      yield this.#start();
      while (!left.aborted) {
        // Before the first look there is nothing to tell, also not that there is no lock.
        if (page.isBehind && this.#summary) {
          page.catchUp();
          yield* this.#all(this.#summary);
        }
        const message = page.next();
        if (message) yield message;
        else await page.told();
      }
    } finally {
      left.removeEventListener("abort", leave);
      this.#pages.delete(page);
      if (this.#pages.size === 0) {
        this.#looking.abort();
        this.#forgetAll();
      }
    }
  }

  /** However many pages have the same lock open, it is asked about once for each look. */
  async open(key: string): Promise<Opened> {
    const known = this.#opened.get(key);
    if (known) return known;
    const opened = this.#ask(key);
    this.#opened.set(key, opened);
    try {
      return await opened;
    } catch (error) {
      this.forget(key);
      throw error;
    } finally {
      // Without a look to come, nothing else would forget it.
      if (this.#pages.size === 0) this.forget(key);
    }
  }

  /** The lock was changed from here. */
  forget(key: string): void {
    this.#opened.delete(key);
  }

  async #ask(key: string): Promise<Opened> {
    const inspection = await this.#observer.inspect(key);
    const lock = lockDetail(key, inspection, await this.#observer.serverNow());
    const grants = this.#grants.filter((grant) => grant.key === key);
    return { now: Date.now(), lock, grants: grants.slice(-GRANTS_OF_ONE).reverse() };
  }

  async #look(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        let first = true;
        for await (const look of follow(this.#observer, this.#prefix, this.#options, signal)) {
          if ("failure" in look) {
            this.#fail(look.failure);
            continue;
          }
          this.#tell(look.found, first ? [] : look.changes);
          first = false;
        }
      } catch (error) {
        // What is no failure of Redis is a bug of ours, and is told all the same: the page lives on.
        const failure = error instanceof Failure ? error.message : `cannot look: ${String(error)}`;
        if (!signal.aborted) this.#fail(failure);
      }
      await within(this.#options.interval, signal);
    }
  }

  #fail(failure: string): void {
    const summary = { ...(this.#summary ?? NOTHING), failure: withoutSecrets(failure) };
    this.#summary = summary;
    this.#post({ type: "look", now: Date.now(), summary });
  }

  #tell(found: Listing, changes: readonly Change[]): void {
    const { locks, why, ...counts } = found;
    const now = Date.now();
    this.#opened.clear();
    const rows: Row[] = [];
    const renewed: [string, number][] = [];
    const all = new Map<string, Row>();
    for (const lock of locks) {
      const row = rowOf(lock);
      const before = this.#rows.get(lock.key);
      if (before && isSame(before, row)) {
        // Kept as it was told, so that small differences do not add up unseen.
        const isRenewed = !isNear(before.ends, row.ends);
        all.set(row.key, isRenewed ? { ...before, ends: row.ends } : before);
        if (isRenewed && row.ends !== null) renewed.push([row.key, row.ends]);
      } else {
        all.set(row.key, row);
        rows.push(row);
      }
    }
    const gone = [...this.#rows.keys()].filter((key) => !all.has(key));
    const grants = changes.flatMap((change) => grantOf(change, now));
    this.#rows = all;
    this.#grants = [...this.#grants, ...grants].slice(-GRANTS);
    const summary = { ...counts, why: withoutSecrets(why), failure: null };
    this.#summary = summary;
    this.#post({
      type: "look",
      now,
      summary,
      ...(rows.length === 0 ? {} : { rows }),
      ...(renewed.length === 0 ? {} : { renewed }),
      ...(gone.length === 0 ? {} : { gone }),
      ...(grants.length === 0 ? {} : { grants: grants.slice(-GRANTS_OF_A_LOOK) }),
    });
  }

  #post(look: Look): void {
    for (const page of this.#pages) page.post(look);
  }

  #start(): Start {
    const { namespace, readOnly } = this.#options;
    const where = this.#connection.target.shown;
    return { type: "start", where, prefix: this.#prefix, namespace, readOnly };
  }

  /** What a page that comes, or that is behind, needs to go on from. */
  *#all(summary: Summary): Generator<Rows | Look> {
    const [rows, now] = [[...this.#rows.values()], Date.now()];
    const grants = this.#grants.slice(-GRANTS_OF_A_LOOK);
    for (let i = 0; i === 0 || i < rows.length; i += ROWS_AT_A_TIME) {
      yield { type: "rows", first: i === 0, rows: rows.slice(i, i + ROWS_AT_A_TIME) };
    }
    yield { type: "look", now, summary, grants };
  }

  /** What was seen is old by the time that somebody looks again. */
  #forgetAll(): void {
    this.#rows = new Map();
    this.#opened.clear();
    this.#grants = [];
    this.#summary = undefined;
  }
}

class Page {
  #messages: Look[] = [];
  #wake = (): void => {};
  isBehind = true;

  post(look: Look): void {
    if (!this.isBehind) this.#messages.push(look);
    if (this.#messages.length > MOST_BEHIND) this.isBehind = true;
    this.#wake();
  }

  catchUp(): void {
    this.#messages = [];
    this.isBehind = false;
  }

  next(): Look | undefined {
    return this.#messages.shift();
  }

  wake(): void {
    this.#wake();
  }

  told(): Promise<void> {
    return new Promise((resolve) => (this.#wake = resolve));
  }
}

function rowOf({ age, remaining, waited, readAt: now, ...lock }: LockInfo): Row {
  return {
    ...lock,
    metadata: textOf(lock),
    since: age === null ? null : now - age,
    ends: remaining === null ? null : now + remaining,
    waitingSince: waited === null ? null : now - waited,
  };
}

/** Whether nothing but the end of the lease has changed. */
function isSame(before: Row, now: Row): boolean {
  return (
    before.fencingToken === now.fencingToken &&
    before.kind === now.kind &&
    before.metadata === now.metadata &&
    before.held === now.held &&
    before.permits === now.permits &&
    before.limit === now.limit &&
    before.waiters === now.waiters &&
    (before.ends === null) === (now.ends === null) &&
    isNear(before.waitingSince, now.waitingSince)
  );
}

function isNear(a: number | null, b: number | null): boolean {
  return a === b || (a !== null && b !== null && Math.abs(a - b) <= JITTER);
}

function grantOf({ change, lock, before }: Change, at: number): Grant[] {
  if (change === "waiters") return [];
  return [
    {
      at,
      change,
      key: lock.key,
      from: textOf(before),
      to: change === "freed" ? null : textOf(lock),
      fencingToken: change === "freed" ? null : lock.fencingToken,
    },
  ];
}

/** What a holder says of itself, no longer than a list has use for. */
function textOf(lock: Pick<LockInfo, "metadata"> | undefined): string | null {
  return lock?.metadata?.slice(0, MOST_TEXT) ?? null;
}
