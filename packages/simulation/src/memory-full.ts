/**
 * A server whose memory is full, with `maxmemory-policy noeviction`: a script may not run a command that
 * takes memory, unless it has run one before that writes. What has begun to write, it may write to its end.
 *
 * As Redis does it in `scriptCall`: a command with the flag `denyoom` is refused as long as the script is
 * not dirty, and any command with the flag `write` makes it so, whether it changes anything or not.
 */
import { ServerError } from "@redislock/core/adapter";

/** A command that does not exist, the error of which stands for the one that Redis would give. */
const REFUSED = "OUT-OF-MEMORY";

/**
 * Put before the text of a script: the same commands, from a server whose memory is full. Lists all that
 * the scripts write with: what is in neither list counts as a command that only reads.
 */
const PRELUDE = `
local server, written = redis, false
local takes = { SET = true, HSET = true, ZADD = true, INCR = true }
local frees = { DEL = true, UNLINK = true, HDEL = true, PEXPIRE = true, ZPOPMIN = true, ZREM = true }
local function checked(run)
  local function done(name, b, c, d, e, f, g, h, i, j, k, l)
    if takes[name] and not written then return run('${REFUSED}') end
    written = written or takes[name] or frees[name]
    local parts, count = { name, b, c, d, e, f, g, h, i, j, k, l }, 0
    while parts[count + 1] do count = count + 1 end
    return run(unpack(parts, 1, count))
  end
  return done
end
local redis = { call = checked(server.call), pcall = checked(server.pcall) }
`;

export function withMemoryFull(source: string): string {
  return PRELUDE + source;
}

/** The error as Redis gives it. */
export function asRefusal(error: ServerError): ServerError {
  if (!error.message.includes(REFUSED)) return error;
  return new ServerError("OOM command not allowed when used memory > 'maxmemory'.");
}

export function isOutOfMemory(error: ServerError): boolean {
  return error.message.startsWith("OOM ");
}
