import type { Listening } from "@redislock/core/adapter";
import {
  Batch,
  ClusterBatch,
  GlideClient,
  type GlideClusterClient,
  type GlideReturnType,
} from "@valkey/valkey-glide";

import { isCluster, openCluster, openSingle, type Pushes } from "./beside.js";
import type { GlideLike } from "./glide-types.js";
import { asServerError, orServerError } from "./server-error.js";

/** Opens a connection that listens to one channel, and ends when it is lost. */
export async function listen(
  glide: GlideLike,
  channel: string,
  listening: Listening,
): Promise<void> {
  let pushed = (): void => undefined;
  const pushes: Pushes = { message: listening.message, other: () => pushed() };
  const client = await orServerError(open(glide, listening, pushes));
  await assertPermitted(client, channel);
  const confirmed = new Promise<void>((resolve) => {
    pushed = () => {
      pushed = () => listening.end(new Error("The connection was lost"));
      resolve();
    };
  });
  await client.subscribeLazy(new Set([channel]));
  await confirmed;
  // It may as well have been a loss that was told of.
  const { actualSubscriptions } = await client.getSubscriptions();
  const channels = [...(actualSubscriptions[EXACT] ?? [])].map(String);
  if (!channels.includes(channel)) throw new Error("The connection was lost");
}

/** `PubSubChannelModes.Exact` of both kinds of clients. */
const EXACT = 0;

function open(
  glide: GlideLike,
  listening: Listening,
  pushes: Pushes,
): Promise<GlideClient | GlideClusterClient> {
  return isCluster(glide)
    ? openCluster(glide, listening, pushes)
    : openSingle(glide, listening, pushes);
}

/**
 * GLIDE keeps to itself that a subscription was refused, and asks for it again and again. So the server
 * is asked before, by a transaction that is never executed.
 *
 * @throws ServerError if the user may not subscribe.
 */
async function assertPermitted(
  client: GlideClient | GlideClusterClient,
  channel: string,
): Promise<void> {
  const commands = [["MULTI"], ["SUBSCRIBE", channel], ["DISCARD"]];
  for (const reply of (await sendTogether(client, commands)) ?? []) {
    if (reply instanceof Error) throw asServerError(reply);
  }
}

function sendTogether(
  client: GlideClient | GlideClusterClient,
  commands: readonly string[][],
): Promise<GlideReturnType[] | null> {
  if (client instanceof GlideClient) {
    const batch = new Batch(false);
    for (const command of commands) batch.customCommand(command);
    return client.exec(batch, false);
  }
  const batch = new ClusterBatch(false);
  for (const command of commands) batch.customCommand(command);
  // At any node, as all know the same users, and the one of a slot may be down.
  return client.exec(batch, false, { route: "randomNode" });
}
