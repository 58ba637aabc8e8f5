/** Options that several commands take. */
import { env } from "node:process";

import { type Command, InvalidArgumentError } from "commander";

import { Observer } from "./locks/observer.js";
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

export function connectBy(options: ServerOptions, stay: boolean = false): Promise<Connection> {
  return connect(parseUrl(options.url ?? (env["REDIS_URL"] || DEFAULT_URL)), stay);
}

/** Runs `fn` with what reads locks, and closes it. */
export async function observing<T>(
  options: ServerOptions,
  fn: (observer: Observer, connection: Connection) => Promise<T>,
  stay: boolean = false,
): Promise<T> {
  const connection = await connectBy(options, stay);
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
