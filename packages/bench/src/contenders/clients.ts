import type { Redis } from "ioredis";

export async function connectIoredis(port: number): Promise<Redis> {
  const { Redis } = await import("ioredis");
  const redis = new Redis({ host: "127.0.0.1", port, lazyConnect: true });
  await redis.connect();
  return redis;
}

export async function connectNodeRedis(port: number) {
  const { createClient } = await import("redis");
  const redis = createClient({ socket: { host: "127.0.0.1", port } });
  await redis.connect();
  return redis;
}
