/** The code that the README shows, run as a process by `docs.test.ts`. */
const addresses = [{ host: "127.0.0.1", port: Number(process.argv[2]) }];

// #region readme
import { GlideClient } from "@valkey/valkey-glide";
import { createLocker } from "@redislock/valkey-glide";

const glide = await GlideClient.createClient({ addresses, requestTimeout: 1_000 });
const locker = createLocker(glide);

// Renewed while the function runs, released whatever happens.
await locker.using("invoice:42", 10_000, { wait: 5_000 }, async (lock) => {
  await charge(42, { signal: lock.signal, fence: lock.fencingToken });
});

await locker.close(); // its own connection, if somebody had to wait
glide.close();
// #endregion

/**
 * @param {number} invoice
 * @param {{ signal: AbortSignal, fence: number }} under
 */
async function charge(invoice, { signal, fence }) {
  signal.throwIfAborted();
  console.log(`charged invoice ${invoice}, fencing token ${fence}`);
}
