import type { ServerError } from "../errors.js";

/**
 * Answers that say "not now": the script was not run, and may be in a moment. The last three, which are
 * the client's business, are among them because a client that sends commands in batches cannot always
 * see to it.
 */
const NOT_NOW = new Set([
  "LOADING",
  "BUSY",
  "READONLY",
  "NOREPLICAS",
  "TRYAGAIN",
  "CLUSTERDOWN",
  "MASTERDOWN",
  "MISCONF",
  "NOSCRIPT",
  "MOVED",
  "ASK",
]);

export function isNotNow(error: ServerError): boolean {
  return NOT_NOW.has(error.reply);
}

/**
 * Whether a refusal ends also an obtain that waits, or tries again. Memory that is full may be free in a
 * moment, and a server that is too young to vote gets older; but nobody waits for that who does not wait.
 */
export function isLasting(error: ServerError): boolean {
  return !isNotNow(error) && error.reply !== "OOM" && error.reply !== "YOUNG";
}

/**
 * Whether the script was begun and cut off in its middle, so that a part of it may be done. While a hash
 * slot moves, a script may not touch a key again that it has emptied: the key would be at the other node.
 */
export function isCutOff(error: ServerError): boolean {
  return error.message.includes("non local key");
}
