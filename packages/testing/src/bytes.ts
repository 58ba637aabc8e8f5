/**
 * Redis and Lua count bytes and compare bytes. So the in-memory server keeps every text as one
 * character a byte.
 */

const ASCII = /^[\0-\x7f]*$/;

export function encoded(text: string): string {
  if (ASCII.test(text)) return text;
  return Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join("");
}

export function decoded(bytes: string): string {
  if (ASCII.test(bytes)) return bytes;
  return new TextDecoder().decode(Uint8Array.from(bytes, (char) => char.charCodeAt(0)));
}
