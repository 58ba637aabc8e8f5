import { RespError, type RespConnection } from "@redislock/test-kit";
import { setTimeout as sleep } from "node:timers/promises";

import {
  type ChannelListener,
  type RedisClient,
  type Reply,
  type Script,
  type Subscription,
} from "../src/index.js";
import { ServerError, toReply } from "../src/adapter.js";

/** An adapter over bare connections: what the lock needs of Redis, and nothing else. */
export class RespClient implements RedisClient {
  closed = false;
  readonly #connect: () => Promise<RespConnection>;
  #connection: Promise<RespConnection> | undefined;

  /** `connect` opens a connection, and logs in on it if that is needed. */
  constructor(connect: () => Promise<RespConnection>) {
    this.#connect = connect;
  }

  async run(script: Script, keys: readonly string[], args: readonly string[]): Promise<Reply> {
    const rest = [String(keys.length), ...keys, ...args];
    try {
      return await this.#send("EVALSHA", script.sha1, ...rest);
    } catch (error) {
      if (!(error instanceof ServerError) || error.reply !== "NOSCRIPT") throw error;
      return this.#send("EVAL", script.source, ...rest);
    }
  }

  async subscribe(channel: string, listener: ChannelListener): Promise<Subscription> {
    let connection = await this.#listen(channel, listener);
    let closed = false;
    void (async () => {
      while (!closed) {
        await connection.closed;
        await sleep(50, undefined, { ref: false });
        if (!closed) connection = await this.#listen(channel, listener).catch(() => connection);
        if (!closed && connection.open) listener.resumed();
      }
      await connection.close();
    })();
    return {
      close: async () => {
        closed = true;
        await connection.close();
      },
    };
  }

  async close(): Promise<void> {
    this.closed = true;
    const connection = await this.#connection?.catch(() => undefined);
    await connection?.close();
  }

  /** The server's errors become a `ServerError`; those of the connection stay what they are. */
  async #send(...command: string[]): Promise<Reply> {
    // What is sent again behind its end must not open another, which nobody would close.
    if (this.closed) throw new Error("the client is closed");
    const connection = (this.#connection ??= this.#connect());
    try {
      return toReply(await (await connection).send(...command));
    } catch (error) {
      if (error instanceof RespError) throw new ServerError(error.message);
      // The next command opens another.
      if (this.#connection === connection) this.#connection = undefined;
      throw error;
    }
  }

  async #listen(channel: string, listener: ChannelListener): Promise<RespConnection> {
    const connection = await this.#connect();
    try {
      await connection.subscribe(channel, (text) => listener.message(text));
      return connection;
    } catch (error) {
      await connection.close();
      throw error;
    }
  }
}
