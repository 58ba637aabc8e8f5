/**
 * Wants locks in several loops at once, in ways that its seed chooses, and says what it had and for how
 * long. At the line "end" it lets go and closes everything; at the next one it has nothing more to do.
 */
import { linearBackoff, limitRetry, Locker, type Lock, type ObtainOptions } from "@redislock/core";
import { seededRandom } from "@redislock/test-kit";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

import { connect } from "../client.js";
import { LIMIT, now, readOrders, type How, type Line, type Share } from "../record.js";

const SHARING: Readonly<Record<Share, ObtainOptions>> = {
  alone: {},
  shared: { mode: "shared" },
  counted: { limit: LIMIT },
};

const { name, library, access, keys, loops, ttl, bound, seed } = readOrders(process.argv[2]);
const input = createInterface(process.stdin);
const ended = once(input, "line");
let going = true;
void ended.then(() => (going = false));

const connected = await connect(library, access);
const locker = new Locker(connected.client);
let lastId = 0;

await Promise.all(Array.from({ length: loops }, (_, index) => loop(seededRandom(seed + index))));
await locker.close();
await connected.close();
console.log("closed");
await once(input, "line");
input.close();
process.stdin.destroy();

async function loop(random: (limit: number) => number): Promise<void> {
  while (going) {
    const how = howOf(random(100));
    const [key = ""] = [keys[random(keys.length)]];
    // Their first letters are a hash tag: of one tag are those that can be wanted together.
    const several = keys.filter((each) => each.slice(0, 3) === key.slice(0, 3));
    const share = how === "several" ? "alone" : shareOf(key, random(100));
    await section(how, share, how === "several" ? several : [key], random);
    await sleep(random(60));
  }
}

function howOf(chance: number): How {
  if (chance < 50) return "wait";
  if (chance < 60) return "renew";
  if (chance < 65) return "several";
  if (chance < 75) return "brief";
  if (chance < 82) return "abort";
  if (chance < 92) return "try";
  return "poll";
}

/** Of one tag are those that are counted, when they are shared, so that all are judged by one limit. */
function shareOf(key: string, chance: number): Share {
  if (chance < 50) return "alone";
  return key.startsWith("{a}") ? "shared" : "counted";
}

function optionsOf(how: How, random: (limit: number) => number): ObtainOptions {
  switch (how) {
    case "wait":
    case "several":
      return { wait: bound };
    case "renew":
      return { wait: bound, renew: true };
    case "brief":
      return { wait: 1 + random(50) };
    case "abort":
      return { wait: bound, signal: AbortSignal.timeout(random(50)) };
    case "try":
      return {};
    case "poll":
      return { retry: limitRetry(linearBackoff(20), 10) };
  }
}

async function section(
  how: How,
  share: Share,
  wanted: readonly string[],
  random: (limit: number) => number,
): Promise<void> {
  const options = { ...optionsOf(how, random), ...SHARING[share] };
  const asked = now();
  let lock: Lock | null;
  try {
    lock = await locker.tryObtain(wanted, ttl, options);
  } catch (error) {
    if (options.signal?.aborted === true && error === options.signal.reason) return;
    say({ type: "failed", by: name, how, asked, at: now(), ...told(error) });
    return;
  }
  const at = now();
  if (!lock) {
    const waited = how === "wait" || how === "renew" || how === "several";
    const message = "another had it";
    if (waited) say({ type: "failed", by: name, how, asked, at, code: "NOT_OBTAINED", message });
    return;
  }
  const id = `${name} ${++lastId}`;
  const { fencingToken: fence } = lock;
  say({ type: "granted", id, how, share, keys: wanted, ttl, fence, asked, at });
  // Those who share a lock have it for longer, so that there are several at once.
  const shortTime = random(share === "alone" ? 30 : 150);
  const to = await hold(lock, how === "renew" ? longTime(random) : shortTime);
  const outcome = await lock.release().then(
    () => "released",
    (error: unknown) => told(error).code,
  );
  say({ type: "ended", id, to, outcome });
}

/** Half of those with a short lease are held for longer than it lasts. */
function longTime(random: (limit: number) => number): number {
  return random(2) === 0 && ttl < 5_000 ? ttl * 1.5 : random(200);
}

/** @returns when it was last seen to be held */
async function hold(lock: Lock, ms: number): Promise<number> {
  const until = now() + ms;
  let to = -Infinity;
  for (;;) {
    const time = now();
    if (!lock.held) return to;
    to = time;
    if (time >= until) return to;
    await sleep(Math.min(5, until - time));
  }
}

function told(error: unknown): { readonly code: string; readonly message: string } {
  if (!(error instanceof Error)) return { code: "none", message: String(error) };
  const code = "code" in error ? String(error.code) : error.name;
  return {
    code: "reply" in error ? `${code} ${String(error.reply)}` : code,
    message: error.message,
  };
}

function say(line: Line): void {
  console.log(JSON.stringify(line));
}
