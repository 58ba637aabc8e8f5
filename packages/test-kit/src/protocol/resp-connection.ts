import { connect as dial, type Socket } from "node:net";

import { Conversation } from "./conversation.js";
import { deferred, type Deferred } from "../promises/deferred.js";
import { FrameSplitter, type Frame } from "./frame-splitter.js";
import { decodeBinaryReply, decodeReply, encodeCommand, RespError, type Reply } from "./resp.js";

/**
 * Opens a connection to a port of 127.0.0.1, or to a Unix socket by its path. It never reconnects and
 * never sends anything twice.
 */
export async function connect(to: number | string): Promise<RespConnection> {
  const socket = dial(typeof to === "string" ? { path: to } : { port: to, host: "127.0.0.1" });
  socket.setNoDelay(true);
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", reject);
  });
  return new RespConnection(socket);
}

/** A connection that does what it is told and nothing else, to look at a server from the side. */
export class RespConnection {
  /** Settles when the connection has ended, whoever ended it. */
  readonly closed: Promise<void>;

  readonly #socket: Socket;
  readonly #frames = new FrameSplitter();
  readonly #conversation = new Conversation<Deferred<Frame>>();
  readonly #pushListeners: ((push: Reply[]) => void)[] = [];
  #open = true;
  #trouble: Error | undefined;

  /** Use {@link connect}. */
  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk) => {
      this.#receive(chunk);
    });
    socket.on("error", (error) => {
      this.#trouble = error;
    });
    this.closed = new Promise((resolve) => {
      socket.on("close", () => {
        this.#open = false;
        for (const answer of this.#conversation.end()) answer.reject(this.#closedError());
        resolve();
      });
    });
  }

  /** Whether commands can be sent still. */
  get open(): boolean {
    return this.#open;
  }

  /**
   * Sends a command. Rejects with a {@link RespError} when the server answers with an error, and when
   * the connection ends before the answer. A command of several subscriptions resolves with the last
   * confirmation.
   */
  async send(...args: (string | Buffer)[]): Promise<Reply> {
    return decodeReply((await this.#ask(args)).bytes);
  }

  /** As {@link RespConnection.send}, with every text in the reply left as bytes. */
  async sendBinary(...args: (string | Buffer)[]): Promise<Reply<Buffer>> {
    return decodeBinaryReply((await this.#ask(args)).bytes);
  }

  /** Calls `listener` with every message on `channel`; resolves once the server has confirmed. */
  async subscribe(channel: string, listener: (message: string) => void): Promise<void> {
    this.onPush(([kind, from, message]) => {
      if (kind === "message" && from === channel) listener(String(message));
    });
    await this.send("SUBSCRIBE", channel);
  }

  /** Calls `listener` with everything that answers no command, as `["message", channel, text]`. */
  onPush(listener: (push: Reply[]) => void): void {
    this.#pushListeners.push(listener);
  }

  /** Ends the connection at once; what is unanswered rejects. */
  async close(): Promise<void> {
    this.#socket.destroy();
    await this.closed;
  }

  async #ask(args: readonly (string | Buffer)[]): Promise<Frame> {
    if (!this.#open) throw this.#closedError();
    const [name = "", ...rest] = args.map(String);
    const answer = deferred<Frame>();
    this.#conversation.ask([name.toUpperCase(), ...rest], answer);
    this.#socket.write(encodeCommand(args));
    const frame = await answer.promise;
    if (frame.type !== "-" && frame.type !== "!") return frame;
    const error = decodeReply(frame.bytes);
    // Made anew, so that its stack shows who sent the command.
    throw new RespError(error instanceof RespError ? error.message : String(error));
  }

  #receive(chunk: Buffer): void {
    try {
      for (const frame of this.#frames.push(chunk)) this.#hear(frame);
    } catch (error) {
      this.#socket.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #hear(frame: Frame): void {
    const answer = this.#conversation.hear(frame);
    if (answer) {
      answer.resolve(frame);
      return;
    }
    const push = decodeReply(frame.bytes);
    if (Array.isArray(push)) for (const listener of this.#pushListeners) listener(push);
  }

  #closedError(): Error {
    return new Error("The connection is closed", { cause: this.#trouble });
  }
}
