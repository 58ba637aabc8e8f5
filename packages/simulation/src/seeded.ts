import type { Chance } from "./chance.js";

/**
 * Runs something with all of the platform's chance drawn from a seed: `Math.random`, and the bytes that
 * the library's own tokens and secrets are made of. It makes them anew in each millisecond of the wall
 * clock, so that clock goes on with each look: what was made in an earlier run is never used up in this.
 */
export async function seeded<T>(chance: Chance, run: () => Promise<T>): Promise<T> {
  const { random } = Math;
  const { now } = Date;
  Math.random = () => chance.draw("the library's own");
  Date.now = () => ++looks;
  crypto.getRandomValues = (array) => {
    fill(array, chance.draw("the library's tokens"));
    return array;
  };
  try {
    return await run();
  } finally {
    Math.random = random;
    Date.now = now;
    Reflect.deleteProperty(crypto, "getRandomValues");
  }
}

let looks = 0;

/** Mulberry32: one draw is enough for all the bytes. */
function fill(array: ArrayBufferView | null, draw: number): void {
  if (!array) return;
  let state = Math.floor(draw * 2 ** 32);
  const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  for (let i = 0; i < bytes.length; i++) {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    bytes[i] = (mixed ^ (mixed >>> 14)) >>> 24;
  }
}
