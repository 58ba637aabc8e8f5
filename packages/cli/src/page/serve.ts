/** Serves the page until told to end. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { Server } from "node:http";
import { isIPv6 } from "node:net";
import { env } from "node:process";

import { createAdaptorServer } from "@hono/node-server";
import { createLocker } from "@redislock/ioredis";

import { exitCodes } from "../exit-codes.js";
import { Failure } from "../failure.js";
import type { Observer } from "../locks/observer.js";
import { isAnother, outcome } from "../locks/taking-away.js";
import { observing, type ServerOptions } from "../options.js";
import { print } from "../output/out.js";
import { untilTold } from "../output/until-told.js";
import type { Connection } from "../redis/connection.js";
import { explain } from "../redis/explain.js";

import { createApp, type Release } from "./app.js";
import { Feed } from "./feed.js";

export interface PageOptions extends ServerOptions {
  readonly port: number;
  readonly host: string;
  readonly readOnly?: true;
  readonly interval: number;
  readonly limit: number;
}

const TOKEN = "REDISLOCK_PAGE_TOKEN";
/** Characters of a token that nobody guesses. */
const SHORTEST_TOKEN = 16;

export async function servePage(prefix: string, options: PageOptions): Promise<number> {
  const { host, port, readOnly = false } = options;
  const given = givenToken(host);
  const token = given ?? randomBytes(24).toString("base64url");
  const told = untilTold();
  try {
    return await observing(
      options,
      async (observer, connection) => {
        const feed = new Feed(observer, connection, prefix, { ...options, sort: "key", readOnly });
        const { release, close } = readOnly
          ? { release: undefined, close: async () => {} }
          : releasing(observer, connection, options.namespace);
        const app = createApp({ token, host, feed, release });
        const server = createAdaptorServer({ fetch: app.fetch });
        if (!("closeAllConnections" in server)) throw new TypeError("not a server of HTTP/1.1");
        const where = await listen(server, host, port);
        print(
          given === undefined
            ? `${where}/#token=${token}\nWhoever has the token in it can ${readOnly ? "see" : "see and release"} locks.`
            : `${where}/\nIt asks for the token that is in ${TOKEN}.`,
        );
        print("Ctrl-C ends it.");
        if (!told.signal.aborted) await once(told.signal, "abort");
        server.close();
        server.closeAllConnections();
        await close();
        connection.close();
        return exitCodes.ok;
      },
      told.signal,
    );
  } catch (error) {
    if (told.signal.aborted) return exitCodes.ok;
    throw error;
  } finally {
    told.stop();
  }
}

/** @throws Failure if others than this machine are to be served, and no token was given */
function givenToken(host: string): string | undefined {
  const token = env[TOKEN] || undefined;
  if (token !== undefined && !/^[\w.~-]+$/.test(token)) {
    throw new Failure(`${TOKEN} must be of letters, digits and - . _ ~ alone`, exitCodes.usage);
  }
  if (token !== undefined && token.length < SHORTEST_TOKEN) {
    throw new Failure(`${TOKEN} must have ${SHORTEST_TOKEN} characters or more`, exitCodes.usage);
  }
  if (token === undefined && !/^(127(\.\d+){3}|::1|localhost)$/.test(host)) {
    throw new Failure(
      `--host ${host} lets other machines in: put a token of your own into ${TOKEN}`,
      exitCodes.usage,
    );
  }
  return token;
}

function releasing(
  observer: Observer,
  { redis, target }: Connection,
  namespace: string,
): { readonly release: Release; readonly close: () => Promise<void> } {
  const locker = createLocker(redis, { namespace });
  return {
    async release(key, fencingToken) {
      if (isAnother(fencingToken, await observer.inspect(key))) return undefined;
      try {
        const released = await locker.forceRelease(key);
        return { released, outcome: outcome(released, await observer.inspect(key)) };
      } catch (error) {
        if (error instanceof Failure) throw error;
        throw new Failure(explain([error], target), exitCodes.redis);
      }
    },
    close: () => locker.close(),
  };
}

/** @throws Failure */
async function listen(server: Server, host: string, port: number): Promise<string> {
  server.listen(port, host);
  try {
    await once(server, "listening");
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const advice = reason.includes("EADDRINUSE")
      ? ": choose another with --port, or 0 for any"
      : "";
    throw new Failure(`cannot listen there (${reason})${advice}`, exitCodes.usage);
  }
  const address = server.address();
  const actual = typeof address === "object" && address ? address.port : port;
  return `http://${isIPv6(host) ? `[${host}]` : host}:${actual}`;
}
