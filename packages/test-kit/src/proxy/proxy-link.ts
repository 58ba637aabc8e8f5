import { connect, type Socket } from "node:net";

import type { Command } from "./command-log.js";
import { Conversation } from "../protocol/conversation.js";
import { FrameSplitter, type Frame } from "../protocol/frame-splitter.js";
import { Lane, type LaneConditions } from "./lane.js";
import { decodeReply } from "../protocol/resp.js";

/** What is done to one request, and `happened` to be called when it is done. */
export interface Accident {
  readonly kind: "drop-reply" | "swallow-request" | "duplicate";
  readonly happened: () => void;
  /** The accident found no victim: the reply was an error, so nothing was executed. */
  readonly missed: () => void;
}

/** What a link asks of the proxy that it belongs to. */
export interface LinkOwner {
  readonly requestConditions: LaneConditions;
  readonly replyConditions: LaneConditions;
  readonly onRequest: (command: Command) => void;
  /** Which accident is to befall this request, if any? */
  readonly accidentFor: (command: Command) => Accident | undefined;
  /** A request waits, or the reply to it, because of the conditions. */
  readonly onRequestHindered: (command: Command) => void;
  readonly onReplyHindered: (command: Command) => void;
  readonly onTrouble: (error: unknown) => void;
}

interface Errand {
  readonly command: Command;
  readonly fate: "deliver" | "discard" | "drop";
  readonly accident?: Accident | undefined;
}

/** One client's connection through the proxy to the server. */
export class ProxyLink {
  /** Settles when both its connections have ended. */
  readonly closed: Promise<void>;

  readonly #client: Socket;
  readonly #server: Socket;
  readonly #toClient: Lane;
  readonly #toServer: Lane;
  readonly #owner: LinkOwner;
  readonly #requests = new FrameSplitter();
  readonly #replies = new FrameSplitter();
  readonly #conversation = new Conversation<Errand>();
  /** Set once a request was swallowed: the connection ends as soon as those before it are answered. */
  #swallowed: Accident | undefined;
  #subscribed = false;
  #deaf = false;

  constructor(client: Socket, targetPort: number, owner: LinkOwner) {
    const server = connect({
      port: targetPort,
      host: "127.0.0.1",
      noDelay: true,
      allowHalfOpen: true,
    });
    this.#client = client;
    this.#server = server;
    this.#toClient = new Lane(client, owner.replyConditions);
    this.#toServer = new Lane(server, owner.requestConditions);
    this.#owner = owner;
    this.closed = bothClosed(client, server);
    this.#listen(client, this.#requests, (frame) => {
      this.#request(frame);
    });
    this.#listen(server, this.#replies, (frame) => {
      this.#reply(frame);
    });
    // Endings wait in line behind the bytes before them, so that a silence hides them as well.
    client.on("end", () => {
      this.#toServer.push(() => server.end());
      if (this.#deaf) client.end(); // No end of the server's will do it.
    });
    client.on("close", () => {
      this.#toServer.push(() => server.destroy());
    });
    server.on("end", () => {
      if (!this.#deaf) this.halfClose();
    });
    server.on("close", () => {
      if (!this.#deaf) this.#toClient.push(() => client.destroy());
    });
  }

  /** Whether anything is under way in it. */
  get loaded(): boolean {
    return this.#toClient.loaded || this.#toServer.loaded;
  }

  /** Whether its client hears nothing any more. */
  get deaf(): boolean {
    return this.#deaf;
  }

  /** To be called when the conditions have become better. */
  flow(): void {
    this.#toClient.flow();
    this.#toServer.flow();
  }

  /** If it has subscribed, its client hears nothing any more, not even that the connection ends. */
  deafen(): void {
    this.#deaf = this.#subscribed;
  }

  /** Tells the client that no more will come, once all that is under way was delivered. */
  halfClose(): void {
    this.#toClient.push(() => this.#client.end());
  }

  /** Ends both connections at once; what was under way is lost. */
  cut(): void {
    this.#toClient.clear();
    this.#toServer.clear();
    this.#client.destroy();
    this.#server.destroy();
  }

  #listen(socket: Socket, frames: FrameSplitter, take: (frame: Frame) => void): void {
    // What goes wrong with a socket is followed by its "close", which is what counts.
    socket.on("error", () => undefined);
    socket.on("data", (chunk) => {
      try {
        for (const frame of frames.push(chunk)) take(frame);
      } catch (error) {
        this.#owner.onTrouble(error);
        this.cut();
      }
    });
  }

  #request(frame: Frame): void {
    const command = commandOf(frame);
    this.#owner.onRequest(command);
    this.#subscribed ||= command[0]?.endsWith("SUBSCRIBE") === true;
    if (this.#swallowed) return;
    const accident = this.#owner.accidentFor(command);
    switch (accident?.kind) {
      case "swallow-request":
        this.#swallowed = accident;
        this.#cutWhenAnswered();
        return;
      case "drop-reply":
        this.#forward(frame, { command, fate: "drop", accident });
        return;
      case "duplicate":
        this.#forward(frame, { command, fate: "discard" });
        this.#forward(frame, { command, fate: "deliver", accident });
        return;
      case undefined:
        this.#forward(frame, { command, fate: "deliver" });
    }
  }

  #forward(frame: Frame, errand: Errand): void {
    this.#conversation.ask(errand.command, errand);
    if (isHindering(this.#owner.requestConditions)) this.#owner.onRequestHindered(errand.command);
    this.#toServer.push(frame.bytes);
  }

  #reply(frame: Frame): void {
    const errand = this.#conversation.hear(frame);
    if (!errand || errand.fate === "deliver") this.#deliver(frame, errand);
    else if (errand.fate === "drop") this.#drop(frame, errand);
    this.#cutWhenAnswered();
  }

  #deliver(frame: Frame, errand: Errand | undefined): void {
    if (this.#deaf) return;
    if (errand && isHindering(this.#owner.replyConditions)) {
      this.#owner.onReplyHindered(errand.command);
    }
    this.#toClient.push(frame.bytes);
    errand?.accident?.happened();
  }

  #drop(frame: Frame, errand: Errand): void {
    if (frame.type === "-" || frame.type === "!") {
      errand.accident?.missed();
      this.#deliver(frame, undefined);
      return;
    }
    this.#toClient.push(() => {
      this.#cutBy(errand.accident);
    });
  }

  #cutWhenAnswered(): void {
    if (!this.#swallowed || this.#conversation.unanswered > 0) return;
    this.#toClient.push(() => {
      this.#cutBy(this.#swallowed);
    });
  }

  #cutBy(accident: Accident | undefined): void {
    this.cut();
    accident?.happened();
  }
}

async function bothClosed(...sockets: Socket[]): Promise<void> {
  await Promise.all(sockets.map((socket) => new Promise((done) => socket.once("close", done))));
}

function commandOf(frame: Frame): Command {
  const request = decodeReply(frame.bytes);
  const [name = "", ...args] = Array.isArray(request) ? request.map(String) : [];
  return [name.toUpperCase(), ...args];
}

function isHindering(conditions: LaneConditions): boolean {
  return conditions.held || conditions.delay > 0;
}
