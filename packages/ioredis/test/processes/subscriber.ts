/**
 * Subscribes, and at the first line of its input closes its own client; the subscription only if the
 * line says so. Then nothing but the subscription is left that could keep the process alive.
 */
import { once } from "node:events";
import { Redis } from "ioredis";
import { Redis as Redis5 } from "ioredis-5";

import { ioredisClient } from "../../src/index.js";

const [major, port] = process.argv.slice(2);
const options = {
  host: "127.0.0.1",
  port: Number(port),
  // Would keep the process alive if the subscription took that long.
  disconnectTimeout: 60_000,
  retryStrategy: () => null,
};
const redis = major === "5" ? new Redis5(options) : new Redis(options);
redis.on("error", () => undefined);

const subscription = await ioredisClient(redis).subscribe?.("channel", {
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
redis.stream.destroy();
console.log("done");
