/** Text of others on a terminal of ours. */

const secrets = new Set<string>();

/** From now on, this is in nothing that is written, whoever made the text. */
export function keepSecret(secret: string | undefined): void {
  if (secret) secrets.add(secret).add(encodeURIComponent(secret));
}

/** Takes out what must not be seen. */
export function withoutSecrets(text: string): string {
  let clean = text;
  for (const secret of secrets) clean = clean.replaceAll(secret, "***");
  return clean;
}

/** One line that moves no cursor and sets no colour: keys and metadata are whatever others wrote. */
export function plain(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\u2028\u2029]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
}

/** In characters, not in halves of them. */
export function lengthOf(text: string): number {
  return Array.from(text).length;
}

/** The text, within so many columns. */
export function cut(text: string, columns: number): string {
  const characters = Array.from(text);
  if (characters.length <= columns) return text;
  return `${characters.slice(0, Math.max(0, columns - 1)).join("")}…`;
}

/** "1 lock", "2 locks". */
export function count(number: number, what: string, many: string = `${what}s`): string {
  return `${number} ${number === 1 ? what : many}`;
}
