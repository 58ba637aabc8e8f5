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
/** Where the character of a code stands in the alphabet, counted from 1; 0 for others. */
const PLACES = new Uint8Array(256);
for (const [index, code] of CODES.entries()) PLACES[code] = index + 1;
/** Which entry of the table ends with a byte: no two of them end alike. */
const ENTRIES = new Uint8Array(256);
for (const [entry, crc] of TABLE.entries()) ENTRIES[crc & 0xff] = entry;

/** What the CRC was before a byte 0: the inverse of {@link next}. */
function before(crc: number): number {
  const entry = ENTRIES[crc & 0xff] ?? 0;
  return (entry << 8) | ((crc ^ (TABLE[entry] ?? 0)) >> 8);
}

/**
 * Three characters that bring a key into a slot when they follow `hashed`, the beginning of what is
 * hashed of it: the first in the order of base64url. There always are some. The last two follow from the
 * one before them, because a CRC is linear: two bytes change it as if it had been changed by them before
 * two bytes 0. A slot is its lower 14 bits, so there are four for each.
 */
export function textInto(slot: number, hashed: string): string {
  const start = crc16(hashed);
  const ends = [0, 1, 2, 3].map((upper) => before(before((upper << 14) | slot)));
  for (const one of CODES) {
    const afterOne = next(start, one);
    let found: number | undefined;
    for (const end of ends) {
      const pair = end ^ afterOne;
      if (!PLACES[pair >> 8] || !PLACES[pair & 0xff]) continue;
      if (found === undefined || placeOf(pair) < placeOf(found)) found = pair;
    }
    if (found !== undefined) return String.fromCharCode(one, found >> 8, found & 0xff);
  }
  throw new Error(`no text leads into slot ${slot}`);
}

/** The place in the alphabet of the first of two characters. */
function placeOf(pair: number): number {
  return PLACES[pair >> 8] ?? 0;
}
