import { ProtocolError } from "./frame-splitter.js";

const CR = 13;

/**
 * What a server answers. RESP3 is read down to the shapes of RESP2: a map as a flat array, a boolean
 * as 1 or 0, a double or a big number as its text.
 *
 * A {@link RespError} stands only inside an array (the answer of EXEC).
 */
export type Reply<Text = string> = Text | number | null | RespError | Reply<Text>[];

/** An error that the server answered. */
export class RespError extends Error {
  override readonly name = "RespError";
  /** The first word, by which errors are told apart: `WRONGTYPE`, `NOSCRIPT`, `ERR`. */
  readonly code: string;

  constructor(message: string) {
    super(message);
    this.code = message.split(" ", 1)[0] ?? "";
  }
}

/** A command as the bytes to send: an array of bulk strings, text in UTF-8. */
export function encodeCommand(args: readonly (string | Buffer)[]): Buffer {
  const parts: Buffer[] = [Buffer.from(`*${args.length}\r\n`)];
  for (const arg of args) {
    const bytes = typeof arg === "string" ? Buffer.from(arg) : arg;
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from("\r\n"));
  }
  return Buffer.concat(parts);
}

/** A reply with its text read as UTF-8. Give it the bytes of one complete frame. */
export function decodeReply(frame: Buffer): Reply {
  return decode(frame, (bytes) => bytes.toString());
}

/** As {@link decodeReply}, with every text left as the bytes that came. */
export function decodeBinaryReply(frame: Buffer): Reply<Buffer> {
  return decode(frame, (bytes) => bytes);
}

function decode<Text>(frame: Buffer, toText: (bytes: Buffer) => Text): Reply<Text> {
  let position = 0;

  function take(length: number): Buffer {
    const bytes = frame.subarray(position, position + length);
    position += length + 2;
    return bytes;
  }

  function takeBlob(length: number): Buffer | null {
    return length === -1 ? null : take(length);
  }

  function takeArray(length: number): Reply<Text>[] | null {
    return length === -1 ? null : Array.from({ length }, read);
  }

  function read(): Reply<Text> {
    const line = take(frame.indexOf(CR, position) - position);
    const type = line.toString("latin1", 0, 1);
    const rest = line.subarray(1);
    switch (type) {
      case "+":
      case ",":
      case "(":
        return toText(rest);
      case "-":
        return new RespError(rest.toString());
      case ":":
        return toInteger(rest);
      case "_":
        return null;
      case "#":
        return rest.toString() === "t" ? 1 : 0;
      case "$": {
        const blob = takeBlob(toInteger(rest));
        return blob === null ? null : toText(blob);
      }
      case "!":
        return new RespError((takeBlob(toInteger(rest)) ?? "").toString());
      case "=":
        // A verbatim string begins with its format: "txt:".
        return toText(take(toInteger(rest)).subarray(4));
      case "*":
      case "~":
      case ">":
        return takeArray(toInteger(rest));
      case "%":
        return takeArray(2 * toInteger(rest));
      case "|":
        takeArray(2 * toInteger(rest));
        return read();
      default:
        throw new ProtocolError(`Not a reply: ${JSON.stringify(line.toString())}`);
    }
  }

  return read();
}

function toInteger(digits: Buffer): number {
  const value = Number(digits.toString());
  if (!Number.isSafeInteger(value)) {
    throw new ProtocolError(`Not an integer that a number holds exactly: ${digits.toString()}`);
  }
  return value;
}
