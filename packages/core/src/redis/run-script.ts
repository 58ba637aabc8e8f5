import { ServerError } from "../errors.js";
import { toReply, type Reply, type Script } from "./client.js";

/** How a client runs a script: by its hash, or as text. */
export interface ScriptCommands {
  evalsha(sha1: string): Promise<unknown>;
  eval(source: string): Promise<unknown>;
}

/**
 * For the `run` of an adapter: runs a script by its hash, and, if and only if the server does not know
 * it, as text. Gives replies and errors the shape that the lock expects.
 *
 * @example
 * const run: RedisClient["run"] = (script, keys, args) =>
 *   runScript(script, {
 *     evalsha: (sha1) => redis.evalsha(sha1, keys.length, ...keys, ...args),
 *     eval: (source) => redis.eval(source, keys.length, ...keys, ...args),
 *   });
 * @throws ServerError for an error that the server answered with; the client's own error for all else.
 */
export async function runScript(script: Script, client: ScriptCommands): Promise<Reply> {
  try {
    return toReply(await client.evalsha(script.sha1));
  } catch (error) {
    if (!isErrorReply(error) || !error.message.startsWith("NOSCRIPT")) throw asServerError(error);
  }
  try {
    return toReply(await client.eval(script.source));
  } catch (error) {
    throw asServerError(error);
  }
}

/**
 * The same error, as a `ServerError` if it is one that the server answered with.
 *
 * @example
 * await redis.eval("return 1", 0).catch((error: unknown) => {
 *   throw asServerError(error);
 * });
 */
export function asServerError(error: unknown): unknown {
  return isErrorReply(error) ? new ServerError(error.message) : error;
}

/**
 * Whether it is an error that the server answered with. Known by its text, which begins with a code in
 * capitals, as no error of a client's own does: names of classes do not survive a minifier.
 */
function isErrorReply(error: unknown): error is Error {
  return error instanceof Error && /^[A-Z]{2,} /.test(error.message);
}
