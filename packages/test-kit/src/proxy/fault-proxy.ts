import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";

import { CommandLog, matches, type Command, type CommandMatch } from "./command-log.js";
import { deferred, type Deferred } from "../promises/deferred.js";
import { freePort } from "../servers/free-port.js";
import type { LaneConditions } from "./lane.js";
import { ProxyLink, type Accident } from "./proxy-link.js";

/** Something that goes wrong. */
export interface Fault {
  /** Resolves with the command that it befell, when it has. Pending for ever when it never does. */
  readonly happened: Promise<Command>;
}

/** A {@link Fault} that waits for its one command. */
export interface AimedFault extends Fault {
  /** Lets it not happen any more. */
  cancel(): void;
}

interface Aim {
  readonly kind: Accident["kind"];
  readonly match: CommandMatch | undefined;
  readonly happened: Deferred<Command>;
}

/**
 * Starts a proxy on a free port of 127.0.0.1 that passes everything on to `targetPort`, until a test
 * lets something go wrong. A connection that the target does not take is accepted and then closed.
 */
export async function startProxy(targetPort: number): Promise<FaultProxy> {
  const proxy = new FaultProxy(targetPort, await freePort());
  await proxy.accept();
  return proxy;
}

/**
 * A proxy between clients and one server that understands RESP2 and RESP3, so that faults hit the
 * command they are meant for, with any number of requests under way.
 *
 * Faults of one command (`dropNextReply`, `swallowNextRequest`, `duplicateNext`) befall the next one
 * that matches, from any client: without `match` that is any command, a greeting such as HELLO or
 * CLIENT SETINFO included. The others hold for all connections, old and new, until they are ended;
 * `heal` ends all.
 */
export class FaultProxy {
  /** The port for clients to connect to. */
  readonly port: number;
  /** `redis://127.0.0.1:<port>` */
  readonly url: string;
  /** Every command that clients have sent, also those that never reached the server. */
  readonly commands: CommandLog = new CommandLog();

  #targetPort: number;
  readonly #links = new Set<ProxyLink>();
  readonly #requests: LaneConditions = { held: false, delay: 0, pieceSize: Infinity };
  readonly #replies: LaneConditions = { held: false, delay: 0, pieceSize: Infinity };
  #aims: Aim[] = [];
  #onRequestHindered: Deferred<Command> | undefined;
  #onReplyHindered: Deferred<Command> | undefined;
  #listener: Server | undefined;
  #trouble: unknown;

  /** Use {@link startProxy}. */
  constructor(targetPort: number, port: number) {
    this.port = port;
    this.url = `redis://127.0.0.1:${port}`;
    this.#targetPort = targetPort;
  }

  /** How many clients are connected. */
  get connections(): number {
    return this.#links.size;
  }

  /**
   * The next command that matches is executed; its reply is lost and its connection destroyed.
   * Replies to commands before it arrive. When the reply is an error (NOSCRIPT, say) nothing was
   * executed: it passes, and the fault waits for the next command.
   */
  dropNextReply(match?: CommandMatch): AimedFault {
    return this.#aim("drop-reply", match);
  }

  /**
   * The next command that matches does not reach the server, and its connection is destroyed once the
   * commands before it have been answered.
   */
  swallowNextRequest(match?: CommandMatch): AimedFault {
    return this.#aim("swallow-request", match);
  }

  /** The next command that matches is executed twice; the client gets the second reply alone. */
  duplicateNext(match?: CommandMatch): AimedFault {
    return this.#aim("duplicate", match);
  }

  /**
   * A black hole: no byte passes in either direction, no connection ends, new ones are accepted and
   * hear nothing. Happens to the first command (or reply) that does not come through. Ends with
   * `speak`.
   */
  silence(): Fault {
    const fault = this.silenceReplies();
    this.#requests.held = true;
    this.#onRequestHindered = this.#onReplyHindered;
    return fault;
  }

  /** Commands reach the server and are executed, but no reply comes back. Ends with `speak`. */
  silenceReplies(): Fault {
    this.#replies.held = true;
    return { happened: (this.#onReplyHindered = deferred()).promise };
  }

  /**
   * Ends a silence. Connections in which something was held back are destroyed, unless `deliver` is
   * set: then everything arrives now, late.
   */
  speak(options: { readonly deliver?: boolean } = {}): void {
    this.#requests.held = false;
    this.#replies.held = false;
    for (const link of this.#links) {
      if (link.loaded && options.deliver !== true) link.cut();
      else link.flow();
    }
  }

  /**
   * Every reply (and push) from now on arrives `ms` milliseconds late; 0 ends it. Happens to the
   * first reply that is late, at the moment when it comes from the server.
   */
  delayReplies(ms: number): Fault {
    this.#replies.delay = ms;
    return { happened: (this.#onReplyHindered = deferred()).promise };
  }

  /** From now on, bytes are passed on at most `size` at a time in both directions; `Infinity` ends it. */
  slice(size: number): void {
    this.#requests.pieceSize = size;
    this.#replies.pieceSize = size;
  }

  /**
   * Connections that have subscribed by now hear nothing any more, while both sides of them stay open:
   * what the server sends is lost, the end included. New ones hear.
   */
  deafen(): void {
    for (const link of this.#links) link.deafen();
  }

  /** How many connections are deaf, and still open. */
  get deaf(): number {
    return [...this.#links].filter((link) => link.deaf).length;
  }

  /** Ends the way from the server to the client of all connections, and leaves the way back open. */
  halfClose(): void {
    for (const link of this.#links) link.halfClose();
  }

  /** New connections lead to another server; those that there are stay where they are. */
  lead(targetPort: number): void {
    this.#targetPort = targetPort;
  }

  /** Destroys all connections; resolves when they are gone. New ones are welcome. */
  async cutAll(): Promise<void> {
    const links = [...this.#links];
    for (const link of links) link.cut();
    await Promise.all(links.map(({ closed }) => closed));
  }

  /** New connections are refused; those that there are go on (see `cutAll`). */
  refuse(): void {
    // The port is closed when this returns; what takes longer is the end of the connections.
    this.#listener?.close();
    this.#listener = undefined;
  }

  /** Ends `refuse`. */
  async accept(): Promise<void> {
    if (this.#listener) return;
    const listener = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
      this.#link(client);
    });
    await once(listener.listen(this.port, "127.0.0.1"), "listening");
    this.#listener = listener;
  }

  /** Ends everything that goes wrong. What was held back is lost, with its connection. */
  async heal(): Promise<void> {
    this.#aims = [];
    this.#replies.delay = 0;
    this.slice(Infinity);
    this.speak();
    for (const link of this.#links) if (link.deaf) link.cut();
    await this.accept();
  }

  /** Ends the proxy. Rejects if it could not follow what was said: a test that went on proves nothing. */
  async stop(): Promise<void> {
    this.refuse();
    await this.cutAll();
    if (this.#trouble !== undefined) {
      throw new Error("The proxy could not follow a connection", { cause: this.#trouble });
    }
  }

  #aim(kind: Accident["kind"], match: CommandMatch | undefined): AimedFault {
    const aim: Aim = { kind, match, happened: deferred() };
    this.#aims.push(aim);
    return {
      happened: aim.happened.promise,
      cancel: () => {
        this.#aims = this.#aims.filter((other) => other !== aim);
      },
    };
  }

  #link(client: Socket): void {
    const link = new ProxyLink(client, this.#targetPort, {
      requestConditions: this.#requests,
      replyConditions: this.#replies,
      onRequest: (command) => {
        this.commands.record(command);
      },
      accidentFor: (command) => this.#accidentFor(command),
      onRequestHindered: (command) => this.#onRequestHindered?.resolve(command),
      onReplyHindered: (command) => this.#onReplyHindered?.resolve(command),
      onTrouble: (error) => (this.#trouble ??= error),
    });
    this.#links.add(link);
    void link.closed.finally(() => this.#links.delete(link));
  }

  #accidentFor(command: Command): Accident | undefined {
    const aim = this.#aims.find(({ match }) => matches(command, match));
    if (!aim) return undefined;
    this.#aims = this.#aims.filter((other) => other !== aim);
    return {
      kind: aim.kind,
      happened: () => {
        aim.happened.resolve(command);
      },
      missed: () => this.#aims.unshift(aim),
    };
  }
}
