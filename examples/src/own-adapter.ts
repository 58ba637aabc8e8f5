/** Locks through a Redis client that no adapter is for: here a bare socket. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { Locker, type RedisClient, type Reply } from "@redislock/core";
import { ServerError } from "@redislock/core/adapter";

// #region adapter
/** All that a lock must have of Redis. Without `subscribe`, waiters ask instead of being told. */
function socketClient(socket: Socket): RedisClient {
  const send = commandSender(socket);
  return {
    async run(script, keys, args) {
      const operands = [String(keys.length), ...keys, ...args];
      try {
        return await send(["EVALSHA", script.sha1, ...operands]);
      } catch (error) {
        if (!(error instanceof ServerError && error.reply === "NOSCRIPT")) throw error;
        return send(["EVAL", script.source, ...operands]);
      }
    },
    get closed() {
      return socket.destroyed;
    },
  };
}
// #endregion

// #region locker
const socket = connect(6379, "localhost");
await once(socket, "connect");
const locker = new Locker(socketClient(socket));
// #endregion

const order: string[] = [];
await Promise.all(
  ["first", "second", "third"].map((name) =>
    locker.using("own-adapter", 10_000, { wait: 5_000, metadata: `${name} ✓` }, async () => {
      order.push(name);
    }),
  ),
);
console.log(order.join(", "));
socket.end();

/** Sends commands, and hands each reply to whoever sent the command: servers answer in order. */
function commandSender(socket: Socket): (words: readonly string[]) => Promise<Reply> {
  const waiting: { resolve: (reply: Reply) => void; reject: (error: Error) => void }[] = [];
  let bytes = Buffer.alloc(0);
  socket.on("data", (more) => {
    bytes = Buffer.concat([bytes, more]);
    for (let read = readReply(bytes); read; read = readReply(bytes)) {
      bytes = bytes.subarray(read.length);
      if (read.value instanceof ServerError) waiting.shift()?.reject(read.value);
      else waiting.shift()?.resolve(read.value);
    }
  });
  // What is under way then, may or may not have been done: no ServerError.
  socket.on("close", () => waiting.splice(0).forEach(({ reject }) => reject(new Error("closed"))));
  return (words) => {
    const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
    socket.write(`*${words.length}\r\n${parts.join("")}`);
    return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
  };
}

/** The first reply in `bytes` and its length in bytes; undefined if it is not complete yet. */
function readReply(bytes: Buffer): { value: Reply | ServerError; length: number } | undefined {
  const end = bytes.indexOf("\r\n");
  if (end === -1) return undefined;
  const text = bytes.toString("utf8", 1, end);
  let length = end + 2;
  switch (String.fromCharCode(bytes[0] ?? 0)) {
    case "-":
      return { value: new ServerError(text), length };
    case "$": {
      if (text === "-1") return { value: null, length };
      const value = bytes.toString("utf8", length, length + Number(text));
      length += Number(text) + 2;
      return bytes.length < length ? undefined : { value, length };
    }
    case "*": {
      const value: Reply[] = [];
      while (value.length < Number(text)) {
        const item = readReply(bytes.subarray(length));
        if (!item) return undefined;
        value.push(item.value instanceof ServerError ? item.value.message : item.value);
        length += item.length;
      }
      return { value: text === "-1" ? null : value, length };
    }
    default: // ":1" and "+OK"
      return { value: text, length };
  }
}
