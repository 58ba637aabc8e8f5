/** Keeps a holder out that was paused past its lease, where the data is in Redis. */
import { createLocker } from "@redislock/ioredis";
import { Redis } from "ioredis";

const redis = new Redis();
const locker = createLocker(redis);

// #region guarded-write
/** Writes unless a holder that came later has written before. */
const guardedWrite = `
  local seen = tonumber(redis.call('HGET', KEYS[1], 'fence') or 0)
  if tonumber(ARGV[1]) < seen then return 0 end
  redis.call('HSET', KEYS[1], 'fence', ARGV[1], 'value', ARGV[2])
  return 1`;

async function write(key: string, value: string, fence: number): Promise<boolean> {
  return (await redis.eval(guardedWrite, 1, key, fence, value)) === 1;
}
// #endregion

const slow = await locker.obtain("config", 1_000);
console.log(`slow: ${slow.fencingToken}`);
// Its process is paused here, by garbage collection or a suspended machine, past its lease…
const quick = await locker.obtain("config", 10_000, { wait: 5_000 });
console.log(`quick: ${quick.fencingToken}`);
console.log(`quick writes: ${await write("config:data", "new", quick.fencingToken)}`);
// …and wakes up in the middle of its write.
console.log(`slow writes: ${await write("config:data", "old", slow.fencingToken)}`);
console.log(`value: ${await redis.hget("config:data", "value")}`);

await quick.release();
await redis.del("config:data");
await locker.close();
redis.disconnect();
