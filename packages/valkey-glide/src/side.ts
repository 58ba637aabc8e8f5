import type { Life, SideConnection } from "@redislock/core/adapter";
import { Batch } from "@valkey/valkey-glide";

import { openSingle, PATIENCE } from "./beside.js";
import type { GlideLike } from "./glide-types.js";
import { replyOf } from "./reply.js";
import { asServerError, orServerError } from "./server-error.js";

const WHO_AM_I = ["CLIENT", "ID"];

/**
 * A connection to the only server, or to the master of several. GLIDE would connect again by itself, and
 * what waits for replicas on another connection than the one that wrote waits for nothing: so each command
 * comes together with the question which connection it is.
 */
export async function openSide(glide: GlideLike, life: Life): Promise<SideConnection> {
  const client = await orServerError(openSingle(glide, life));
  const id = await orServerError(client.customCommand(WHO_AM_I));
  const lost = (error: unknown): never => {
    life.end(error);
    throw error;
  };
  // One after the other, for GLIDE does not promise an order.
  let last: Promise<unknown> = Promise.resolve();
  return {
    send(command) {
      const sending = last.then(async () => {
        const batch = new Batch(false).customCommand(WHO_AM_I).customCommand([...command]);
        // What a server answers is in the list, also its errors: this is GLIDE's own word for no answer.
        const answers = await client.exec(batch, false, { timeout: PATIENCE }).catch(lost);
        const [current, reply] = answers ?? [];
        if (current !== id) lost(new Error("The connection was lost"));
        if (reply instanceof Error) throw asServerError(reply);
        return replyOf(reply);
      });
      last = sending.catch(() => undefined);
      return sending;
    },
  };
}
