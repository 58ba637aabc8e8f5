/**
 * The bytes of a text in UTF-8, as a `TextEncoder` makes them: half of a surrogate pair becomes U+FFFD.
 * By hand, for some realms have no encoder, such as jsdom's.
 */
export function utf8(text: string): number[] {
  const bytes: number[] = [];
  for (const character of text) {
    let code = character.codePointAt(0) ?? 0;
    if (code >= 0xd800 && code <= 0xdfff) code = 0xfffd;
    if (code < 0x80) {
      bytes.push(code);
      continue;
    }
    // The first byte says by its upper bits how many follow, each with six bits.
    const following = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    bytes.push(((0xff00 >> (following + 1)) & 0xff) | (code >> (6 * following)));
    for (let shift = 6 * (following - 1); shift >= 0; shift -= 6) {
      bytes.push(0x80 | ((code >> shift) & 0x3f));
    }
  }
  return bytes;
}
