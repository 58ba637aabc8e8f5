/** What the program can be told to do. */
import { createRequire } from "node:module";

import { Command } from "commander";

import { addCompletion } from "./commands/completion.js";
import { addDoctor } from "./commands/doctor.js";
import { addInspect } from "./commands/inspect.js";
import { addList } from "./commands/list.js";
import { addPage } from "./commands/page.js";
import { addRelease } from "./commands/release.js";
import { addRun } from "./commands/run.js";
import { addWatch } from "./commands/watch.js";

const EXAMPLES = `
Redis is named by --url or, better, by REDIS_URL: other users of this machine can see the arguments of a
program. Forms, with rediss for TLS:
  redis://[user:password@]host[:port][/db]
  redis+cluster://[user:password@]host:port,host:port
  redis+sentinel://[user:password@]host:port,host:port/master[/db]

Examples:
  redislock run backup -- pg_dump shop -f shop.sql
  redislock ls --waiting
  redislock doctor`;

export function createProgram(): Command {
  const program = new Command("redislock")
    .description("Distributed locks over Redis and Valkey, from the command line.")
    .version(version())
    .exitOverride()
    .configureOutput({
      // An error is one line, also with what may have been meant.
      outputError: (text, write) =>
        write(text.replace(/^error: /, "redislock: ").replace(/\n(?=.)/g, " ")),
    })
    .helpCommand(false)
    .addHelpText("after", EXAMPLES);
  const commands = [
    addRun,
    addList,
    addInspect,
    addWatch,
    addPage,
    addRelease,
    addDoctor,
    addCompletion,
  ];
  for (const add of commands) add(program);
  return program;
}

function version(): string {
  const manifest: unknown = createRequire(import.meta.url)("../package.json");
  const isObject = typeof manifest === "object" && manifest !== null && "version" in manifest;
  return isObject ? String(manifest.version) : "unknown";
}
