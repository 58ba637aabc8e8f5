import { ServerError } from "@redislock/core/adapter";
import { type CommandHost, type RawReply, runCommand } from "./commands.js";
import { compile } from "./lua.js";
import { formatNumber, LuaError, LuaTable, type LuaValue } from "./lua-values.js";

const programs = new Map<string, ReturnType<typeof compile>>();

/**
 * Runs a script on the data of a server.
 *
 * @throws ServerError
 */
export function runScript(
  source: string,
  host: CommandHost,
  keys: readonly string[],
  args: readonly string[],
): RawReply {
  const command = (parts: readonly LuaValue[]): LuaValue => {
    const [name = "", ...rest] = parts.map(argument);
    return toLua(runCommand(host, name, rest));
  };
  const globals = {
    KEYS: new LuaTable([...keys]),
    ARGV: new LuaTable([...args]),
    pcall: (run: LuaValue, ...values: LuaValue[]) => {
      if (typeof run !== "function") throw new LuaError("pcall wants a function");
      try {
        return [true, ...run(...values)];
      } catch (error) {
        return [false, asServerError(error).message];
      }
    },
    redis: new LuaTable([], {
      call: (...parts) => [command(parts)],
      pcall(...parts) {
        try {
          return [command(parts)];
        } catch (error) {
          return [new LuaTable([], { err: asServerError(error).message })];
        }
      },
      error_reply: (text) => [new LuaTable([], { err: text })],
      status_reply: (text) => [new LuaTable([], { ok: text })],
    }),
  };
  try {
    let program = programs.get(source);
    if (!program) programs.set(source, (program = compile(source)));
    return fromLua(program(globals)[0]);
  } catch (error) {
    throw asServerError(error);
  }
}

function argument(value: LuaValue): string {
  if (typeof value === "string") return value;
  if (typeof value === "number") return formatNumber(value, 17);
  throw new LuaError("Lua redis lib command arguments must be strings or integers");
}

function toLua(reply: RawReply): LuaValue {
  if (reply === undefined) return false;
  if (typeof reply !== "object") return reply;
  return "ok" in reply ? new LuaTable([], reply) : new LuaTable(reply.map(toLua));
}

/** As Redis does it: a number loses what is behind the point, a list ends before the first nil. */
function fromLua(value: LuaValue): RawReply {
  if (typeof value === "string") return value;
  if (typeof value === "number") return Math.trunc(value);
  if (value === true) return 1;
  if (!(value instanceof LuaTable)) return undefined;
  const [err, ok] = [value.get("err"), value.get("ok")];
  if (typeof err === "string") throw new ServerError(err);
  return typeof ok === "string" ? { ok } : value.items.map(fromLua);
}

function asServerError(error: unknown): ServerError {
  if (error instanceof ServerError) return error;
  if (error instanceof LuaError) return new ServerError(`ERR user_script: ${error.message}`);
  throw error;
}
