import { afterAll, describe, expect, it, test } from "@jest/globals";
import { type Script, ServerError, type Subscription } from "@redislock/core";
import { startServer } from "@redislock/test-kit";

import { conformance, type ConformanceOptions } from "../../src/conformance.js";
import { memoryClient, type MemoryClient, MemoryServer } from "../../src/index.js";
import { failures, only } from "./collecting-runner.js";
import { SocketAdapter } from "./socket-adapter.js";

const redis = await startServer();
const listening: Subscription[] = [];
afterAll(async () => {
  for (const subscription of listening) await subscription.close();
  await redis.stop();
});

function over(Adapter: typeof SocketAdapter): ConformanceOptions {
  return {
    async connect() {
      const client = await Adapter.connect(redis.port);
      return { client, close: () => client.close() };
    },
    command: (...command) => redis.command(...command),
  };
}

describe("an adapter over a bare connection", () => {
  conformance({ describe, it }, over(SocketAdapter));
});

describe("the client in memory", () => {
  const server = new MemoryServer();
  const clients = new Set<MemoryClient>();
  conformance(
    { describe, it },
    {
      connect() {
        const client = memoryClient(server);
        clients.add(client);
        return { client, close: () => client.close() };
      },
      async command(name, ...args) {
        if (name !== "CLIENT") return server.command(name, ...args);
        for (const client of clients) client.speak({ lose: true });
        return "OK";
      },
      loseNextReply() {
        for (const client of clients) client.loseNextReply();
      },
    },
  );
});

/** Adapters with a mistake each, and the promises that they break. */
const wrong: readonly [string, string, typeof SocketAdapter][] = [
  [
    "passes arguments as keys",
    "passes keys and arguments apart, whatever is in them",
    class extends SocketAdapter {
      override run(script: Script, keys: readonly string[], args: readonly string[]) {
        return super.run(script, [...keys, ...args], []);
      }
    },
  ],
  [
    "gives an empty list for nil",
    "brings every reply into one shape",
    class extends SocketAdapter {
      override async run(script: Script, keys: readonly string[], args: readonly string[]) {
        return (await super.run(script, keys, args)) ?? [];
      }
    },
  ],
  [
    "calls a server's error anything",
    "rejects with a ServerError when the server answers with an error",
    class extends SocketAdapter {
      override async run(script: Script, keys: readonly string[], args: readonly string[]) {
        return super.run(script, keys, args).catch((error: unknown) => {
          throw new Error(String(error));
        });
      }
    },
  ],
  [
    "tries again after every error",
    "does not run a script again that has failed",
    class extends SocketAdapter {
      override async run(script: Script, keys: readonly string[], args: readonly string[]) {
        return super.run(script, keys, args).catch(() => super.run(script, keys, args));
      }
    },
  ],
  [
    "sends the name alone",
    "sends the text to a server that does not know the script, and runs it once",
    class extends SocketAdapter {
      override run(script: Script, keys: readonly string[], args: readonly string[]) {
        return this.send("EVALSHA", script.sha1, String(keys.length), ...keys, ...args);
      }
    },
  ],
  [
    "always sends the text",
    "does not send the text to a server that knows the script",
    class extends SocketAdapter {
      override run(script: Script, keys: readonly string[], args: readonly string[]) {
        return this.send("EVAL", script.source, String(keys.length), ...keys, ...args);
      }
    },
  ],
  [
    "calls a closed connection a server's error",
    "rejects, not with a ServerError, once it was closed",
    class extends SocketAdapter {
      override async run(script: Script, keys: readonly string[], args: readonly string[]) {
        if (this.closed) throw new ServerError("ERR closed");
        return super.run(script, keys, args);
      }
    },
  ],
  [
    "subscribes when it gets round to it",
    "hears what is published from the moment on in which it has subscribed",
    class extends SocketAdapter {
      override async subscribe(...args: Parameters<SocketAdapter["subscribe"]>) {
        const later = new Promise((resolve) => setTimeout(resolve, 50));
        const subscription = later.then(() => super.subscribe(...args));
        return { close: async () => (await subscription).close() };
      }
    },
  ],
  [
    "does not say that messages were missed",
    "says so when the connection was lost and is back, and hears on",
    class extends SocketAdapter {
      override subscribe(channel: string, listener: { message: (text: string) => void }) {
        return super.subscribe(channel, { ...listener, resumed: () => undefined });
      }
    },
  ],
  [
    "never stops listening",
    "hears nothing more once the subscription was closed, and closes twice",
    class extends SocketAdapter {
      override async subscribe(...args: Parameters<SocketAdapter["subscribe"]>) {
        listening.push(await super.subscribe(...args));
        return { close: () => Promise.resolve() };
      }
    },
  ],
];

test.each(wrong)("an adapter that %s does not conform: %s", async (_, promise, Adapter) => {
  const options = over(Adapter);
  const failed = await failures((run) => conformance(only(run, promise), options));
  expect(failed).toEqual([promise]);
});
