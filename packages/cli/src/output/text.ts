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

/** What terminals draw two columns wide: East Asian scripts with their signs, and emoji. */
const WIDE =
  /[\p{scx=Han}\p{scx=Hangul}\p{scx=Hira}\p{scx=Kana}\uff01-\uff60\uffe0-\uffe6\p{Emoji_Presentation}]/u;
/** What they draw upon the character before it. */
const UPON = /[\p{Mn}\p{Me}]/u;

/** How many columns of a terminal it takes. */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const character of text) columns += widthOf(character);
  return columns;
}

/** The text, within so many columns. */
export function cut(text: string, columns: number): string {
  if (columnsOf(text) <= columns) return text;
  let [shown, left] = ["", columns - 1];
  for (const character of text) {
    left -= widthOf(character);
    if (left < 0) break;
    shown += character;
  }
  return `${shown}…`;
}

function widthOf(character: string): number {
  if (UPON.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}

/** "1 lock", "2 locks". */
export function count(number: number, what: string, many: string = `${what}s`): string {
  return `${number} ${number === 1 ? what : many}`;
}
