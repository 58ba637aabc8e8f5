import {
  defineAdapter,
  type RedisClient,
  ServerError,
  staySubscribed,
} from "@redislock/core/adapter";

import { isCluster } from "./beside.js";
import type { GlideLike } from "./glide-types.js";
import { listen } from "./listen.js";
import { replyOf } from "./reply.js";
import { orServerError } from "./server-error.js";
import { openSide } from "./side.js";

/**
 * The client interface of the lock over a `GlideClient` or a `GlideClusterClient` of Valkey GLIDE; the same
 * for the same client.
 *
 * @example
 * const lockers = clients.map((glide) => new Locker(valkeyGlideClient(glide)));
 * @throws TypeError for what is no client of GLIDE
 */
export const valkeyGlideClient: (glide: GlideLike) => RedisClient = defineAdapter(
  {
    what: "a GlideClient or GlideClusterClient of Valkey GLIDE",
    example: "await GlideClient.createClient({ addresses })",
    methods: ["customCommand", "exec"],
  },
  (glide) => ({
    cluster: isCluster(glide),
    get closed() {
      return Reflect.get(glide, "isClosed") === true;
    },
    async run(script, keys, args) {
      const operands = [String(keys.length), ...keys, ...args];
      // As bytes: asked for text, GLIDE fails for what is not UTF-8.
      const send = (...command: string[]): Promise<unknown> =>
        orServerError(glide.customCommand([...command, ...operands], { decoder: 0 }));
      try {
        return replyOf(await send("EVALSHA", script.sha1));
      } catch (error) {
        if (!(error instanceof ServerError && error.reply === "NOSCRIPT")) throw error;
      }
      return replyOf(await send("EVAL", script.source));
    },
    subscribe: (channel, listener) =>
      staySubscribed((listening) => listen(glide, channel, listening), listener),
    // Of a cluster, GLIDE does not say which node has a slot.
    ...(!isCluster(glide) && { side: { open: (life) => openSide(glide, life) } }),
  }),
);
