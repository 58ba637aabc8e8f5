/**
 * The bytes of a well-formed text in UTF-8. Not by `TextEncoder`, which some places do not have, such as
 * jest's jsdom, and which costs more than the rest of what is done to a short name.
 */
export function utf8(text: string): number[] {
  const bytes: number[] = [];
  for (let i = 0; i < text.length; i++) {
    const code = text.codePointAt(i) ?? 0;
    if (code < 0x80) {
      bytes.push(code);
    } else if (code < 0x800) {
      bytes.push(0xc0 | (code >> 6), tail(code));
    } else if (code < 0x10000) {
      bytes.push(0xe0 | (code >> 12), tail(code >> 6), tail(code));
    } else {
      bytes.push(0xf0 | (code >> 18), tail(code >> 12), tail(code >> 6), tail(code));
      i++; // Two units of UTF-16.
    }
  }
  return bytes;
}

function tail(code: number): number {
  return 0x80 | (code & 0x3f);
}
