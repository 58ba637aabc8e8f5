/** A subscription, and nothing else that could keep the process alive once it is told to go. */
import { stayUntilTold } from "@redislock/test-kit";
import { GlideClient, Logger } from "@valkey/valkey-glide";

import { valkeyGlideClient } from "../../src/index.js";

// It would write to where the test looks for errors.
Logger.setLoggerConfig("off");

const [, port] = process.argv.slice(2);
const glide = await GlideClient.createClient({
  addresses: [{ host: "127.0.0.1", port: Number(port) }],
});
await stayUntilTold(valkeyGlideClient(glide), () => glide.close());
