/** All that the simulation knows of what the core says to Redis and of what it keeps there. */
import type { Reply, Script } from "@redislock/core";
import { scripts } from "@redislock/core/adapter";
import type { MemoryServer } from "@redislock/testing";

import { isForeignToken } from "./foreign.js";

/** The names of one lock in Redis. */
export interface LockNames {
  readonly key: string;
  readonly grant: string;
  readonly fence: string;
  readonly line: string;
  readonly waiters: string;
  readonly holders: string;
  readonly shares: string;
}

/** How a lock is shared: so many permits, of at most so many; `Infinity` for no limit. */
export interface Sharing {
  readonly permits: number;
  readonly limit: number;
}

/** What an obtain asks for that would share a lock. */
export type SharingOptions =
  { readonly mode: "shared" } | { readonly limit: number; readonly permits?: number };

export function sharingOf(options: SharingOptions): Sharing {
  if ("mode" in options) return { permits: 1, limit: Infinity };
  return { permits: options.permits ?? 1, limit: options.limit };
}

/** Who has a lock, as the server knows it. */
export interface Holder {
  /** Who it is, as {@link nameIn} has it. */
  readonly value: string;
  /** Its fencing token; undefined once that is lost. */
  readonly fence: number | undefined;
  /** What tells one grant of a phase from another with the same token. */
  readonly seat: string;
  /** Undefined for one who has it alone. */
  readonly sharing: Sharing | undefined;
}

/** What is there of one lock. */
export interface LockState {
  /** What is at its key: the token and metadata of who has it alone, or that it is shared. */
  readonly value: string | undefined;
  /** The fencing token of the last grant to one alone; undefined once its lock is over. */
  readonly fence: number | undefined;
  /** The fencing token of all who share it now. */
  readonly phase: number | undefined;
  /** How many permits are out that nobody took who is there still, also of those whose leases are over. */
  readonly astray: number;
  /** Those of ours: none where a foreign program has it. */
  readonly holders: readonly Holder[];
  /** First in line first. */
  readonly line: readonly Waiter[];
}

/** Who stands in line, as the server knows it. */
export interface Waiter {
  /** From when to when its place counts, on the server's clock, unless it asks again; NaN without a record. */
  readonly asked: number;
  readonly stale: number;
  /** Whether it can be told of a grant: no, yes, or yes but nobody counts who hears. */
  readonly reach: "none" | "counted" | "uncounted";
  /** Where it is told. */
  readonly channel: string;
  /** Its place: those with a lower one are before it. */
  readonly ticket: number;
  /** How many locks it waits for; 0 if it would share one. */
  readonly keys: number;
  /** Who it is, as {@link nameIn} has it. */
  readonly value: string;
  readonly sharing: Sharing | undefined;
}

/** The scripts that offer a free lock to those in line. */
const SERVING = new Set([
  "obtain",
  "obtainMany",
  "vote",
  "release",
  "releaseMany",
  "leave",
  "forceRelease",
  "obtainShared",
  "obtainSharedMany",
  "releaseShared",
  "releaseSharedMany",
  "leaveShared",
]);

export function servesLine({ name }: Script): boolean {
  return SERVING.has(name);
}

export function isRelease({ name }: Script): boolean {
  return name.startsWith("release");
}

/** Whether a script runs many commands of one kind. */
export function isBatch({ name }: Script): boolean {
  return name.endsWith("Many");
}

/** Whether a script is one of locks that are shared. */
function isShared({ name }: Script): boolean {
  return /Shared(Many)?$/.test(name);
}

/** The locks that a script is told of which serves the line. */
export function locksIn(script: Script, keys: readonly string[]): LockNames[] {
  const locks: LockNames[] = [];
  for (let i = 0; i < keys.length; i += isShared(script) ? 7 : 5) {
    const [key = "", grant = "", fence = "", line = "", waiters = ""] = keys.slice(i);
    const companion = (kind: string): string => line.replace(/:line/, `:${kind}`);
    const [holders, shares] = [companion("holders"), companion("shares")];
    locks.push({ key, grant, fence, line, waiters, holders, shares });
  }
  return locks;
}

/** Who asks; of several, the first. */
export function askerIn(script: Script, args: readonly string[]): string {
  return claimIn((isBatch(script) ? args[2] : args[0]) ?? "").value;
}

/** Who leaves the line. */
export function leaverIn({ name }: Script, args: readonly string[]): string | undefined {
  return name.startsWith("leave") ? claimIn(args[0] ?? "").value : undefined;
}

/** The commands of a script that asks for locks, each with its arguments. */
function asksIn({ name }: Script, args: readonly string[]): (readonly string[])[] {
  if (name === "obtain" || name === "obtainShared") return [args];
  if (!name.startsWith("obtain")) return [];
  const size = Number(args[1]);
  return Array.from({ length: (args.length - 2) / size }, (_, i) =>
    args.slice(2 + i * size, 2 + (i + 1) * size),
  );
}

/** The place that whoever asks by this name had before, if it had one. */
export function ticketIn(
  script: Script,
  args: readonly string[],
  value: string,
): number | undefined {
  const ticket = asksIn(script, args).find((ask) => claimIn(ask[0] ?? "").value === value)?.[6];
  return ticket ? Number(ticket) : undefined;
}

/** Whether somebody asks for a lock by this name. */
export function asksFor(script: Script, args: readonly string[], value: string): boolean {
  return asksIn(script, args).some((ask) => claimIn(ask[0] ?? "").value === value);
}

/** Whether somebody asks for a lock, or for a place in line that it does not have yet. */
export function isNewInLine({ name }: Script, args: readonly string[]): boolean {
  return name === "obtain" && args[5] !== undefined && args[6] === "";
}

/** The arguments of somebody who asks for the lock, but for no place in line. */
export function withoutPlace(args: readonly string[]): readonly string[] {
  return args.slice(0, 5);
}

/** Whether memory that is full must not keep it from being done: all but coming for a lock. */
export function worksWithMemoryFull(script: Script, args: readonly string[]): boolean {
  return !script.name.startsWith("obtain") || asksIn(script, args).some((ask) => ask[6]);
}

/** How many of the dead one script drops at most here to find somebody whom it can tell of a lease. */
const MOST_DEAF = 10;
const BOUND = /\bMOST_DROPPED, MOST_PASSED, MOST_DEAF = \d+, (\d+), \d+/;

/** The text of a script that drops at most so many of the dead, so that short lines show what long ones do. */
export function dropsAtMost(source: string, most: number): string {
  return source.replace(BOUND, `MOST_DROPPED, MOST_PASSED, MOST_DEAF = ${most}, $1, ${MOST_DEAF}`);
}

/** Whether so many are gone that a script may have told nobody of a lease: more dead were in front. */
export function toldNobody(gone: number): boolean {
  return gone >= MOST_DEAF;
}

/** How many may be gone after one script: leave drops some in front, as it serves, and to tell of a lease. */
export function mostGone(mostDropped: number): number {
  return 2 * mostDropped + MOST_DEAF + 2;
}

/** What puts a waiter in line that is dead: nobody hears its channel, or it goes stale at once. */
export function deadWaiter(number: number): { readonly script: Script; readonly args: string[] } {
  const value = `dead-${number}`.padEnd(16, "-");
  const asking = [value, "100", String(value.length), "", "1000"];
  const [patience, reach] = number % 2 === 0 ? ["30000", "1"] : ["1", "0"];
  const standing = [`dead:${number}`, "", patience, reach, "100", "proof", ""];
  return { script: scripts.obtain, args: [...asking, ...standing] };
}

/** The keys of one lock in the order in which scripts take them. */
export function namesOf({ key, grant, fence, line, waiters }: LockNames): string[] {
  return [key, grant, fence, line, waiters];
}

/** Whether a line has yet to be served to its end, by another command that follows at once. */
export function isUnfinished({ name }: Script, reply: Reply): boolean {
  if (reply === "more" || reply === "again") return true;
  const list = listOf(reply);
  if (name.startsWith("leave")) return list[5] === "1";
  if (name === "forceRelease") return list[1] === "1";
  return name.endsWith("Many") && (list.includes("more") || list.includes("again"));
}

/** The fencing token of the grant that a message tells of, if it tells of one. */
export function fencingTokenGranted(message: string): string | undefined {
  const [what, , fence] = message.split(" ");
  return what === "grant" ? fence : undefined;
}

/** Whether this is all that may be left of a lock that nobody has and nobody waits for. */
export function mayStay(name: string): boolean {
  return /^redislock\{.{3}\}$/.test(name);
}

export function stateOf(server: MemoryServer, names: LockNames): LockState {
  const value = textOf(server.command("GET", names.key));
  const fence = fencingTokenIn(textOf(server.command("GET", names.grant)));
  const [, number, out] = /^shared (\d+) (\d+) \d+$/.exec(value ?? "") ?? [];
  const phase = number === undefined ? undefined : Number(number);
  const isOurs = value !== undefined && !isForeignToken(value);
  const alone: Holder[] = !isOurs
    ? []
    : [{ value: nameIn(value), fence, seat: "", sharing: undefined }];
  return {
    value,
    fence,
    phase,
    astray: out === undefined ? 0 : Number(out) - permitsIn(server, names),
    holders: phase === undefined ? alone : sharingIn(server, names, phase),
    line: listOf(server.command("ZRANGE", names.line, "0", "-1")).map((id) =>
      waiterOf(
        String(id),
        Number(server.command("ZSCORE", names.line, String(id))),
        textOf(server.command("HGET", names.waiters, String(id))),
      ),
    ),
  };
}

/** How many permits those who share a lock took together; NaN if they were lost. */
function permitsIn(server: MemoryServer, { holders }: LockNames): number {
  const claims = listOf(server.command("ZRANGE", holders, "0", "-1")).map(String);
  if (claims.length === 0) return NaN;
  return claims.reduce((sum, claim) => sum + (claimIn(claim).sharing?.permits ?? 0), 0);
}

/** Those who share a lock, whose leases are not over. */
function sharingIn(server: MemoryServer, names: LockNames, fence: number): Holder[] {
  const claims = listOf(server.command("ZRANGE", names.holders, "0", "-1")).map(String);
  const now = Math.floor(server.now());
  return claims
    .filter((claim) => Number(server.command("ZSCORE", names.holders, claim)) > now)
    .map((claim) => {
      const share = textOf(server.command("HGET", names.shares, claim));
      // A record that was lost reads as this one, and may be written again.
      return { ...claimIn(claim), fence, seat: share?.split(" ")[0] ?? "0" };
    });
}

/** Whether one more could share a lock with those who do: it goes by its own limit, and so do they. */
export function hasRoom({ value, phase, holders }: LockState, sharing: Sharing): boolean {
  if (value === undefined) return true;
  const out = holders.reduce((sum, holder) => sum + (holder.sharing?.permits ?? 0), 0);
  return phase !== undefined && holders.length > 0 && out + sharing.permits <= sharing.limit;
}

/** Whether its record is gone, it is heard of no more, or not counted among those who hear: all lose their turn. */
export function losesTurn(server: MemoryServer, waiter: Waiter): boolean {
  const { asked, stale, reach, channel } = waiter;
  if (Number.isNaN(asked)) return true;
  if (stale < server.now() || asked > server.now()) return true;
  return reach === "counted" && listOf(server.command("PUBSUB", "NUMSUB", channel))[1] === "0";
}

/** How often a waiter asks at the least, in milliseconds: its place counts for twice as long. */
export function checkInOf({ asked, stale }: Waiter): number {
  return (stale - asked) / 2;
}

const REACHES = ["none", "counted", "uncounted"] as const;

/** A waiter from its id and its record, if that is there. */
function waiterOf(id: string, ticket: number, record = ""): Waiter {
  const [asked = "", patience, told, keys, , , , , , ...value] = record.split(" ");
  return {
    asked: asked === "" ? NaN : Number(asked),
    stale: Number(asked) + Number(patience),
    reach: REACHES[Number(told)] ?? "none",
    channel: `redislock:inbox:${id.replace(/:\d+$/, "")}`,
    ticket,
    keys: Number(keys),
    ...claimIn(value.join(" ")),
  };
}

/** Who asks, and how it would share the lock; undefined for one who wants it alone. */
function claimIn(text: string): { value: string; sharing: Sharing | undefined } {
  const [, permits, limit, value] = /^(\d+)\/(\d+)\/\d+ (.*)$/s.exec(text) ?? [];
  if (value === undefined) return { value: nameIn(text), sharing: undefined };
  const sharing = { permits: Number(permits), limit: Number(limit) || Infinity };
  return { value: nameIn(value), sharing };
}

/** How many characters a token has that the library made. Those of the simulation are shorter. */
const MADE = 22;

/**
 * Who it is that has this value, or asks with it, as the simulation knows it: its own token; or its
 * metadata where the library made the token, which nobody knows before it is told.
 */
function nameIn(value: string): string {
  return value.length > MADE ? value.slice(MADE) : value;
}

/** The token in a value. */
export function tokenIn(value: string): string {
  return value.slice(0, MADE);
}

function fencingTokenIn(grant: string | undefined): number | undefined {
  return grant === undefined ? undefined : Number(grant.split(" ")[0]);
}

function textOf(reply: Reply): string | undefined {
  return typeof reply === "string" ? reply : undefined;
}

export function listOf(reply: Reply): readonly Reply[] {
  return typeof reply === "object" ? (reply ?? []) : [];
}
