import { expect, test } from "@jest/globals";

import { utf8 } from "../src/keys/utf8.js";

test("the bytes of each character, and of each half of a pair, are those of a TextEncoder", () => {
  const encoder = new TextEncoder();
  const wrong: number[] = [];
  for (let code = 0; code <= 0x10ffff; code += code < 0x11000 ? 1 : 97) {
    const text = `a${String.fromCodePoint(code)}b`;
    if (utf8(text).join() !== encoder.encode(text).join()) wrong.push(code);
  }
  expect(wrong).toEqual([]);
});
