/** The token lets us in. It comes behind # in the address, and stays in no address and no history. */
const NAME = "redislock-token";

export function takeToken(): string | null {
  const given = /^#token=([\w.~-]+)$/.exec(location.hash)?.[1];
  if (given !== undefined) keepToken(given);
  if (location.hash !== "") history.replaceState(null, "", location.pathname);
  return sessionStorage.getItem(NAME);
}

export function keepToken(token: string): void {
  sessionStorage.setItem(NAME, token);
}

export function forgetToken(): void {
  sessionStorage.removeItem(NAME);
}
