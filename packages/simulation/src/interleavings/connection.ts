import type { ChannelListener, RedisClient, Reply, Script, Subscription } from "@redislock/core";
import type { MemoryServer } from "@redislock/testing";

import type { SimulatedServer } from "../server.js";

/** Something on its way; `lose` is what its sender sees instead of its arrival. */
export interface Mail {
  readonly arrive: () => void;
  readonly lose: () => void;
}

/** A client whose every message waits until somebody lets it arrive, or loses it. */
export class QueuedConnection implements RedisClient {
  readonly cluster: boolean;
  readonly subscribe?: (channel: string, listener: ChannelListener) => Promise<Subscription>;
  readonly requests: Mail[] = [];
  readonly replies: Mail[] = [];
  readonly pushes: Mail[] = [];
  /** Lets a request to subscribe arrive that is on its way. */
  subscribing: (() => void) | undefined;
  /** Cuts the subscription. */
  cut: (() => void) | undefined;
  /** Its process has not died. */
  alive = true;
  /** The messages that it heard. */
  readonly heard: string[] = [];
  readonly #server: SimulatedServer;

  constructor(
    server: SimulatedServer,
    cluster: boolean,
    listensTo: "master" | "replica" | undefined,
  ) {
    this.#server = server;
    this.cluster = cluster;
    const { memory } = server;
    const publisher = listensTo === "replica" ? memory.replica() : memory;
    if (listensTo) {
      this.subscribe = (channel, listener) => this.#listen(publisher, channel, listener);
    }
  }

  run(script: Script, keys: readonly string[], args: readonly string[]): Promise<Reply> {
    return new Promise((resolve, reject) => {
      if (!this.alive) return;
      const lose = (): void => reject(new Error("the connection was lost"));
      const arrive = (): void => {
        this.#server.ask(script, keys, args, (outcome) => {
          const settle = (): void => {
            if ("error" in outcome) reject(outcome.error);
            else resolve(outcome.reply);
          };
          this.replies.push({ arrive: settle, lose });
        });
      };
      this.requests.push({ arrive, lose });
    });
  }

  /** Its process died: what was sent may still arrive, and nothing comes back. */
  die(): void {
    this.alive = false;
    this.cut?.();
    this.subscribing = undefined;
  }

  #listen(
    publisher: Pick<MemoryServer, "subscribe">,
    channel: string,
    listener: ChannelListener,
  ): Promise<Subscription> {
    return new Promise((resolve) => {
      let closed = false;
      const listen = (confirmed: () => void): void => {
        this.subscribing = () => {
          const stop = publisher.subscribe(channel, (text) => {
            const hear = (): void => {
              this.heard.push(text);
              listener.message(text);
            };
            this.pushes.push({ arrive: hear, lose: () => undefined });
          });
          this.cut = () => {
            stop();
            this.pushes.length = 0;
            this.cut = undefined;
            if (!closed) listen(() => listener.resumed());
          };
          this.pushes.push({ arrive: confirmed, lose: () => this.cut?.() });
        };
      };
      const close = async (): Promise<void> => {
        closed = true;
        this.subscribing = undefined;
        this.cut?.();
      };
      listen(() => resolve({ close }));
    });
  }
}
