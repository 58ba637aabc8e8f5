import { Locker } from "@redislock/core";
import { createLocker } from "@redislock/valkey-glide";
import { GlideClient } from "@valkey/valkey-glide";

async function main(url: string): Promise<void> {
  const { hostname, port } = new URL(url);
  const addresses = [{ host: hostname, port: Number(port) }];
  const glide = await GlideClient.createClient({ addresses, requestTimeout: 5_000 });
  const locker: Locker = createLocker(glide);
  if (!(locker instanceof Locker)) throw new Error("the adapter brought another core");

  const lock = await locker.obtain("consumer", 10_000);
  if (!lock.held) throw new Error("the lock is not held");
  if ((await locker.tryObtain("consumer", 10_000)) !== null) throw new Error("held twice");
  await lock.release();

  await locker.close();
  glide.close();
}

void main(process.argv[2] ?? "");
