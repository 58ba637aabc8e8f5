/**
 * Keeps true what docs/cli.md shows: each block that begins with `$ redislock` is run, one after the other,
 * and compared but for times and numbers. With REDISLOCK_DOCS=write, the blocks are written anew, and
 * the pictures of the page are taken; those that the docs do not show are in the folder that it tells.
 */
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { createLocker, type Locker } from "@redislock/ioredis";
import { type RedisServer, startServer, untilInLine } from "@redislock/test-kit";
import { Redis } from "ioredis";

import { cli, type Result, start } from "./cli.js";
import { takePictures } from "./pictures.js";

const page = fileURLToPath(new URL("../../../docs/cli.md", import.meta.url));
const BLOCK = /(?<=^```console\n)\$ redislock (.*)\n([^]*?)(?=^```$)/gm;

let server: RedisServer;
let redis: Redis;
let locker: Locker;
const stop = new AbortController();

beforeAll(async () => {
  server = await startServer();
  redis = new Redis(server.url);
  locker = createLocker(redis);
  await locker.obtain("cores", 60_000, { limit: 4, permits: 3, metadata: "encoder on web-2" });
  // Of those who share a lock, a list names the one whose lease ends first.
  for (const [i, metadata] of ["search on web-1", "search on web-2"].entries()) {
    await locker.obtain("prices", 60_000 + 1_000 * i, { mode: "shared", metadata });
  }
  await locker.obtain("order:42", 60_000, { metadata: "shop on web-1, pid 4711" });
  for (const [i, metadata] of ["shop on web-2, pid 812", "shop on web-3, pid 90"].entries()) {
    const { signal } = stop;
    locker.obtain("order:42", 60_000, { wait: 60_000, signal, metadata }).catch(() => {});
    await untilInLine(server, "order:42", i + 1);
  }
});

afterAll(async () => {
  stop.abort();
  await locker.close();
  redis.disconnect();
  await server.stop();
});

it("docs/cli.md shows what the commands write", async () => {
  const text = readFileSync(page, "utf8");
  let written = text;
  for (const [block, command = "", shown = ""] of text.matchAll(BLOCK)) {
    const { stdout, stderr } = await run(wordsOf(command));
    const output = `${stdout}${stderr}`
      .replaceAll(`127.0.0.1:${server.port}`, "127.0.0.1:6379")
      .replace(/:\d+\/#/, ":7420/#");
    if (process.env["REDISLOCK_DOCS"] === "write") {
      written = written.replace(block, () => `$ redislock ${command}\n${output}`);
    } else {
      expect(`${command}\n${steady(shown)}`).toBe(`${command}\n${steady(output)}`);
    }
  }
  expect([...text.matchAll(BLOCK)].length).toBeGreaterThan(4);
  if (written !== text) writeFileSync(page, written);
  if (process.env["REDISLOCK_DOCS"] === "write") {
    const folder = mkdtempSync(join(tmpdir(), "redislock-pictures-"));
    await takePictures(folder);
    console.log(folder);
  }
}, 120_000);

/** What goes on until it is told to end is told once it has said so. */
async function run(words: readonly string[]): Promise<Result> {
  if (words[0] !== "page") return cli(words, { url: server.url });
  const program = start([...words, "--port", "0"], { url: server.url });
  await program.says("Ctrl-C");
  program.signal("SIGINT");
  return program.ended;
}

/** As a shell would, for what the page needs. */
function wordsOf(command: string): string[] {
  return [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, word]) => quoted ?? word ?? "");
}

/** Without what differs from run to run: times, fencing tokens, versions, and the space around them. */
function steady(text: string): string {
  return text
    .replace(/\d+(\.\d+)?(ms|s)\b/g, "TIME")
    .replace(/("(age|remaining|waited|readAt)": )\d+/g, "$1N")
    .replace(/\b\d{16}\b/g, "FENCE")
    .replace(/#token=\S+/, "#token=TOKEN")
    .replace(/(Redis|Valkey) [\d.]+/g, "VERSION")
    .replace(/(?<=clock {2,})[^\n]+/g, "CLOCK")
    .replace(/ {2,}/g, " ");
}
