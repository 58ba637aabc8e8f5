/** Options that several commands take. */
import { env } from "node:process";

import { type Command, InvalidArgumentError } from "commander";

import { Observer } from "./locks/observer.js";
import { type Unit, units } from "./output/duration.js";
import { connect, type Connection } from "./redis/connection.js";
import { DEFAULT_URL, parseUrl } from "./redis/url.js";

export interface ServerOptions {
  readonly url?: string;
  readonly namespace: string;
}

/** Adds what all commands take that ask Redis. */
export function takesServer(command: Command): Command {
  return command
    .option("--url <url>", "where Redis is, default: $REDIS_URL, else redis://127.0.0.1:6379")
    .option("--namespace <text>", "what the application puts before every key", "");
}

export function connectBy(options: ServerOptions, until?: AbortSignal): Promise<Connection> {
  return connect(parseUrl(options.url ?? (env["REDIS_URL"] || DEFAULT_URL)), until);
}

/** Runs `fn` with what reads locks, and closes it. */
export async function observing<T>(
  options: ServerOptions,
  fn: (observer: Observer, connection: Connection) => Promise<T>,
  until?: AbortSignal,
): Promise<T> {
  const connection = await connectBy(options, until);
  const observer = new Observer(connection, options.namespace);
  try {
    return await fn(observer, connection);
  } finally {
    await observer.close();
  }
}

export function parseCount(text: string): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || number < 1 || number >= 2 ** 31) {
    throw new InvalidArgumentError("It must be a whole number from 1 on.");
  }
  return number;
}

/** Milliseconds of "500ms", "30s", "1.5m", "2h", "1d"; a bare number is seconds. */
export function parseDuration(text: string): number {
  const [, digits, unit = "s"] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(text) ?? [];
  if (digits === undefined || !isUnit(unit)) {
    throw new InvalidArgumentError("It must be a time such as 500ms, 30s, 5m or 2h.");
  }
  return Math.round(Number(digits) * units[unit]);
}

function isUnit(text: string): text is Unit {
  return Object.hasOwn(units, text);
}
