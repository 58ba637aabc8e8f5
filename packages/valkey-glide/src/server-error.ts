import { ServerError } from "@redislock/core/adapter";

/**
 * GLIDE puts errors of the server into words of its own. This is how they are told from others, and
 * brought back into those of the server.
 */

/** The codes that GLIDE gives a name; all others it leaves as they are. */
const CODES: Readonly<Record<string, string>> = {
  Ask: "ASK",
  BusyLoadingError: "LOADING",
  ClusterDown: "CLUSTERDOWN",
  CrossSlot: "CROSSSLOT",
  ExecAbortError: "EXECABORT",
  MasterDown: "MASTERDOWN",
  Moved: "MOVED",
  NoScriptError: "NOSCRIPT",
  NotBusy: "NOTBUSY",
  PermissionDenied: "NOPERM",
  ReadOnly: "READONLY",
  ResponseError: "ERR",
  TryAgain: "TRYAGAIN",
};

/** `An error was signalled by the server: - NoScriptError: No matching script.` */
const NAMED = /An error was signalled by the server: - (\w+)(?:: ([^\n]*))?/;
/** `WRONGTYPE: Operation against a key`, or such an answer to what a connection begins with. */
const BY_CODE = /(?:^|Received error for address `[^`]*`: )([A-Z][A-Z0-9_]+): ([^\n]*)/;

/** The reply; or the error that it is, as a `ServerError` if the server answered with it. */
export async function orServerError<T>(reply: Promise<T>): Promise<T> {
  try {
    return await reply;
  } catch (error) {
    throw asServerError(error);
  }
}

/** The same error, as a `ServerError` if it is one that the server answered with. */
export function asServerError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const [, name, detail = ""] = NAMED.exec(error.message) ?? [];
  // A name that is new, of a code that we cannot know: an error of the server all the same.
  if (name !== undefined) return new ServerError(`${CODES[name] ?? "ERR"} ${detail}`);
  const [, code, text = ""] = BY_CODE.exec(error.message) ?? [];
  return code === undefined ? error : new ServerError(`${code} ${text}`);
}
