/** What a network does to everybody, and is over soon. */
import type { AimedFault, CommandMatch, FaultProxy } from "@redislock/test-kit";
import { setTimeout as sleep } from "node:timers/promises";

import type { Fault } from "./deployment.js";

const SCRIPTS: CommandMatch = ["EVALSHA", "EVAL"];

export function network(proxy: FaultProxy): Record<string, Fault> {
  return {
    "all connections break": { run: () => proxy.cutAll() },
    "a reply is lost": {
      run: () => befalls(proxy.dropNextReply(SCRIPTS)),
    },
    "a command is lost": {
      run: () => befalls(proxy.swallowNextRequest(SCRIPTS)),
    },
    "a command comes twice": {
      run: () => befalls(proxy.duplicateNext(SCRIPTS)),
    },
    "nothing passes": {
      run: async (random) => {
        proxy.silence();
        await sleep(100 + random(900));
        proxy.speak({ deliver: random(2) === 0 });
      },
    },
  };
}

async function befalls({ happened }: AimedFault): Promise<void> {
  await happened;
}
