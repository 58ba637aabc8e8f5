/**
 * Which of the 16384 slots of a Redis Cluster a key belongs to: CRC16 (XMODEM) of the key, or of its
 * hash tag, which is what stands between the first `{` and the next `}` if that is not empty.
 * Source: Redis cluster specification, "Hash tags".
 */

export const SLOTS = 16384;

export function hashSlot(key: string): number {
  return crc16(hashTag(key) ?? key) % SLOTS;
}

/** The hash tag of a key, or undefined if the whole key is hashed. */
export function hashTag(key: string): string | undefined {
  const open = key.indexOf("{");
  if (open < 0) return undefined;
  const close = key.indexOf("}", open + 1);
  return close > open + 1 ? key.slice(open + 1, close) : undefined;
}

/** The CRC of a text, or of all that `crc` is the CRC of, and the text behind it. */
export function crc16(text: string, crc: number = 0): number {
  for (const byte of (utf8 ??= new TextEncoder()).encode(text)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) {
      crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : (crc << 1) & 0xffff;
    }
  }
  return crc;
}

/** Made when first needed: some runtimes have none while a module is loaded. */
let utf8: TextEncoder | undefined;
