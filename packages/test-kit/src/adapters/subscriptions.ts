import { Heard } from "../listening/heard.js";
import type { RedisServer } from "../servers/redis-server.js";
import type { AdapterClient, AdapterSubscription } from "./adapter.js";

export const CHANNEL = "channel";

/** The subscriptions of one test, and what they hear. */
export class Subscriptions {
  readonly #open: AdapterSubscription[] = [];

  async open(
    client: AdapterClient,
    heard: Heard = new Heard(),
  ): Promise<AdapterSubscription & { readonly heard: Heard }> {
    if (client.subscribe === undefined) throw new Error("it cannot subscribe");
    const subscription = await client.subscribe(CHANNEL, heard);
    this.#open.push(subscription);
    return { heard, close: () => subscription.close() };
  }

  async closeAll(): Promise<void> {
    await Promise.all(this.#open.splice(0).map((subscription) => subscription.close()));
  }
}

export function publish(server: RedisServer, text: string): Promise<unknown> {
  return server.command("PUBLISH", CHANNEL, text);
}

/** How many listen, of those who are connected to that very server. */
export async function subscribersAt(server: RedisServer): Promise<number> {
  const [, count] = [await server.command("PUBSUB", "NUMSUB", CHANNEL)].flat();
  return Number(count);
}
