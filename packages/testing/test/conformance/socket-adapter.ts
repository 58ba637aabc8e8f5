import {
  type ChannelListener,
  type RedisClient,
  type Reply,
  type Script,
  type Subscription,
} from "@redislock/core";
import {
  type Life,
  type Listening,
  ServerError,
  type SideConnection,
  type SideConnections,
  staySubscribed,
  toReply,
} from "@redislock/core/adapter";
import { connect, RespError, type RespConnection } from "@redislock/test-kit";

import type { Credentials } from "../../src/conformance.js";

/** An adapter over a bare connection: the smallest that is right. */
export class SocketAdapter implements RedisClient {
  protected readonly open: () => Promise<RespConnection>;
  readonly #connection: RespConnection;

  static async connect(port: number, user?: Credentials): Promise<SocketAdapter> {
    const open = async (): Promise<RespConnection> => {
      const connection = await connect(port);
      if (user) await send(connection, ["AUTH", user.username, user.password]);
      return connection;
    };
    return new this(open, await open());
  }

  constructor(open: () => Promise<RespConnection>, connection: RespConnection) {
    this.open = open;
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

  subscribe(channel: string, listener: ChannelListener): Promise<Subscription> {
    return staySubscribed((listening) => this.#listen(channel, listening), listener);
  }

  get side(): SideConnections {
    return { open: (life) => this.openSide(life) };
  }

  async openSide({ end, ended }: Life): Promise<SideConnection> {
    const connection = await this.open();
    void connection.closed.then(end);
    void ended.then(() => connection.close());
    return { send: (command) => send(connection, command) };
  }

  send(...command: string[]): Promise<Reply> {
    return send(this.#connection, command);
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  async #listen(channel: string, { message, end, ended }: Listening): Promise<void> {
    const connection = await this.open();
    void connection.closed.then(end);
    void ended.then(() => connection.close());
    await asOurs(connection.subscribe(channel, message));
  }
}

async function send(connection: RespConnection, command: readonly string[]): Promise<Reply> {
  return toReply(await asOurs(connection.send(...command)));
}

async function asOurs<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw error instanceof RespError ? new ServerError(error.message) : error;
  }
}
