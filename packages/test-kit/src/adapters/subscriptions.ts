import { Heard } from "../listening/heard.js";
import type { RedisServer } from "../servers/redis-server.js";
import type { AdapterClient, AdapterSubscription } from "./adapter.js";

/** Of a process that does nothing but listen. */
export const CHANNEL = "channel";

/** The subscriptions of one test after the other, and what they hear. */
export class Subscriptions {
  readonly #open: AdapterSubscription[] = [];
  #tests = 0;

  async open(
    client: AdapterClient,
    heard: Heard = new Heard(),
  ): Promise<AdapterSubscription & { readonly heard: Heard }> {
    if (client.subscribe === undefined) throw new Error("it cannot subscribe");
    const subscription = await client.subscribe(this.#channel, heard);
    this.#open.push(subscription);
    return { heard, close: () => subscription.close() };
  }

  publish(server: RedisServer, text: string): Promise<unknown> {
    return server.command("PUBLISH", this.#channel, text);
  }

  /** How many listen, of those who are connected to that very server. */
  async countAt(server: RedisServer): Promise<number> {
    const [, count] = [await server.command("PUBSUB", "NUMSUB", this.#channel)].flat();
    return Number(count);
  }

  /** Another test begins. It has a channel of its own: messages of the last may be on their way still. */
  begin(): void {
    this.#tests++;
  }

  async closeAll(): Promise<void> {
    await Promise.all(this.#open.splice(0).map((subscription) => subscription.close()));
  }

  get #channel(): string {
    return `${CHANNEL}:${this.#tests}`;
  }
}
