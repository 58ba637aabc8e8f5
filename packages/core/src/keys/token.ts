const BYTES = 16;
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** Random bytes for many tokens at once: each call for more costs as much as the rest of an obtain. */
const pool = new Uint8Array(BYTES * 256);
let used: number = pool.length;

/** 128 random bits in 22 characters of base64url: the same form as the Go libraries' tokens. */
export function createToken(): string {
  if (used === pool.length) {
    crypto.getRandomValues(pool);
    used = 0;
  }
  let token = "";
  let bits = 0;
  let count = 0;
  for (const end = used + BYTES; used < end; used++) {
    bits = (bits << 8) | (pool[used] ?? 0);
    for (count += 8; count >= 6;) {
      count -= 6;
      token += ALPHABET.charAt((bits >> count) & 63);
    }
    bits &= 63;
    pool[used] = 0; // Used bytes leave no trace.
  }
  return token + ALPHABET.charAt((bits << (6 - count)) & 63);
}
