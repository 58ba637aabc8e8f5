/** What adapter authors need besides the interface that they implement, which is `RedisClient`. */
export { toReply } from "./redis/client.js";
export type {
  ChannelListener,
  Life,
  RedisClient,
  Reply,
  Script,
  SideConnection,
  SideConnections,
  Subscription,
} from "./redis/client.js";
export { anyNode, endTogether, type SocketLike, writeTogether } from "./redis/connections.js";
export { defineAdapter, type ExpectedClient } from "./redis/define-adapter.js";
export { asServerError, runScript, type ScriptCommands } from "./redis/run-script.js";
export { type Listening, staySubscribed } from "./redis/subscription.js";
export { ServerError } from "./errors.js";
export { checkOptionNames } from "./own-options.js";
export { systemClock, type Clock, type Timer } from "./time/clock.js";

/** Every script that a lock runs, by name: to load them ahead, or to know them in a log. */
export { scripts, type ScriptName } from "./lua/scripts.generated.js";
