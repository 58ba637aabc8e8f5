/** A lock of a majority: `node dist/quorum.js redis://a redis://b redis://c`. */
// #region quorum
import { createQuorumLocker } from "@redislock/ioredis/quorum";
import { Redis } from "ioredis";

const urls = process.argv.slice(2); // Of servers that share nothing, not even a machine.
const servers = urls.map((url) => new Redis(url));
const locker = createQuorumLocker(servers, { maxTtl: 15_000 });

await locker.using("invoice:42", 10_000, { wait: 30_000 }, async (lock) => {
  console.log(`paying invoice 42, with the fencing token ${lock.fencingToken}`);
});
// #endregion

await locker.close();
for (const server of servers) server.disconnect();
