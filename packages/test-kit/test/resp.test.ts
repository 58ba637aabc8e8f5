import { describe, expect, it } from "@jest/globals";

import { FrameSplitter, ProtocolError } from "../src/protocol/frame-splitter.js";
import { decodeBinaryReply, decodeReply, encodeCommand, RespError } from "../src/protocol/resp.js";

/** Everything a server may say, with the type and the value it should be read as. */
const REPLIES: [name: string, bytes: string, type: string, value: unknown][] = [
  ["simple string", "+OK\r\n", "+", "OK"],
  ["error", "-WRONGTYPE no\r\n", "-", new RespError("WRONGTYPE no")],
  ["integer", ":-12\r\n", ":", -12],
  ["bulk string", "$5\r\na\r\nbc\r\n", "$", "a\r\nbc"],
  ["empty bulk string", "$0\r\n\r\n", "$", ""],
  ["null of RESP2", "$-1\r\n", "$", null],
  ["null array of RESP2", "*-1\r\n", "*", null],
  ["empty array", "*0\r\n", "*", []],
  ["nested array", "*3\r\n:1\r\n*2\r\n$1\r\na\r\n*0\r\n$-1\r\n", "*", [1, ["a", []], null]],
  ["null", "_\r\n", "_", null],
  ["true", "#t\r\n", "#", 1],
  ["false", "#f\r\n", "#", 0],
  ["double", ",1.5e3\r\n", ",", "1.5e3"],
  ["infinity", ",-inf\r\n", ",", "-inf"],
  ["big number", "(3492890328409238509324850943850943825024385\r\n", "(", expect.any(String)],
  ["bulk error", "!7\r\nERR a b\r\n", "!", new RespError("ERR a b")],
  ["verbatim string", "=8\r\ntxt:so\r\n\r\n", "=", "so\r\n"],
  ["map", "%2\r\n+a\r\n:1\r\n+b\r\n*1\r\n_\r\n", "%", ["a", 1, "b", [null]]],
  ["set", "~2\r\n:1\r\n:2\r\n", "~", [1, 2]],
  ["push", ">2\r\n+message\r\n$2\r\nhi\r\n", ">", ["message", "hi"]],
  ["attribute", "|1\r\n+ttl\r\n%1\r\n+a\r\n:1\r\n:7\r\n", ":", 7],
  ["attribute within", "*2\r\n:1\r\n|1\r\n+a\r\n+b\r\n:2\r\n", "*", [1, 2]],
  ["attribute before a push", "|1\r\n+a\r\n+b\r\n>1\r\n+x\r\n", ">", ["x"]],
];

describe("FrameSplitter", () => {
  const stream = Buffer.from(REPLIES.map(([, bytes]) => bytes).join(""));

  it.each([1, 2, 7, stream.length])("finds every reply in pieces of %d bytes", (size) => {
    const splitter = new FrameSplitter();
    const frames = [];
    for (let start = 0; start < stream.length; start += size) {
      frames.push(...splitter.push(stream.subarray(start, start + size)));
    }
    expect(frames.map(({ type, bytes }) => [bytes.toString(), type])).toEqual(
      REPLIES.map(([, bytes, type]) => [bytes, type]),
    );
  });

  it.each(["GET key\r\n", "$?\r\n", "*x\r\n", "$-2\r\n"])("refuses %j", (bytes) => {
    expect(() => new FrameSplitter().push(Buffer.from(bytes))).toThrow(ProtocolError);
  });
});

describe("decodeReply", () => {
  it.each(REPLIES)("reads %s", (_, bytes, __, value) => {
    expect(decodeReply(Buffer.from(bytes))).toEqual(value);
  });

  it("gives an error's code", () => {
    expect(decodeReply(Buffer.from("-NOSCRIPT No matching script\r\n"))).toMatchObject({
      code: "NOSCRIPT",
    });
  });

  it("refuses an integer that a number cannot hold", () => {
    expect(() => decodeReply(Buffer.from(":9007199254740993\r\n"))).toThrow("exactly");
  });
});

it("a command keeps every byte", () => {
  const bytes = Buffer.from([0, 13, 10, 255, 128]);
  const frames = new FrameSplitter().push(encodeCommand(["SET", "schlüssel", bytes]));
  expect(frames.map((frame) => decodeBinaryReply(frame.bytes))).toEqual([
    [Buffer.from("SET"), Buffer.from("schlüssel"), bytes],
  ]);
});
