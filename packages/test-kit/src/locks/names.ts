/**
 * What a lock's companions are called in Redis, as docs/protocol.md has it, found by trying: a second
 * implementation to compare with. For keys without braces.
 */
export function companion(key: string, what: "grant" | "fence" | "line" | "waiters"): string {
  const tag = tags.get(crc16(key) % SLOTS) ?? "";
  return what === "fence" ? `redislock{${tag}}` : `${key}:redislock:${what}{${tag}}`;
}

const SLOTS = 16384;
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".split("");

/** The first three letters that lead into each slot. */
const tags = new Map<number, string>();
for (const one of LETTERS) {
  for (const two of LETTERS) {
    for (const three of LETTERS) {
      const slot = crc16(one + two + three) % SLOTS;
      if (!tags.has(slot)) tags.set(slot, one + two + three);
    }
  }
}

function crc16(text: string): number {
  let crc = 0;
  for (const byte of Buffer.from(text)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = (crc << 1) ^ (crc & 0x8000 ? 0x11021 : 0);
  }
  return crc;
}
