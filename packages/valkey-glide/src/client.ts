import {
  defineAdapter,
  type RedisClient,
  runScript,
  staySubscribed,
} from "@redislock/core/adapter";

import { isCluster } from "./beside.js";
import type { GlideLike } from "./glide-types.js";
import { listen } from "./listen.js";
import { inWordsOfTheServer } from "./server-error.js";
import { openSide } from "./side.js";

/** The client interface of the lock over a `GlideClient` or a `GlideClusterClient` of Valkey GLIDE. */
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
    run(script, keys, args) {
      // As bytes: asked for text, GLIDE fails for what is not UTF-8.
      const send = (...command: string[]): Promise<unknown> =>
        inWordsOfTheServer(glide.customCommand(command, { decoder: 0 }));
      const operands = [String(keys.length), ...keys, ...args];
      return runScript(script, {
        evalsha: (sha1) => send("EVALSHA", sha1, ...operands),
        eval: (source) => send("EVAL", source, ...operands),
      });
    },
    subscribe: (channel, listener) =>
      staySubscribed((listening) => listen(glide, channel, listening), listener),
    // Of a cluster, GLIDE does not say which node has a slot.
    ...(!isCluster(glide) && { side: { open: (life) => openSide(glide, life) } }),
  }),
);
