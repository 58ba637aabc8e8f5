/** Takes a lock away from whoever has it. */
import { once } from "node:events";
import { stdin, stdout } from "node:process";
import { createInterface } from "node:readline/promises";

import { createLocker, type Inspection } from "@redislock/ioredis";
import type { Command } from "commander";

import { ending, exitCodes } from "../exit-codes.js";
import { Failure } from "../failure.js";
import { Observer } from "../locks/observer.js";
import { CHANGED_HANDS, fenceOf, isAnother, outcome } from "../locks/taking-away.js";
import { connectBy, type ServerOptions, takesServer } from "../options.js";
import { print, printJson } from "../output/out.js";
import { explain } from "../redis/explain.js";

import { inspectionLines } from "./inspect.js";

interface ReleaseOptions extends ServerOptions {
  readonly yes?: true;
  readonly json?: true;
}

const EXAMPLES = `
The holder is not asked. It learns of it when it next renews; until then only the fencing token keeps it
out. So make sure first that it does not run any more.

Examples:
  redislock release invoice:42           shows who has it, and asks
  redislock release --yes invoice:42     for scripts`;

export function addRelease(program: Command): void {
  takesServer(
    program
      .command("release")
      .summary("take a lock away from whoever has it")
      .description("Takes a lock away from whoever has it, and gives it to the next in line.")
      .argument("<key>", "the lock")
      .option("-y, --yes", "do not ask")
      .option("--json", "what came of it, as JSON; only with --yes"),
  )
    .addHelpText("after", EXAMPLES)
    .action(ending(release));
}

async function release(key: string, options: ReleaseOptions): Promise<number> {
  const { yes, json, namespace } = options;
  if (!yes && (json || !stdin.isTTY || !stdout.isTTY)) {
    throw new Failure(
      "nobody can be asked here: add --yes to release it all the same",
      exitCodes.usage,
    );
  }
  const connection = await connectBy(options);
  const observer = new Observer(connection, namespace);
  const locker = createLocker(connection.redis, { namespace });
  try {
    const before = await observer.inspect(key);
    if (!json) {
      const now = await observer.serverNow();
      for (const line of inspectionLines(key, before, now)) print(line);
      print("");
    }
    if (!before.holder && before.waiters === 0) {
      if (json) printJson({ key, released: false, next: null });
      else print("Nobody has it: there is nothing to release.");
      return exitCodes.ok;
    }
    if (!yes) {
      if (!(await isAgreed(before))) {
        print("Nothing was done.");
        return exitCodes.no;
      }
      if (isAnother(fenceOf(before), await observer.inspect(key))) {
        print(CHANGED_HANDS);
        return exitCodes.no;
      }
    }
    const released = await locker.forceRelease(key);
    const after = await observer.inspect(key);
    if (json) printJson({ key, released, next: after.holder?.metadata ?? null });
    else print(outcome(released, after));
    return exitCodes.ok;
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure(explain([error], connection.target), exitCodes.redis);
  } finally {
    await locker.close();
    await observer.close();
  }
}

async function isAgreed({ held }: Inspection): Promise<boolean> {
  const asker = createInterface({ input: stdin, output: stdout });
  const whom = held > 1 ? `all ${held}` : "whoever has it";
  // Ctrl-C and Ctrl-D close it, and some versions of Node leave the question without an answer then.
  const closed = once(asker, "close").then(() => undefined);
  const asked = asker.question(`Take it away from ${whom}? [y/N] `).catch(() => undefined);
  const answer = await Promise.race([asked, closed]);
  asker.close();
  if (answer === undefined) print("");
  return answer !== undefined && /^y(es)?$/i.test(answer.trim());
}
