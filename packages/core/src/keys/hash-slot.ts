/**
 * Which of the 16384 slots of a Redis Cluster a key belongs to: CRC16 (XMODEM) of the key, or of its
 * hash tag, which is what stands between the first `{` and the next `}` if that is not empty.
 * Source: Redis cluster specification, "Hash tags".
 */

import { utf8 } from "./utf8.js";

const SLOTS = 16384;

/** What the CRC of one byte is, by which the CRC of a text is made up. */
const TABLE = new Uint16Array(256).map((_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
  return crc;
});

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

function crc16(text: string): number {
  let crc = 0;
  for (const byte of utf8(text)) crc = next(crc, byte);
  return crc;
}

function next(crc: number, byte: number): number {
  return ((crc << 8) & 0xffff) ^ (TABLE[(crc >> 8) ^ byte] ?? 0);
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const CODES = Array.from(ALPHABET, (letter) => letter.charCodeAt(0));
/** The byte that leads to a slot, by what it is combined with: the lower bits tell all of them apart. */
const BYTES = new Map(Array.from(TABLE, (crc, byte) => [crc % SLOTS, byte]));

/**
 * Three characters that bring a key into a slot when they follow `hashed`, the beginning of what is
 * hashed of it: the first in the order of base64url. There always are some. The last one follows from
 * the two before it, because a CRC is linear.
 */
export function textInto(slot: number, hashed: string): string {
  const start = crc16(hashed);
  for (const one of CODES) {
    const afterOne = next(start, one);
    for (const two of CODES) {
      const crc = next(afterOne, two);
      const combined = BYTES.get((((crc << 8) & 0xffff) ^ slot) % SLOTS);
      const three = combined === undefined ? -1 : combined ^ (crc >> 8);
      if (CODES.includes(three)) return String.fromCharCode(one, two, three);
    }
  }
  throw new Error(`no text leads into slot ${slot}`);
}
