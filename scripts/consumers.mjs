/** Programs as users write them (`consumer/*.ts`), and the clients that they bring. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { root } from "./shell.mjs";

export const consumersFolder = join(root, "scripts/consumer");

/** What is installed beside our packages. */
export const clients = [
  ...["ioredis@6.0.0", "redis@6.3.1", "@valkey/valkey-glide@2.5.2", "iovalkey@0.4.0"],
  ...["@nestjs/common@11", "@nestjs/core@11", "reflect-metadata@0.2", "rxjs@7"],
  ...["@opentelemetry/api@1.9.1", "@opentelemetry/sdk-metrics@2.12.0"],
];

/** The oldest TypeScript whose users we hear, the one that builds us, and the newest. */
export const typescripts = ["5.9.3", "6.0.3", "7.0.2"];

/** What Nest wants of whoever compiles its decorators. */
export const decorators = { experimentalDecorators: true, emitDecoratorMetadata: true };

/** Loads both kinds at once, so it is of one kind only. */
const ofOneKind = "copies.ts";

/**
 * @returns {{ source: string, file: string }[]} each program as ES module and as CommonJS: the name
 *   that TypeScript takes for it
 */
export function consumerFiles() {
  return readdirSync(consumersFolder).flatMap((name) => {
    const source = join(consumersFolder, name);
    const kinds = name === ofOneKind ? [".mts"] : [".mts", ".cts"];
    return kinds.map((kind) => ({ source, file: name.replace(/\.ts$/, kind) }));
  });
}
