import { RespError, type RespConnection } from "@redislock/test-servers";
import { setTimeout as sleep } from "node:timers/promises";

import {
  ServerError,
  toReply,
  type ChannelListener,
  type RedisClient,
  type Reply,
  type Script,
  type Subscription,
} from "../src/index.js";

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
    const close = async (): Promise<void> => {
      closed = true;
      await connection.close();
    };
    void (async () => {
      for (;;) {
        await connection.closed;
        if (closed) return;
        await sleep(50, undefined, { ref: false });
        const next = await this.#listen(channel, listener).catch(() => undefined);
        if (!next) continue;
        connection = next;
        if (closed) return connection.close();
        listener.resumed();
      }
    })();
    return { close };
  }

  async close(): Promise<void> {
    this.closed = true;
    const connection = await this.#connection?.catch(() => undefined);
    await connection?.close();
  }

  /** The server's errors as `ServerError`, the connection's as they are. */
  async #send(...command: string[]): Promise<Reply> {
    const connection = await this.#open();
    try {
      return toReply(await connection.send(...command));
    } catch (error) {
      throw error instanceof RespError ? new ServerError(error.message) : error;
    }
  }

  /** The one connection for scripts; a new one when the last was lost. */
  #open(): Promise<RespConnection> {
    if (!this.#connection) {
      this.#connection = this.#connect();
      const forget = (): void => {
        this.#connection = undefined;
      };
      this.#connection.then(({ closed }) => closed).then(forget, forget);
    }
    return this.#connection;
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
