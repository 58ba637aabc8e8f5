/** The locks, live, in a browser. */
import type { Command } from "commander";
import { InvalidArgumentError } from "commander";

import { ending } from "../exit-codes.js";
import { takesInterval } from "../locks/follow.js";
import { MOST_SHOWN } from "../locks/listing.js";
import { parseCount, takesServer } from "../options.js";
import type { PageOptions } from "../page/serve.js";

const EXAMPLES = `
It is served to this machine alone, and answers only to who has the token, which is in the address that it
prints. To serve others, set the token yourself, in REDISLOCK_PAGE_TOKEN, and put TLS in front.
Redis is looked at while a page is open and seen, once for all of them, and by SCAN.

Examples:
  redislock page
  redislock page order: --read-only
  ssh -t -L 7420:127.0.0.1:7420 web-1 redislock page      from elsewhere, through ssh`;

export function addPage(program: Command): void {
  takesServer(
    takesInterval(
      program
        .command("page")
        .summary("serve a page that shows the locks live")
        .description("Serves a page that shows every lock that is held or waited for, live.")
        .argument("[prefix]", "what the keys begin with")
        .option("--port <n>", "where to listen, 0 for any that is free", parsePort, 7420)
        .option("--host <address>", "where to listen", "127.0.0.1")
        .option("--read-only", "show all, release nothing")
        .option("--limit <n>", "how many locks to show", parseCount, MOST_SHOWN),
    ),
  )
    .addHelpText("after", EXAMPLES)
    .action(ending(page));
}

async function page(prefix: string = "", options: PageOptions): Promise<number> {
  // What serves it is loaded by no other command.
  const { servePage } = await import("../page/serve.js");
  return servePage(prefix, options);
}

function parsePort(text: string): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || number >= 2 ** 16) {
    throw new InvalidArgumentError("It must be a port, from 0 to 65535.");
  }
  return number;
}
