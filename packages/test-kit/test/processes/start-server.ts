// Starts a server, says which, and waits to be killed.
import { setTimeout as sleep } from "node:timers/promises";

import { startServer } from "../../src/index.js";

const server = await startServer();
console.log(server.pid, server.port);
await sleep(60_000);
