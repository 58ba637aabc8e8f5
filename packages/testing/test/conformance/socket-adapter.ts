import {
  type ChannelListener,
  type RedisClient,
  type Reply,
  type Script,
  ServerError,
  type Subscription,
  toReply,
} from "@redislock/core";
import { connect, RespError, type RespConnection } from "@redislock/test-kit";

/** An adapter over a bare connection: the smallest that is right. */
export class SocketAdapter implements RedisClient {
  readonly #port: number;
  readonly #connection: RespConnection;

  static async connect(port: number): Promise<SocketAdapter> {
    return new this(port, await connect(port));
  }

  constructor(port: number, connection: RespConnection) {
    this.#port = port;
    this.#connection = connection;
  }

  get closed(): boolean {
    return !this.#connection.open;
  }

  async run(script: Script, keys: readonly string[], args: readonly string[]): Promise<Reply> {
    const operands = [String(keys.length), ...keys, ...args];
    try {
      return await this.send("EVALSHA", script.sha1, ...operands);
    } catch (error) {
      if (!(error instanceof ServerError && error.reply === "NOSCRIPT")) throw error;
      return this.send("EVAL", script.source, ...operands);
    }
  }

  async subscribe(channel: string, listener: ChannelListener): Promise<Subscription> {
    let closed = false;
    let connection: RespConnection;
    const open = async (): Promise<void> => {
      connection = await connect(this.#port);
      await connection.subscribe(channel, (text) => closed || listener.message(text));
      void connection.closed.then(async () => {
        if (closed) return;
        await open();
        listener.resumed();
      });
    };
    await open();
    return {
      async close() {
        closed = true;
        await connection.close();
      },
    };
  }

  async send(...command: string[]): Promise<Reply> {
    try {
      return toReply(await this.#connection.send(...command));
    } catch (error) {
      throw error instanceof RespError ? new ServerError(error.message) : error;
    }
  }

  close(): Promise<void> {
    return this.#connection.close();
  }
}
