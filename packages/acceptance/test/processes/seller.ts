/**
 * Adds 1 to a number in Redis, so many times at once: by reading it, thinking, and writing it, under
 * the lock. What it sees of others at work meanwhile, it says.
 */
import { jitter, linearBackoff } from "@redislock/core";
import { connect } from "@redislock/test-kit";

import { args, connectUser } from "./user.js";

const [key = "", dataPort, tasks] = args;
const user = await connectUser();
const locker = user.locker({ commandTimeout: 30_000 });
const data = await connect(Number(dataPort));

async function add(task: number): Promise<void> {
  // Half of them stand in line, the others poll.
  const how =
    task % 2 === 0
      ? { wait: 120_000 }
      : { retry: jitter(linearBackoff(20)), signal: AbortSignal.timeout(120_000) };
  await locker.using(key, 10_000, how, async (lock) => {
    const atWork = Number(await data.send("INCR", "at work"));
    if (atWork !== 1) console.log(`not alone: ${atWork}`);
    const before = Number(await data.send("GET", "number"));
    await new Promise((resolve) => setTimeout(resolve, 2));
    await data.send("SET", "number", String(before + 1));
    await data.send("RPUSH", "fencing tokens", String(lock.fencingToken));
    await data.send("DECR", "at work");
  });
}

await Promise.all(Array.from({ length: Number(tasks) }, (_, task) => add(task)));
console.log("done");
await locker.close();
await data.close();
await user.quit();
