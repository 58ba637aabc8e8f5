/** What went wrong with Redis, in one line that says what to do. */
import { RedisLockError } from "@redislock/ioredis";

import { withoutSecrets } from "../output/text.js";
import type { Target } from "./url.js";

/** By the first of these that any of the errors speaks of. */
const advice: readonly (readonly [RegExp, (target: Target) => string])[] = [
  [
    /WRONGPASS|invalid password|invalid username-password/,
    () => "refused the user name or password: check those in --url or REDIS_URL",
  ],
  [
    /NOAUTH|Authentication required/i,
    () => "asks for a password: put it into the URL, as in redis://:password@host",
  ],
  [
    /NOPERM/,
    () =>
      "refused, as the user lacks a permission: `redislock doctor` names those that are missing",
  ],
  [/MOVED|CROSSSLOT/, () => "is a node of a cluster: use redis+cluster://host:port"],
  [/cluster support disabled|CLUSTER.* disabled/i, () => "is no cluster: use redis://host:port"],
  [/READONLY/, () => "is a read-only replica: name the master"],
  [/LOADING/, () => "is still loading its data: try again soon"],
  [/OOM/, () => "is out of memory and evicts nothing: see `redislock doctor`"],
  [/CLUSTERDOWN/, () => "does not serve all slots: see `redis-cli --cluster check`"],
  [
    /All sentinels are unreachable/,
    () => "could not be reached: check the addresses, and the name",
  ],
  [/ENOTFOUND|EAI_AGAIN/, () => "is not known by that name: check the host"],
  [/ECONNREFUSED/, () => "could not be reached (ECONNREFUSED): check the address, or start it"],
  [
    /certificate|SSL|TLS|EPROTO/i,
    () => "could not be reached by TLS: check the scheme and certificate",
  ],
  [/Connection is closed/, () => "could not be reached: check the address and the network"],
  [
    /ETIMEDOUT|no answer within|Command timed out/,
    () => "did not answer in time: check the address and the network",
  ],
];

export function explain(errors: readonly unknown[], target: Target): string {
  const texts = errors.flatMap(textsOf);
  for (const [pattern, say] of advice) {
    const text = texts.find((text) => pattern.test(text));
    if (text === undefined) continue;
    const reply = /NOPERM|OOM|MOVED/.test(text) ? ` (${shortened(text)})` : "";
    return `${target.shown} ${say(target)}${reply}`;
  }
  return `${target.shown} could not be asked: ${shortened(texts.at(0) ?? "no reason was given")}`;
}

/** An error, and all that it came from: Node and ioredis put the reason inside. */
function textsOf(error: unknown): string[] {
  if (!(error instanceof Error)) return [String(error)];
  const { cause } = error;
  const last: unknown = Reflect.get(error, "lastNodeError");
  const code: unknown = Reflect.get(error, "code");
  return [
    ...(error instanceof AggregateError ? error.errors.flatMap(textsOf) : []),
    ...(last === undefined ? [] : textsOf(last)),
    ...(cause === undefined ? [] : textsOf(cause)),
    error.message,
    // Codes of Node name what an empty message may not: ECONNREFUSED, ENOTFOUND.
    ...(typeof code === "string" && !(error instanceof RedisLockError) ? [code] : []),
  ];
}

/** Without what servers quote of the arguments, of which one may be a secret. */
export function shortened(text: string): string {
  const line = text.split("\n")[0] ?? "";
  return withoutSecrets(line.replace(/,? with args beginning with:.*/s, "")).slice(0, 200);
}
