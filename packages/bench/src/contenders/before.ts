/** This library as it was: an earlier build of it, over the same clients. */
import type { Locker } from "@redislock/core";
import { pathToFileURL } from "node:url";
import type { Server, Session } from "../session.js";
import { connectIoredis, connectNodeRedis } from "./clients.js";
import { session } from "./ours.js";

export async function openOverIoredis({ port }: Server, folder: string): Promise<Session> {
  const createLocker = await createLockerOf("ioredis", folder);
  const redis = await connectIoredis(port);
  return session(createLocker(redis), () => redis.disconnect());
}

export async function openOverNodeRedis({ port }: Server, folder: string): Promise<Session> {
  const createLocker = await createLockerOf("node-redis", folder);
  const redis = await connectNodeRedis(port);
  return session(createLocker(redis), () => redis.destroy());
}

async function createLockerOf(name: string, folder: string): Promise<(client: object) => Locker> {
  const file = pathToFileURL(`${folder}/packages/${name}/dist/esm/index.js`);
  const adapter: unknown = await import(file.href);
  if (isAdapter(adapter)) return adapter.createLocker;
  throw new TypeError(`${file.pathname} is no adapter`);
}

/** Whether it is one that was built; what it makes is a locker, or the measurement fails. */
function isAdapter(
  module: unknown,
): module is { readonly createLocker: (client: object) => Locker } {
  return typeof module === "object" && module !== null && "createLocker" in module;
}
