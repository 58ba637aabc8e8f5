/** Something between clients and server that is no good at its work. */
import { waitUntil } from "@redislock/test-kit";
import { test } from "@jest/globals";
import { setTimeout as sleep } from "node:timers/promises";

import { proxied } from "./proxied.js";
import { trial } from "./trial.js";

test("a proxy that passes on no messages any more", () =>
  trial({
    // Half of it may pass, for each process in line, until a waiter that was not told asks and notices.
    ttl: 4_000,
    bound: 15_000,
    start: () =>
      proxied((proxy) => ({
        "subscriptions hear nothing": {
          run: async () => {
            proxy.deafen();
            // Everybody who listens waits again and again, and is bound to notice.
            const noticed = (): boolean => proxy.deaf === 0;
            await waitUntil(noticed, { what: "them to be replaced", timeout: 20_000 });
          },
        },
      })),
  }));

test("a proxy that delays, and closes connections one way only", () =>
  trial({
    ttl: 30_000,
    bound: 15_000,
    start: () =>
      proxied((proxy) => ({
        "replies and messages come late": {
          run: async (random) => {
            proxy.delayReplies(1 + random(300));
            await sleep(500 + random(1_500));
            proxy.delayReplies(0);
          },
        },
        "bytes come one by one": {
          run: async (random) => {
            proxy.slice(1 + random(20));
            await sleep(500 + random(1_000));
            proxy.slice(Infinity);
          },
        },
        "no more comes, in half a connection": {
          run: async () => {
            proxy.halfClose();
          },
        },
      })),
  }));
