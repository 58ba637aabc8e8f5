import { afterEach, expect, jest, test } from "@jest/globals";

import { createToken } from "../src/keys/token.js";

afterEach(() => {
  jest.restoreAllMocks();
});

test("no two of many tokens are the same, and each is 22 characters of base64url", () => {
  const tokens = Array.from({ length: 100_000 }, createToken);
  expect(new Set(tokens).size).toBe(tokens.length);
  expect(tokens.every((token) => /^[\w-]{22}$/.test(token))).toBe(true);
});

test("they owe nothing to Math.random", () => {
  const random = jest.spyOn(Math, "random").mockReturnValue(0);
  const tokens = Array.from({ length: 1_000 }, createToken);
  expect(new Set(tokens).size).toBe(tokens.length);
  expect(random).not.toHaveBeenCalled();
});

test("every character is as likely as any other", () => {
  const counts = new Map<string, number>();
  // The last of the 22 has only two random bits.
  const letters = Array.from({ length: 20_000 }, () => createToken().slice(0, 21)).join("");
  for (const letter of letters) counts.set(letter, (counts.get(letter) ?? 0) + 1);
  expect(counts.size).toBe(64);
  // Six standard deviations: by chance alone, less than one run in a million strays so far.
  const mean = letters.length / 64;
  for (const count of counts.values()) expect(Math.abs(count - mean)).toBeLessThan(6 * 81);
});

test("what was drawn in one millisecond is not handed out in the next, nor kept where it was", () => {
  const drawn: Uint8Array[] = [];
  const draw = crypto.getRandomValues.bind(crypto);
  jest.spyOn(crypto, "getRandomValues").mockImplementation((into) => {
    if (into instanceof Uint8Array) drawn.push(into);
    return draw(into);
  });
  const now = jest.spyOn(Date, "now").mockReturnValue(1_000);
  for (let tokens = 0; tokens < 16; tokens++) createToken();
  expect(drawn).toHaveLength(1);
  expect(drawn[0]?.every((byte) => byte === 0)).toBe(true);
  createToken();
  expect(drawn).toHaveLength(2);
  now.mockReturnValue(1_001);
  createToken();
  expect(drawn).toHaveLength(3);
});

test("each is all of its random bits, as base64url", () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, n) => (n * 151 + 6) % 256);
  jest.spyOn(crypto, "getRandomValues").mockImplementation((into) => {
    if (into instanceof Uint8Array) into.set(bytes);
    return into;
  });
  jest.spyOn(Date, "now").mockReturnValue(1_000);
  for (let from = 0; from < 256; from += 16) {
    const expected = Buffer.from(bytes.slice(from, from + 16)).toString("base64url");
    expect(createToken()).toBe(expected);
  }
});
