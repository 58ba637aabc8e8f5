/** Keeps a writer out that was paused past its lease, while others read what it would change. */
import { createLocker } from "@redislock/ioredis";
import { Redis } from "ioredis";

const redis = new Redis();
const locker = createLocker(redis);

// #region guarded-read
/** Reads, and from then on refuses all who wrote before; gives nothing if another wrote since. */
const guardedRead = `
  local seen = tonumber(redis.call('HGET', KEYS[1], 'fence') or 0)
  if tonumber(ARGV[1]) < seen then return false end
  redis.call('HSET', KEYS[1], 'fence', ARGV[1])
  return redis.call('HGET', KEYS[1], 'value')`;

/** Writes unless a holder that came later has read or written before. */
const guardedWrite = `
  local seen = tonumber(redis.call('HGET', KEYS[1], 'fence') or 0)
  if tonumber(ARGV[1]) < seen then return 0 end
  redis.call('HSET', KEYS[1], 'fence', ARGV[1], 'value', ARGV[2])
  return 1`;
// #endregion

const data = "rates:data";
const read = async (fence: number): Promise<string> =>
  String(await redis.eval(guardedRead, 1, data, fence));
const write = async (value: string, fence: number): Promise<boolean> =>
  (await redis.eval(guardedWrite, 1, data, fence, value)) === 1;

const slow = await locker.obtain("rates", 1_000);
console.log(`slow writes: ${await write("old", slow.fencingToken)}`);
// Its process is paused here, by garbage collection or a suspended machine, past its lease…
const options = { mode: "shared", wait: 5_000 } as const;
const anna = await locker.obtain("rates", 10_000, options);
const ben = await locker.obtain("rates", 10_000, options);
console.log(`one number for both: ${anna.fencingToken === ben.fencingToken}`);
console.log(`ben reads: ${await read(ben.fencingToken)}`);
// …and wakes up in the middle of its second write.
console.log(`slow writes: ${await write("half", slow.fencingToken)}`);
// Ben was first to read, and yet Anna, who came before him, is not refused.
console.log(`anna reads: ${await read(anna.fencingToken)}`);
await anna.release();
await ben.release();

const next = await locker.obtain("rates", 10_000);
console.log(`next writes: ${await write("new", next.fencingToken)}`);
console.log(`anna reads, too late: ${await read(anna.fencingToken)}`);
await next.release();
await redis.del(data);
await locker.close();
redis.disconnect();
