import { ServerError } from "@redislock/core/adapter";
import type { Keyspace } from "./keyspace.js";

/** What a command answers: `{ ok }` is a status such as `OK`, undefined is nil. */
export type RawReply = number | string | undefined | { readonly ok: string } | readonly RawReply[];

/** The server, as a command sees it. */
export interface CommandHost {
  readonly data: Keyspace;
  /** The server's clock, in microseconds. */
  micros(): number;
  /** Returns how many hear the message, as the server has it. */
  publish(channel: string, message: string): number;
  /** How many listen to a channel, as the server has it. */
  countListeners(channel: string): number;
  /** Forgets the texts of scripts. */
  flushScripts(): void;
  /** What `INFO` tells of the server. */
  info(): string;
  knowsScript(sha1: string): boolean;
}

type Command = (host: CommandHost, ...args: string[]) => RawReply;

/** @throws ServerError */
export function runCommand(host: CommandHost, name: string, args: readonly string[]): RawReply {
  const command = commands[name.toUpperCase()];
  if (command) return command(host, ...args);
  throw new ServerError(`ERR unknown command '${name}': the server in memory has what locks use`);
}

const OK = { ok: "OK" };

const commands: Readonly<Record<string, Command>> = {
  DEL: ({ data }, ...keys) => count(keys, (key) => data.del(key)),
  UNLINK: ({ data }, ...keys) => count(keys, (key) => data.del(key)),
  EXISTS: ({ data }, ...keys) => count(keys, (key) => data.exists(key)),
  FLUSHALL({ data }) {
    data.flushall();
    return OK;
  },
  GET: ({ data }, key = "") => data.get(key),
  GETRANGE: ({ data }, key = "", start = "", end = "") => {
    if (integer(start) < 0 || integer(end) < 0) return syntaxError();
    return (data.get(key) ?? "").slice(integer(start), integer(end) + 1);
  },
  HDEL: ({ data }, key = "", ...fields) => count(fields, (field) => data.hdel(key, field)),
  HGET: ({ data }, key = "", field = "") => data.hget(key, field),
  HSCAN({ data }, key = "", cursor = "") {
    return cursor === "0" ? ["0", data.hgetall(key).flat()] : syntaxError();
  },
  HSET: ({ data }, key = "", field = "", value = "") => Number(data.hset(key, field, value)),
  INCR({ data }, key = "") {
    const number = integer(data.get(key) ?? "0") + 1;
    data.set(key, String(number), data.timeLeft(key));
    return number;
  },
  INFO: (host) => host.info(),
  KEYS: ({ data }, pattern = "") => (pattern === "*" ? data.keys() : syntaxError()),
  PEXPIRE: ({ data }, key = "", ttl = "") => Number(data.pexpire(key, integer(ttl))),
  PING: () => ({ ok: "PONG" }),
  PTTL: ({ data }, key = "") => data.pttl(key),
  PUBLISH: (host, channel = "", message = "") => host.publish(channel, message),
  PUBSUB(host, action = "", ...channels) {
    if (action.toUpperCase() !== "NUMSUB") return syntaxError();
    return channels.flatMap((channel) => [channel, host.countListeners(channel)]);
  },
  SCRIPT(host, action = "", ...hashes) {
    switch (action.toUpperCase()) {
      case "FLUSH":
        host.flushScripts();
        return OK;
      case "EXISTS":
        return hashes.map((hash) => Number(host.knowsScript(hash)));
      default:
        return syntaxError();
    }
  },
  SET: ({ data }, key = "", value = "", ...options) => set(data, key, value, options),
  TYPE: ({ data }, key = "") => ({ ok: data.type(key) }),
  TIME(host) {
    const micros = host.micros();
    return [String(Math.floor(micros / 1e6)), String(micros % 1e6)];
  },
  ZADD({ data }, key = "", ...args) {
    const [score = "", member = ""] = args.slice(-2);
    const onlyNew = args[0]?.toUpperCase() === "NX";
    if (args.length !== (onlyNew ? 3 : 2)) return syntaxError();
    if (onlyNew && data.zscore(key, member) !== undefined) return 0;
    return Number(data.zadd(key, Number(score), member));
  },
  ZCARD: ({ data }, key = "") => data.zcard(key),
  ZPOPMIN({ data }, key = "") {
    const [first] = data.zrange(key, 0, 0);
    if (!first) return [];
    data.zrem(key, first.member);
    return [first.member, String(first.score)];
  },
  ZRANGE({ data }, key = "", start = "", end = "", withScores) {
    const found = data.zrange(key, integer(start), integer(end));
    return withScores === undefined
      ? found.map(({ member }) => member)
      : found.flatMap(({ member, score }) => [member, String(score)]);
  },
  ZRANK: ({ data }, key = "", member = "") => data.zrank(key, member),
  ZREM: ({ data }, key = "", ...members) => count(members, (member) => data.zrem(key, member)),
  ZSCORE({ data }, key = "", member = "") {
    const score = data.zscore(key, member);
    return score === undefined ? undefined : String(score);
  },
};

function set(data: Keyspace, key: string, value: string, options: readonly string[]): RawReply {
  const left = options.map((option) => option.toUpperCase());
  const get = left.includes("GET");
  const absent = left.includes("NX");
  const px = left.indexOf("PX");
  const ttl = px < 0 ? undefined : integer(left[px + 1] ?? "");
  if (left.length !== Number(get) + Number(absent) + (px < 0 ? 0 : 2)) return syntaxError();
  const before = get ? data.get(key) : undefined;
  const refused = absent && data.exists(key);
  if (!refused) data.set(key, value, ttl);
  if (get) return before;
  return refused ? undefined : OK;
}

function count(items: readonly string[], done: (item: string) => boolean): number {
  return items.filter(done).length;
}

function integer(text: string): number {
  if (/^-?\d+$/.test(text)) return Number(text);
  throw new ServerError("ERR value is not an integer or out of range");
}

function syntaxError(): never {
  throw new ServerError("ERR syntax error, or a form that the server in memory does not have");
}
