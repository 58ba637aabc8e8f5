import { expect, test } from "@jest/globals";

import { hashSlot, textInto } from "../src/keys/hash-slot.js";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

test("the text that leads into a slot is the first of all that do, as every version must have it", () => {
  const beginning = "app:redislock";
  const first = new Map<number, string>();
  for (const one of ALPHABET) {
    for (const two of ALPHABET) {
      for (const three of ALPHABET) {
        const text = one + two + three;
        const slot = hashSlot(beginning + text);
        if (!first.has(slot)) first.set(slot, text);
      }
    }
  }
  const wrong = [...first].filter(([slot, text]) => textInto(slot, beginning) !== text);
  expect([first.size, wrong]).toEqual([16_384, []]);
});
