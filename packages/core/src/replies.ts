import type { Reply } from "./client.js";

/**
 * What replies may look like. Whatever a script cannot give is not believed, in any place of a reply: it
 * comes from something else, such as `QUEUED` from a transaction that someone opened on the connection.
 */

/** A whole number from `least` on that JavaScript can hold; undefined for anything else. */
export function wholeNumber(reply: Reply | undefined, least: number = 0): number | undefined {
  if (typeof reply !== "string" || !/^(0|-?[1-9]\d{0,15})$/.test(reply)) return undefined;
  const number = Number(reply);
  return Number.isSafeInteger(number) && number >= least ? number : undefined;
}

/** A list of exactly so many; undefined for anything else. */
export function listOf(reply: Reply | undefined, length: number): readonly Reply[] | undefined {
  return typeof reply === "object" && reply?.length === length ? reply : undefined;
}

/** Text or nothing, told apart from anything else, which is undefined. */
export function textOrNull(reply: Reply | undefined): string | null | undefined {
  return typeof reply === "string" || reply === null ? reply : undefined;
}

/** A reply that the script which was run cannot give. */
export class OddReplyError extends Error {
  constructor(reply: unknown) {
    super(`Redis gave a reply that the script cannot give: ${shown(reply)}`);
    this.name = "OddReplyError";
  }
}

/** The shortest token has so many characters: a text below that cannot be one, nor hold one. */
const SHORTEST_TOKEN = 16;
const MOST_SHOWN = 5;

/** A reply as text for people, without what may be somebody's token. */
function shown(reply: unknown): string {
  if (typeof reply === "string") {
    if (reply.length < SHORTEST_TOKEN) return JSON.stringify(reply);
    return `a text of ${reply.length} characters`;
  }
  if (!Array.isArray(reply)) return reply === null || reply === undefined ? "nil" : typeof reply;
  const more = reply.length > MOST_SHOWN ? ", …" : "";
  return `[${reply.slice(0, MOST_SHOWN).map(shown).join(", ")}${more}]`;
}
