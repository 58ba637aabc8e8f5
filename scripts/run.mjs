/**
 * `npm test` and `npm run demo`, on a machine that has Node, npm and perhaps nothing else: whatever
 * set-up is missing is done first.
 */
import { join } from "node:path";
import { ensureRedis, withRedis } from "./redis.mjs";
import { setUp } from "./setup.mjs";
import { Failure, root, runMain, say, show } from "./shell.mjs";

/** @type {Record<string, () => Promise<number>>} */
const tasks = {
  async test() {
    await setUp();
    await ensureRedis();
    say("running every test of every package");
    // One package at a time: each starts servers of its own, which must not starve one another.
    return show("turbo", ["run", "test", "--concurrency=1", "--continue"]);
  },

  async demo() {
    await setUp();
    const url = process.env["REDIS_URL"];
    if (url) {
      say("running the demo on the server of REDIS_URL");
      return demo(url);
    }
    await ensureRedis();
    say("running the demo on a redis-server of its own");
    return withRedis(demo);
  },
};

/** @param {string} url */
function demo(url) {
  const args = [join(root, "examples/dist/demo.js"), ...process.argv.slice(3)];
  return show(process.execPath, args, { env: { REDIS_URL: url } });
}

await runMain(async () => {
  const task = tasks[process.argv[2] ?? ""];
  if (!task) throw new Failure(`usage: node scripts/run.mjs ${Object.keys(tasks).join("|")}`);
  return task();
});
