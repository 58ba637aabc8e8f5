/** That the kit finds what is wrong. */
import { afterAll, expect, test } from "@jest/globals";
import { type ChannelListener, type Script, type Subscription } from "@redislock/core";
import { type Life, ServerError } from "@redislock/core/adapter";
import { startProxiedServer } from "@redislock/test-kit";

import { conformance, type Runner } from "../../src/conformance.js";
import { failureOf } from "./collecting-runner.js";
import { over } from "./over.js";
import { SocketAdapter } from "./socket-adapter.js";

const listening: { readonly close: () => Promise<void> }[] = [];
afterAll(async () => {
  await Promise.all(listening.map((subscription) => subscription.close()));
});

/** Connects anew, with the next command, when it has lost its connection. */
class ReconnectingAdapter extends SocketAdapter {
  #next: SocketAdapter | undefined;

  get reconnected(): boolean {
    return this.#next !== undefined;
  }

  get connected(): boolean {
    return !(this.#next ? this.#next.closed : super.closed);
  }

  override get closed(): boolean {
    return false;
  }

  override async send(...command: string[]) {
    if (this.connected) return this.#next ? this.#next.send(...command) : super.send(...command);
    this.#next = new SocketAdapter(this.open, await this.open());
    listening.push(this.#next);
    return this.#next.send(...command);
  }
}

/** Nobody ends it, and nobody hears of its end. */
const FOR_EVER: Life = { end: () => undefined, ended: new Promise(() => undefined) };

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
  [
    "drops what is empty, of a script that it sends by its hash",
    "passes keys and arguments apart, whatever is in them",
    class extends SocketAdapter {
      override send(...command: string[]) {
        const [name] = command;
        return super.send(
          ...(name === "EVALSHA" ? command.filter((text) => text !== "") : command),
        );
      }
    },
  ],
  [
    "gives numbers as numbers, of a script that it sends by its hash",
    "brings every reply into one shape",
    class extends SocketAdapter {
      override async send(...command: string[]) {
        const reply = await super.send(...command);
        const isNumber = typeof reply === "string" && /^-?\d+$/.test(reply);
        return command[0] === "EVALSHA" && isNumber ? [reply] : reply;
      }
    },
  ],
  [
    "cuts characters in two where a text is long",
    "passes a long text on whole, there and back",
    class extends SocketAdapter {
      override async run(...args: Parameters<SocketAdapter["run"]>) {
        const reply = await super.run(...args);
        if (typeof reply !== "string") return reply;
        const bytes = Buffer.from(reply);
        return [bytes.subarray(0, 65_537), bytes.subarray(65_537)].map(String).join("");
      }
    },
  ],
  [
    "fails for bytes that are no text",
    "replies with a text also where the bytes are none",
    class extends SocketAdapter {
      override async run(...args: Parameters<SocketAdapter["run"]>) {
        const reply = await super.run(...args);
        if (String(reply).includes("\ufffd")) throw new TypeError("not UTF-8");
        return reply;
      }
    },
  ],
  [
    "sends the text after every error",
    "does not run a script again that has failed",
    class extends SocketAdapter {
      override async run(script: Script, keys: readonly string[], args: readonly string[]) {
        const operands = [String(keys.length), ...keys, ...args];
        return this.send("EVALSHA", script.sha1, ...operands).catch((error: unknown) => {
          if (!(error instanceof ServerError)) throw error;
          return this.send("EVAL", script.source, ...operands);
        });
      }
    },
  ],
  [
    "sends the text after NOSCRIPT in any letters",
    "does not run a script again that has failed",
    class extends SocketAdapter {
      override async run(...args: Parameters<SocketAdapter["run"]>) {
        return super.run(...args).catch((error: unknown) => {
          if (!(error instanceof ServerError && /noscript of/i.test(String(error)))) throw error;
          return super.run(...args);
        });
      }
    },
  ],
  [
    "calls a lost reply nil",
    "does not call a lost reply an answer of the server",
    class extends SocketAdapter {
      override async run(...args: Parameters<SocketAdapter["run"]>) {
        return super.run(...args).catch((error: unknown) => {
          if (error instanceof ServerError) throw error;
          return null;
        });
      }
    },
  ],
  [
    "does not say that it is closed",
    "rejects, not with a ServerError, once it was closed",
    class extends SocketAdapter {
      override get closed() {
        return false;
      }
    },
  ],
  [
    "calls a single server a cluster",
    "does not say of a single server that it is a cluster",
    class extends SocketAdapter {
      readonly cluster = true;
    },
  ],
  [
    "gives another epoch each time that it is asked",
    "says the same of a connection as long as that is ready",
    class extends SocketAdapter {
      get epoch() {
        return {};
      }
    },
  ],
  [
    "tells the state of a connection that is ready",
    "says the same of a connection as long as that is ready",
    class extends SocketAdapter {
      readonly connection = "ready";
    },
  ],
  [
    "keeps its epoch when it connects anew",
    "says so when it has connected anew",
    class extends ReconnectingAdapter {
      readonly epoch = "always the same";
    },
  ],
  [
    "tells for ever of a connection that was lost once",
    "says so when it has connected anew",
    class extends ReconnectingAdapter {
      get connection() {
        return this.reconnected ? "reconnecting" : undefined;
      }
    },
  ],
  [
    "says that it is closed while it has no connection",
    "is closed only when it is for good",
    class extends ReconnectingAdapter {
      override get closed() {
        return !this.connected;
      }
    },
  ],
  [
    "does not know that it was closed when it had no connection",
    "is closed only when it is for good",
    class extends SocketAdapter {
      #closed = false;
      override get closed() {
        return this.#closed;
      }
      override close() {
        this.#closed ||= !super.closed;
        return super.close();
      }
    },
  ],
  [
    "listens to a pattern",
    "hears no other channel, and each whatever its name",
    class extends SocketAdapter {
      override async subscribe(channel: string, listener: ChannelListener) {
        const connection = await this.open();
        connection.onPush(([kind, , , text]) => {
          if (kind === "pmessage") listener.message(String(text));
        });
        await connection.send("PSUBSCRIBE", channel);
        return { close: () => connection.close() };
      }
    },
  ],
  [
    "drops messages while it handles one",
    "hears each of many messages that come at once, also the same again",
    class extends SocketAdapter {
      override subscribe(channel: string, listener: ChannelListener) {
        let busy = false;
        const message = (text: string): void => {
          if (busy) return;
          busy = true;
          setImmediate(() => (busy = false));
          listener.message(text);
        };
        return super.subscribe(channel, { ...listener, message });
      }
    },
  ],
  [
    "takes a message that is the same again for a copy",
    "hears each of many messages that come at once, also the same again",
    class extends SocketAdapter {
      override subscribe(channel: string, listener: ChannelListener) {
        let last = "";
        const message = (text: string): void => {
          if (text !== last) listener.message(text);
          last = text;
        };
        return super.subscribe(channel, { ...listener, message });
      }
    },
  ],
  [
    "leaves a channel for all who listen to it",
    "hears on when another subscription of the same client was closed, twice",
    class extends SocketAdapter {
      readonly #open: Subscription[] = [];
      override async subscribe(channel: string, listener: ChannelListener) {
        this.#open.push(await super.subscribe(channel, listener));
        return {
          close: async () => {
            await Promise.all(this.#open.map((subscription) => subscription.close()));
          },
        };
      }
    },
  ],
  [
    "stops listening, and keeps the connection",
    "opens a connection of its own to listen on, and closes it",
    class extends SocketAdapter {
      override async subscribe(channel: string, listener: ChannelListener) {
        const connection = await this.open();
        listening.push(connection);
        await connection.subscribe(channel, (text) => listener.message(text));
        return { close: () => connection.send("UNSUBSCRIBE", channel).then(() => undefined) };
      }
    },
  ],
  [
    "listens on a connection that there is",
    "opens a connection of its own to listen on, and closes it",
    class extends SocketAdapter {
      readonly #connection = this.open();
      override async subscribe(channel: string, listener: ChannelListener) {
        const connection = await this.#connection;
        listening.push(connection);
        await connection.subscribe(channel, (text) => listener.message(text));
        return { close: () => connection.send("UNSUBSCRIBE", channel).then(() => undefined) };
      }
    },
  ],
  [
    "leaves a connection behind that may not listen",
    "rejects with a ServerError when the user may not subscribe",
    class extends SocketAdapter {
      override async subscribe(...args: Parameters<SocketAdapter["subscribe"]>) {
        try {
          return await super.subscribe(...args);
        } catch (error) {
          listening.push(await this.open());
          throw error;
        }
      }
    },
  ],
  [
    "calls each loss one that could not be mended",
    "says so when the connection was lost and is back, and hears on",
    class extends SocketAdapter {
      override subscribe(channel: string, listener: ChannelListener) {
        const resumed = (): void => {
          listener.lost?.(new Error("the connection was lost"));
          listener.resumed();
        };
        return super.subscribe(channel, { ...listener, resumed });
      }
    },
  ],
  [
    "says of an outage more than once that it is one",
    "says no more than once of an outage that the connection could not be opened again",
    class extends SocketAdapter {
      override subscribe(channel: string, listener: ChannelListener) {
        const lost = (error: unknown): void => {
          listener.lost?.(error);
          listener.lost?.(error);
        };
        return super.subscribe(channel, { ...listener, lost });
      }
    },
  ],
  [
    "says that it is back as soon as it is lost",
    "says that it is back only when the server has answered",
    class extends SocketAdapter {
      override async subscribe(channel: string, listener: ChannelListener) {
        const connection = await this.open();
        void connection.closed.then(() => listener.resumed());
        await connection.subscribe(channel, (text) => listener.message(text));
        return { close: () => connection.close() };
      }
    },
  ],
  [
    "drops what is empty beside it",
    "a connection beside it sends commands as they are, and in their order",
    class extends SocketAdapter {
      override async openSide(life: Life) {
        const side = await super.openSide(life);
        return {
          send: (command: readonly string[]) => side.send(command.filter((text) => text !== "")),
        };
      }
    },
  ],
  [
    "says that what is beside it was lost when it is not",
    "a connection beside it sends commands as they are, and in their order",
    class extends SocketAdapter {
      override async openSide(life: Life) {
        const side = await super.openSide(FOR_EVER);
        return {
          send: (command: readonly string[]) =>
            side.send(command).finally(() => {
              life.end(new Error("the connection was lost"));
            }),
        };
      }
    },
  ],
  [
    "has several connections beside it",
    "a connection beside it is one, from its first command to its last",
    class extends SocketAdapter {
      override async openSide(life: Life) {
        const sides = [await super.openSide(life), await super.openSide(life)];
        return {
          send: (command: readonly string[]) => {
            sides.reverse();
            return sides[0]?.send(command) ?? Promise.reject(new Error("no connection"));
          },
        };
      }
    },
  ],
  [
    "forgets what it opens beside it when that is not wanted any more",
    "a connection beside it that is not wanted while it is opened is closed",
    class extends SocketAdapter {
      override async openSide(life: Life) {
        let opened = false;
        const ended = new Promise<unknown>((resolve) => {
          void life.ended.then((reason) => {
            if (opened) resolve(reason);
          });
        });
        const connection = await super.openSide({ ...life, ended });
        opened = true;
        return connection;
      }
    },
  ],
  [
    "takes no more for what is beside it, and keeps it open",
    "a connection beside it that is not wanted any more is closed",
    class extends SocketAdapter {
      override async openSide(life: Life) {
        const side = await super.openSide(FOR_EVER);
        const over = life.ended.then(() => Promise.reject(new Error("not wanted any more")));
        over.catch(() => undefined);
        return {
          send: (command: readonly string[]) => Promise.race([over, side.send(command)]),
        };
      }
    },
  ],
  [
    "sends again what was not answered beside it",
    "a connection beside it sends nothing twice",
    class extends SocketAdapter {
      override async openSide(life: Life) {
        const side = await super.openSide(life);
        return {
          send: (command: readonly string[]) =>
            side.send(command).catch(async (error: unknown) => {
              if (error instanceof ServerError) throw error;
              return (await super.openSide(FOR_EVER)).send(command);
            }),
        };
      }
    },
  ],
  [
    "opens what is beside it again by itself",
    "a connection beside it that is lost ends, and what was sent rejects",
    class extends SocketAdapter {
      override async openSide(life: Life) {
        let side = await super.openSide(FOR_EVER);
        return {
          send: async (command: readonly string[]) => {
            try {
              return await side.send(command);
            } catch (error) {
              life.end(error);
              side = await super.openSide(FOR_EVER);
              throw error;
            }
          },
        };
      }
    },
  ],
  [
    "opens nothing beside it before there is something to send",
    "a connection beside it is not opened while the server cannot be reached",
    class extends SocketAdapter {
      override async openSide(life: Life) {
        let side: ReturnType<SocketAdapter["openSide"]> | undefined;
        return {
          send: async (command: readonly string[]) => {
            side ??= super.openSide(life);
            return (await side).send(command);
          },
        };
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
