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
 * Whether an error that was answered says that nothing was done. Not if the script was cut off in its
 * middle: while a hash slot moves, it may not touch a key again that it has emptied, which would be at the
 * other node. Nor if it is a proxy's own word for a server that it has lost, or waited for in vain: the
 * command may have arrived. A command that is not known was not run, whatever names are quoted with it.
 */
export function isRefusal(error: ServerError): boolean {
  const { message, reply } = error;
  if (/^ERR unknown command\b/i.test(message)) return true;
  return !message.includes("non local key") && !(reply === "ERR" && LOST_BY_PROXY.test(message));
}

/**
 * As Codis says it (`ERR handle response, backend conn reset`), Envoy (`upstream failure`), Corvus
 * (`ERR Proxy error`), Predixy (`ERR deliver request fail`), and twemproxy: in the words of the operating
 * system (`ERR Connection timed out`, `ERR No route to host`), or `ERR unknown` for a server that hung up.
 * Redis itself answers a script with no such word.
 */
const LOST_BY_PROXY =
  /\b(proxy|upstream|backend|deliver|conn|(dis)?connect(ion|ed)|timed out|timeout|broken pipe|EOF|network|host|failed to (read|write))\b|^ERR (unknown|invalid argument)$/i;
