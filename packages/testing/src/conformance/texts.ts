/** Texts that break what is not passed on as it is. */
export const AWKWARD: readonly string[] = [
  "",
  " ",
  "a b",
  "'quoted'",
  '"',
  "\\",
  "\r\n",
  "$5\r\nhello\r\n",
  "\0",
  "é𝕏",
  "e\u0301",
  "🔒",
  "{}",
  "%s",
  "]]",
  "'] redis.call('FLUSHALL')",
  "KEYS[1]",
  "__proto__",
  "0",
  "-1",
  // As patterns, they match others, or not themselves.
  "*",
  "a?b",
  "[ab]",
];

/** Longer than what a socket hands over at once, which may be cut in the middle of a character. */
export const LONG_TEXT: string = "é🔒".repeat(50_000);
