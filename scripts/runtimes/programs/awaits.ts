/** Awaits each call of ours in turn, and nothing else: a program that ends before its last line shows
 * which call did not keep it alive. */
import {
  limitRetry,
  linearBackoff,
  Locker,
  RedisLockError,
  type RedisClient,
} from "@redislock/core";

const TTL = 600_000;

export async function awaits(client: RedisClient, say: (line: string) => void): Promise<void> {
  const id = Math.random().toString(36).slice(2);
  const taken = `taken ${id}`;
  const free = `free ${id}`;
  const locker = new Locker(client);
  const another = new Locker(client);

  const call = async (name: string, run: () => Promise<unknown>): Promise<void> => {
    say(`${name}: ${await run().then(told, told)}`);
  };

  await call("obtain", () => another.obtain(taken, TTL));
  await call("tryObtain", () => locker.tryObtain(taken, TTL));
  await call("obtain, wait, in vain", () => locker.obtain(taken, TTL, { wait: 300 }));
  await call("using, wait, in vain", () => locker.using(taken, TTL, { wait: 300 }, () => "used"));
  await call("obtain, retry, in vain", () => {
    return locker.obtain(taken, TTL, { retry: limitRetry(linearBackoff(100), 3) });
  });

  await another.obtain(free, 300);
  await call("using, wait", () => locker.using(free, TTL, { wait: 5_000 }, () => "used"));
  await another.obtain(free, 300);
  await call("using, retry", () => {
    return locker.using(free, TTL, { retry: linearBackoff(100) }, () => "used");
  });

  const lock = await locker.obtain(free, TTL);
  await call("lock.refresh", () => lock.refresh());
  await call("lock.ttl", async () => (await lock.ttl()) > 0);
  await call("lock.release", () => lock.release());
  await call("inspect", async () => Boolean((await locker.inspect(taken)).holder));
  await call("forceRelease", () => locker.forceRelease(taken));

  await another.obtain(taken, TTL);
  const waiting = locker.obtain(taken, TTL, { wait: Infinity }).then(told, told);
  while ((await locker.inspect(taken)).waiters === 0);
  await call("close", () => locker.close());
  await call("obtain, wait, at the close", () => waiting);
  await another.close();
}

/** What came of a call. */
function told(outcome: unknown): string {
  if (outcome instanceof RedisLockError) return outcome.code;
  if (outcome instanceof Error) return String(outcome.stack);
  return typeof outcome === "object" && outcome !== null ? "a lock" : String(outcome);
}
