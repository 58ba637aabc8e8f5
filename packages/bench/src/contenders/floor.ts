/** The least that any hand-off can take: a PUBLISH in one process, until its message is in the other. */
import type { Held, Server, Session } from "../session.js";
import { connectIoredis, connectNodeRedis } from "./clients.js";

export async function openOverIoredis({ port, self }: Server): Promise<Session> {
  const redis = await connectIoredis(port);
  const listening = redis.duplicate();
  const messages = new Messages();
  listening.on("message", (_, text) => messages.came(text));
  await listening.subscribe(channelOf(self));
  return session(self, messages, {
    publish: (channel, text) => redis.publish(channel, text),
    close: () => [redis, listening].forEach((connection) => connection.disconnect()),
  });
}

export async function openOverNodeRedis({ port, self }: Server): Promise<Session> {
  const redis = await connectNodeRedis(port);
  const listening = redis.duplicate();
  await listening.connect();
  const messages = new Messages();
  await listening.subscribe(channelOf(self), (text) => messages.came(text));
  return session(self, messages, {
    publish: (channel, text) => redis.publish(channel, text),
    close: () => [redis, listening].forEach((connection) => connection.destroy()),
  });
}

interface Wire {
  publish(channel: string, text: string): Promise<unknown>;
  close(): void;
}

/** Takes for granted that there are two processes, 0 and 1, and that one waits while the other holds. */
function session(self: number, messages: Messages, wire: Wire): Session {
  const held = (key: string): Held => ({ release: () => wire.publish(channelOf(1 - self), key) });
  return {
    take: async (key) => held(key),
    waitFor: async (key) => {
      await messages.next(key);
      return held(key);
    },
    close: async () => wire.close(),
  };
}

class Messages {
  readonly #waiting = new Map<string, () => void>();

  next(text: string): Promise<void> {
    return new Promise((resolve) => this.#waiting.set(text, resolve));
  }

  came(text: string): void {
    this.#waiting.get(text)?.();
  }
}

function channelOf(process: number): string {
  return `bench:floor:${process}`;
}
