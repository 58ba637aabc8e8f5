/** What ends up in a bundle of somebody who uses a lock, without the Redis client. */
import { gzipSync } from "node:zlib";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { Figure, Value } from "../figures.js";

interface Bundle {
  readonly contender: string;
  readonly kind: Value["kind"];
  readonly source: string;
}

const BUNDLES: readonly Bundle[] = [
  ours("@redislock/core", `export { Locker } from "@redislock/core";`),
  ours("@redislock/ioredis", `export { createLocker } from "@redislock/ioredis";`),
  ours("@redislock/node-redis", `export { createLocker } from "@redislock/node-redis";`),
  peer("redlock 4.2.0", `export { default } from "redlock-4";`),
  peer("redlock 5.0.0-beta.2", `export { default } from "redlock-5";`),
  peer("@sesamecare-oss/redlock 1.4.0", `export { Redlock } from "@sesamecare-oss/redlock";`),
  peer("redis-semaphore 5.8.0", `export { Mutex } from "redis-semaphore";`),
  peer(
    "redlock-universal 0.8.5 (ioredis)",
    `export { createLock, IoredisAdapter } from "redlock-universal";`,
  ),
  peer(
    "@verrou/core 0.5.2",
    `export { LockFactory } from "@verrou/core"; export { redisStore } from "@verrou/core/drivers/redis";`,
  ),
];

export async function bundleSize(): Promise<Figure> {
  return {
    id: "size",
    title: "Bundle size, minified and gzipped (ours: core / ioredis / node-redis)",
    better: "lower",
    goal: 8,
    unit: " KB",
    method:
      "`esbuild --bundle --minify` for Node, without the Redis client; the goal applies to core",
    values: await Promise.all(
      BUNDLES.map(async ({ contender, kind, source }) => ({
        contender,
        kind,
        value: (await bundled(source)) / 1_000,
      })),
    ),
  };
}

async function bundled(source: string): Promise<number> {
  const { outputFiles } = await build({
    stdin: { contents: source, resolveDir: fileURLToPath(new URL("..", import.meta.url)) },
    bundle: true,
    minify: true,
    write: false,
    platform: "node",
    format: "esm",
    external: ["ioredis", "redis", "@redis/*", "@valkey/*"],
    logLevel: "error",
  });
  return gzipSync(outputFiles[0]?.contents ?? "", { level: 9 }).length;
}

function ours(contender: string, source: string): Bundle {
  return { contender, kind: "ours", source };
}

function peer(contender: string, source: string): Bundle {
  return { contender, kind: "peer", source };
}
