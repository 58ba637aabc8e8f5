/**
 * What a lock's companions are called in Redis, as docs/protocol.md has it, found by trying: a second
 * implementation to compare with. For keys without braces.
 */
export function companion(key: string, what: "grant" | "fence" | "line" | "waiters"): string {
  const tag = tags().get(slotOf(key)) ?? "";
  return what === "fence" ? `redislock{${tag}}` : `${key}:redislock:${what}{${tag}}`;
}

const SLOTS = 16384;
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

let found: ReadonlyMap<number, string> | undefined;

/** The first three letters that lead into each slot. Found when first asked for: many files never do. */
function tags(): ReadonlyMap<number, string> {
  if (found) return found;
  const all = new Map<number, string>();
  for (const one of LETTERS) {
    const first = next(0, one.charCodeAt(0));
    for (const two of LETTERS) {
      const second = next(first, two.charCodeAt(0));
      for (const three of LETTERS) {
        const slot = next(second, three.charCodeAt(0)) % SLOTS;
        if (!all.has(slot)) all.set(slot, one + two + three);
      }
    }
  }
  return (found = all);
}

function slotOf(key: string): number {
  return Buffer.from(key).reduce(next, 0) % SLOTS;
}

/** CRC16, a bit at a time, of one byte more. */
function next(before: number, byte: number): number {
  let crc = before ^ (byte << 8);
  for (let bit = 0; bit < 8; bit++) crc = (crc << 1) ^ (crc & 0x8000 ? 0x11021 : 0);
  return crc;
}
