import { createHash } from "node:crypto";

import type { AdapterClient, AdapterReply, AdapterScript } from "./adapter.js";

/** A Lua text as a script. */
export function script(source: string): AdapterScript {
  return { name: "test", source, sha1: createHash("sha1").update(source).digest("hex") };
}

/** Runs a Lua text through an adapter. */
export function run(
  client: AdapterClient,
  source: string,
  keys: readonly string[] = [],
  args: readonly string[] = [],
): Promise<AdapterReply> {
  return client.run(script(source), keys, args);
}
