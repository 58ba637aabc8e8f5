import { ServerError } from "@redislock/core/adapter";

interface Member {
  readonly score: number;
  readonly member: string;
}

/** By score, and those of one score by their bytes, as in Redis. */
type SortedSet = Member[];
type Hash = Map<string, string>;
type Value = string | SortedSet | Hash;

interface Entry {
  readonly value: Value;
  /** Milliseconds on the server's clock; undefined for a key without ttl. */
  expiresAt: number | undefined;
}

/**
 * What locks keep in Redis: strings, sorted sets and hashes that expire. Each method is named after a
 * command, and does what that does.
 */
export class Keyspace {
  readonly #entries = new Map<string, Entry>();
  readonly #now: () => number;
  /** How many changes were made, as Redis counts them: also those that leave everything as it was. */
  #changes = 0;

  /**
   * @param now - The server's clock, in milliseconds.
   * @param original - What it begins with a copy of.
   */
  constructor(now: () => number, original?: Keyspace) {
    this.#now = () => Math.floor(now());
    for (const [key, { value, expiresAt }] of original ? original.#entries : []) {
      this.#entries.set(key, { value: copyOf(value), expiresAt });
    }
  }

  get changes(): number {
    return this.#changes;
  }

  get(key: string): string | undefined {
    const value = this.#read(key)?.value;
    if (value === undefined || typeof value === "string") return value;
    throw wrongType();
  }

  set(key: string, value: string, ttl?: number): void {
    const expiresAt = ttl === undefined ? undefined : this.#now() + ttl;
    this.#entries.set(key, { value, expiresAt });
    this.#changes++;
  }

  del(key: string): boolean {
    return this.#changed(this.exists(key) && this.#entries.delete(key));
  }

  exists(key: string): boolean {
    return this.#read(key) !== undefined;
  }

  pexpire(key: string, ttl: number): boolean {
    const entry = this.#read(key);
    if (!entry) return false;
    entry.expiresAt = this.#now() + ttl;
    this.#changes++;
    return ttl > 0 || this.#entries.delete(key);
  }

  /** Milliseconds left, -1 for a key without ttl, -2 for no key. */
  pttl(key: string): number {
    return this.exists(key) ? (this.timeLeft(key) ?? -1) : -2;
  }

  timeLeft(key: string): number | undefined {
    const expiresAt = this.#read(key)?.expiresAt;
    return expiresAt === undefined ? undefined : expiresAt - this.#now();
  }

  /** What kind of value it has; "none" for no key. */
  type(key: string): string {
    const value = this.#read(key)?.value;
    if (value === undefined) return "none";
    return typeof value === "string" ? "string" : Array.isArray(value) ? "zset" : "hash";
  }

  /** Whether the member is new. */
  zadd(key: string, score: number, member: string): boolean {
    const set = this.#sortedSet(key) ?? [];
    const before = set.findIndex((item) => item.member === member);
    if (before >= 0) set.splice(before, 1);
    const after = set.findIndex(
      (item) => item.score > score || (item.score === score && item.member > member),
    );
    set.splice(after < 0 ? set.length : after, 0, { score, member });
    this.#changes++;
    if (!this.exists(key)) this.#entries.set(key, { value: set, expiresAt: undefined });
    return before < 0;
  }

  zrem(key: string, member: string): boolean {
    const set = this.#sortedSet(key) ?? [];
    const rank = set.findIndex((item) => item.member === member);
    if (rank < 0) return false;
    set.splice(rank, 1);
    if (set.length === 0) this.#entries.delete(key);
    return this.#changed(true);
  }

  zrange(key: string, start: number, end: number): readonly Member[] {
    const set = this.#sortedSet(key) ?? [];
    const at = (index: number): number => (index < 0 ? set.length + index : index);
    return set.slice(Math.max(0, at(start)), Math.max(0, at(end) + 1));
  }

  zrank(key: string, member: string): number | undefined {
    const rank = this.#sortedSet(key)?.findIndex((item) => item.member === member) ?? -1;
    return rank < 0 ? undefined : rank;
  }

  zscore(key: string, member: string): number | undefined {
    return this.#sortedSet(key)?.find((item) => item.member === member)?.score;
  }

  zcard(key: string): number {
    return this.#sortedSet(key)?.length ?? 0;
  }

  hget(key: string, field: string): string | undefined {
    return this.#hash(key)?.get(field);
  }

  hgetall(key: string): [field: string, value: string][] {
    return [...(this.#hash(key) ?? [])];
  }

  /** Whether the field is new. */
  hset(key: string, field: string, value: string): boolean {
    const hash = this.#hash(key) ?? new Map<string, string>();
    if (hash.size === 0) this.#entries.set(key, { value: hash, expiresAt: undefined });
    const isNew = !hash.has(field);
    hash.set(field, value);
    this.#changes++;
    return isNew;
  }

  hdel(key: string, field: string): boolean {
    const hash = this.#hash(key);
    const done = hash?.delete(field) ?? false;
    if (hash?.size === 0) this.#entries.delete(key);
    return this.#changed(done);
  }

  keys(): string[] {
    return [...this.#entries.keys()].filter((key) => this.exists(key));
  }

  flushall(): void {
    this.#entries.clear();
    this.#changes++;
  }

  #changed(done: boolean): boolean {
    if (done) this.#changes++;
    return done;
  }

  #read(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    // As Redis has it: a key is still there in the millisecond in which its ttl ends.
    if (entry?.expiresAt === undefined || this.#now() <= entry.expiresAt) return entry;
    this.#entries.delete(key);
    return undefined;
  }

  #sortedSet(key: string): SortedSet | undefined {
    const value = this.#read(key)?.value;
    if (value === undefined || Array.isArray(value)) return value;
    throw wrongType();
  }

  #hash(key: string): Hash | undefined {
    const value = this.#read(key)?.value;
    if (value === undefined || value instanceof Map) return value;
    throw wrongType();
  }
}

function copyOf(value: Value): Value {
  if (typeof value === "string") return value;
  return Array.isArray(value) ? [...value] : new Map(value);
}

function wrongType(): ServerError {
  return new ServerError("WRONGTYPE Operation against a key holding the wrong kind of value");
}
