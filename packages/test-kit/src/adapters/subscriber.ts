import { once } from "node:events";

import type { AdapterClient } from "./adapter.js";
import { CHANNEL } from "./subscriptions.js";

/**
 * What a process of `exitTests` does: it subscribes, and at the first line of its input closes its own
 * client, by `closeClient`; the subscription only if the line says so. Then nothing but the subscription
 * is left that could keep the process alive.
 */
export async function stayUntilTold(client: AdapterClient, closeClient: () => void): Promise<void> {
  const subscription = await client.subscribe?.(CHANNEL, {
    message: (text) => {
      console.log(`message: ${text}`);
    },
    resumed: () => {
      console.log("resumed");
    },
  });
  console.log("subscribed");
  const [line] = (await once(process.stdin, "data")).map(String);
  if (line === "close\n") await subscription?.close();
  process.stdin.destroy();
  closeClient();
  console.log("done");
}
