/** 128 random bits in 22 characters of base64url: the same form as the Go libraries' tokens. */
export function createToken(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return btoa(String.fromCharCode(...bytes)).replace(/[+/=]/g, (char) => base64url[char] ?? "");
}

const base64url: Record<string, string> = { "+": "-", "/": "_" };
