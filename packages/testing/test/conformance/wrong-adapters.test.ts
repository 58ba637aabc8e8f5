/** That the kit finds what is wrong. */
import { afterAll, expect, test } from "@jest/globals";
import { type ChannelListener, type Script, type Subscription } from "@redislock/core";
import { type Life, ServerError } from "@redislock/core/adapter";
import { startProxiedServer } from "@redislock/test-kit";

import { conformance, type Runner } from "../../src/conformance.js";
import { failureOf } from "./collecting-runner.js";
import { over } from "./over.js";
import { SocketAdapter } from "./socket-adapter.js";

const listening: Subscription[] = [];
afterAll(async () => {
  await Promise.all(listening.map((subscription) => subscription.close()));
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
  [
    "remembers by itself what the server knows",
    "does not send the text to a server that knows the script",
    class extends SocketAdapter {
      readonly #known = new Set<string>();
      override run(script: Script, keys: readonly string[], args: readonly string[]) {
        const operands = [String(keys.length), ...keys, ...args];
        if (this.#known.has(script.sha1)) return super.run(script, keys, args);
        this.#known.add(script.sha1);
        return this.send("EVAL", script.source, ...operands);
      }
    },
  ],
  [
    "loads a script and then believes that it stays",
    "stands a SCRIPT FLUSH at any moment, with many commands under way",
    class extends SocketAdapter {
      readonly #loaded = new Map<string, Promise<unknown>>();
      override async run(script: Script, keys: readonly string[], args: readonly string[]) {
        const { sha1, source } = script;
        const loaded = this.#loaded.get(sha1) ?? this.send("SCRIPT", "LOAD", source);
        this.#loaded.set(sha1, loaded);
        await loaded;
        return this.send("EVALSHA", sha1, String(keys.length), ...keys, ...args);
      }
    },
  ],
  [
    "fails them all when one fails",
    "rejects those alone that failed, of many at once",
    class extends SocketAdapter {
      #last: Promise<unknown> = Promise.resolve();
      override async run(script: Script, keys: readonly string[], args: readonly string[]) {
        const [before, now] = [this.#last, super.run(script, keys, args)];
        this.#last = now.catch(() => Promise.reject(new ServerError("ERR the batch failed")));
        this.#last.catch(() => undefined);
        await before;
        return now;
      }
    },
  ],
  [
    "puts what it has sent into its errors",
    "tells in no ServerError what it was given to send",
    class extends SocketAdapter {
      override async run(script: Script, keys: readonly string[], args: readonly string[]) {
        return super.run(script, keys, args).catch((error: unknown) => {
          throw error instanceof Error ? Object.assign(error, { command: { args } }) : error;
        });
      }
    },
  ],
  [
    "sends again by itself, and does not tell",
    "tells by its epoch when it may have sent a command twice by itself",
    class extends SocketAdapter {
      override async run(script: Script, keys: readonly string[], args: readonly string[]) {
        try {
          return await super.run(script, keys, args);
        } catch (error) {
          if (error instanceof ServerError) throw error;
          const next = new SocketAdapter(this.open, await this.open());
          listening.push(next);
          return next.run(script, keys, args);
        }
      }
    },
  ],
  [
    "hides why it may not",
    "rejects with a ServerError when the user may not run scripts",
    class extends SocketAdapter {
      override async run(script: Script, keys: readonly string[], args: readonly string[]) {
        return super.run(script, keys, args).catch((error: unknown) => {
          const forbidden = error instanceof ServerError && error.reply === "NOPERM";
          throw forbidden ? new Error("forbidden") : error;
        });
      }
    },
  ],
  [
    "listens without a confirmation",
    "rejects with a ServerError when the user may not subscribe",
    class extends SocketAdapter {
      override async subscribe(...args: Parameters<SocketAdapter["subscribe"]>) {
        const subscription = super.subscribe(...args);
        subscription.catch(() => undefined);
        return { close: async () => (await subscription).close() };
      }
    },
  ],
  [
    "calls a login that failed a lost connection",
    "rejects with a ServerError when the user may connect no more",
    class extends SocketAdapter {
      override async subscribe(...args: Parameters<SocketAdapter["subscribe"]>) {
        return super.subscribe(...args).catch((error: unknown) => {
          throw new Error("the connection was lost", { cause: error });
        });
      }
    },
  ],
  [
    "calls a server that cannot be reached one that answers",
    "rejects, not with a ServerError, when the server cannot be reached",
    class extends SocketAdapter {
      override async subscribe(...args: Parameters<SocketAdapter["subscribe"]>) {
        return super.subscribe(...args).catch((error: unknown) => {
          throw new ServerError(`ERR ${String(error)}`);
        });
      }
    },
  ],
  [
    "says that it is back when it only tries to be",
    "comes back when the server does, and says so once",
    class extends SocketAdapter {
      override async subscribe(channel: string, listener: ChannelListener) {
        const tries = setInterval(() => listener.resumed(), 100);
        const subscription = await super.subscribe(channel, listener);
        return {
          close: () => {
            clearInterval(tries);
            return subscription.close();
          },
        };
      }
    },
  ],
  [
    "does not stop what it has begun",
    "comes back no more when it is closed meanwhile",
    class extends SocketAdapter {
      override async subscribe(channel: string, listener: ChannelListener) {
        let back = false;
        const resumed = (): void => {
          back = true;
          listener.resumed();
        };
        const subscription = await super.subscribe(channel, { ...listener, resumed });
        listening.push(subscription);
        return { close: async () => (back ? subscription.close() : undefined) };
      }
    },
  ],
  [
    "waits for replicas on the user's connection",
    "a connection beside it waits for replicas, and keeps the client waiting for none",
    class extends SocketAdapter {
      override async openSide() {
        return { send: (command: readonly string[]) => this.send(...command) };
      }
    },
  ],
  [
    "puts something before what is sent beside it",
    "a connection beside it sends commands as they are, and in their order",
    class extends SocketAdapter {
      override async openSide(life: Life) {
        const side = await super.openSide(life);
        return {
          send: ([name = "", text = "", count = "", ...rest]: readonly string[]) =>
            side.send([name, text, count, ...rest.map((key) => `app:${key}`)]),
        };
      }
    },
  ],
  [
    "sends a text where a hash was to be sent",
    "a connection beside it sends no text by itself, and rejects with a ServerError",
    class extends SocketAdapter {
      override async openSide(life: Life) {
        const side = await super.openSide(life);
        const text = ["EVAL", "return 1", "0"];
        return {
          send: (command: readonly string[]) => side.send(command).catch(() => side.send(text)),
        };
      }
    },
  ],
  [
    "does not close what is beside it",
    "a connection beside it that is not wanted any more is closed",
    class extends SocketAdapter {
      override openSide(life: Life) {
        return super.openSide({ ...life, ended: new Promise(() => undefined) });
      }
    },
  ],
  [
    "does not tell that what is beside it was lost",
    "a connection beside it that is lost ends, and what was sent rejects",
    class extends SocketAdapter {
      override openSide(life: Life) {
        return super.openSide({ ...life, end: () => undefined });
      }
    },
  ],
];

test.concurrent.each(wrong)(
  "an adapter that %s does not conform: %s",
  async (_, promise, Adapter) => {
    // Of its own, so that all of them can be tried at once: some are slow to fail.
    const home = await startProxiedServer();
    try {
      const loseNextReply = (): void => void home.proxy.dropNextReply("EVALSHA");
      const kit = (run: Runner): void =>
        conformance(run, { ...over(Adapter, home), loseNextReply });
      expect(await failureOf(promise, kit)).toBeDefined();
    } finally {
      await home.proxy.heal();
      await home.stop();
    }
  },
);
