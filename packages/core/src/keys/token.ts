const BYTES = 16;
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const CODES = Array.from(ALPHABET, (letter) => letter.charCodeAt(0));
/** The token that is made: to put one letter behind the other takes as many texts. */
const letters: number[] = Array.from({ length: 22 }, () => 0);

/**
 * Random bytes for several tokens: to ask for them takes as long for sixteen as for one, up to 10 µs where
 * the code for that is cold. They are for the millisecond of the wall clock in which they were made: a
 * process may be copied with its memory, as by a start-up snapshot of Node, and no two copies may hand out
 * the same. Whoever copies it in the middle of that millisecond copies the obtain that they were made for.
 */
const pool = new Uint8Array(BYTES * 16);
let used: number = pool.length;
let madeAt = NaN;

/** 128 random bits in 22 characters of base64url: the same form as the Go libraries' tokens. */
export function createToken(): string {
  const now = Date.now();
  if (used === pool.length || now !== madeAt) {
    crypto.getRandomValues(pool);
    used = 0;
    madeAt = now;
  }
  let at = 0;
  let bits = 0;
  let count = 0;
  for (const end = used + BYTES; used < end; used++) {
    bits = (bits << 8) | (pool[used] ?? 0);
    for (count += 8; count >= 6;) {
      count -= 6;
      letters[at++] = CODES[(bits >> count) & 63] ?? 0;
    }
    bits &= 63;
    pool[used] = 0; // Used bytes leave no trace.
  }
  letters[at] = CODES[(bits << (6 - count)) & 63] ?? 0;
  const token = String.fromCharCode(...letters);
  letters.fill(0);
  return token;
}
