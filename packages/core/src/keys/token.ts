const BYTES = 16;
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/**
 * Random bytes for several tokens: to ask for them takes as long for sixteen as for one. What is left when
 * the code that runs has come to its end is thrown away: a process may be copied with its memory, as by a
 * start-up snapshot of Node, and no two copies may hand out the same.
 */
const pool = new Uint8Array(BYTES * 16);
let used: number = pool.length;

/** 128 random bits in 22 characters of base64url: the same form as the Go libraries' tokens. */
export function createToken(): string {
  if (used === pool.length) {
    crypto.getRandomValues(pool);
    used = 0;
    void Promise.resolve().then(discard);
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

function discard(): void {
  pool.fill(0);
  used = pool.length;
}
