/**
 * A reply that the script which was run cannot give: it comes from something else, such as `QUEUED` from a
 * transaction that someone opened on the connection.
 */
export class UnexpectedReplyError extends Error {
  constructor(reply: unknown) {
    super(`Redis gave a reply that the script cannot give: ${shown(reply)}`);
    this.name = "UnexpectedReplyError";
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
