/** Holds, renews and listens, for long, and awaits nothing: none of it may keep a process alive. */
import { Locker, type Lock, type RedisClient } from "@redislock/core";

/** So long that the process would be ended as one that hangs, if a lease kept it alive. */
const TTL = 600_000;

/** Kept, for a handle that nobody has any more is not renewed. */
export const held: Lock[] = [];

export async function holds(client: RedisClient, leave: () => Promise<unknown>): Promise<void> {
  const id = Math.random().toString(36).slice(2);
  const listening = whenSubscribed(client);
  const locker = new Locker(client);
  held.push(await locker.obtain(`held ${id}`, TTL));
  held.push(await locker.obtain(`renewed ${id}`, TTL, { renew: true }));
  void locker.using(`used ${id}`, TTL, () => new Promise(() => undefined));

  await locker.tryObtain(`held ${id}`, TTL, { wait: 300 });
  await listening;
  await leave();
}

/** Resolves when the client listens, or at once if it cannot. */
function whenSubscribed(client: RedisClient): Promise<void> {
  const subscribe = client.subscribe?.bind(client);
  if (!subscribe) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const observed: RedisClient["subscribe"] = async (channel, listener) => {
      const subscription = subscribe(channel, listener);
      subscription.then(() => resolve(), reject);
      return subscription;
    };
    Object.assign(client, { subscribe: observed });
  });
}
