/**
 * Holds a lock that is renewed, and writes to what it protects whenever it sees that it is held, with
 * its fencing token. `stop-before-write` stops this process at the worst moment: between the look and
 * the write.
 */
import { connect } from "@redislock/test-kit";

import { args, connectUser } from "./user.js";

const [key = "", ttl, dataPort, how] = args;
const user = await connectUser();
const lock = await user
  .locker({ commandTimeout: 10_000 })
  .obtain(key, Number(ttl), { renew: true });
const data = await connect(Number(dataPort));

/** The resource: it takes no write with a number below one that it has seen. */
const write = `
  local seen = tonumber(redis.call('GET', KEYS[1]) or 0)
  if tonumber(ARGV[1]) < seen then return 'refused' end
  redis.call('SET', KEYS[1], ARGV[1])
  return 'written'`;

lock.signal.addEventListener("abort", () => console.log("told"));
console.log(`held ${lock.fencingToken}`);

function work(): void {
  if (!lock.held) {
    console.log("seen that it is not held");
    return;
  }
  if (how === "stop-before-write") process.kill(process.pid, "SIGSTOP");
  void data
    .send("EVAL", write, "1", `{${key}} resource`, String(lock.fencingToken))
    .then((result) => console.log(String(result)));
  if (how !== "stop-before-write") setTimeout(work, 1);
}

if (how === "stop-before-write") setTimeout(work, 50);
else if (how !== "idle") work();
process.stdin.resume();
