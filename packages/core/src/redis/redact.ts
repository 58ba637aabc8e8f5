import { ServerError } from "../errors.js";

/** What has as many characters as the shortest token may be one, or hold one. */
const SECRET = 16;
/** Texts may be cut off. So many characters of a secret tell that it is one, and less than this is no use. */
const CUT = 8;

/**
 * A copy of an error that is safe to hand on: clients hang the whole command on their errors, tokens and
 * all, and servers quote it in their texts. And a command may be of many locks, which are nobody's
 * business but their own holders'. An answer of the server stays one.
 *
 * @param args - Those of the command that failed.
 */
export function redacted(error: unknown, args: readonly string[]): Error {
  const secrets = args.filter((arg) => arg.length >= SECRET).flatMap(spellings);
  const hide = (text: string): string => without(text, secrets);
  if (error instanceof ServerError) return new ServerError(hide(error.message));
  const copy = new Error(hide(messageOf(error)));
  for (const key of ["name", "stack", "code"]) {
    const text = textOf(error, key);
    if (text === undefined) continue;
    Object.defineProperty(copy, key, { value: hide(text), configurable: true, writable: true });
  }
  return copy;
}

/** A secret as it stands in texts, in JSON and in addresses. */
function spellings(secret: string): string[] {
  return [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)];
}

/** A text without the secrets, or as much of them as there is from their beginning on. */
function without(text: string, secrets: readonly string[]): string {
  const byBeginning = new Map<string, string[]>();
  for (const secret of secrets) {
    const beginning = secret.slice(0, CUT);
    byBeginning.set(beginning, [...(byBeginning.get(beginning) ?? []), secret]);
  }
  let shown = "";
  for (let at = 0; at < text.length;) {
    const possible = byBeginning.get(text.slice(at, at + CUT));
    shown += possible ? "…" : text.charAt(at);
    at += possible ? Math.max(...possible.map((secret) => common(text, at, secret))) : 1;
  }
  return shown;
}

/** How many characters of the secret stand at this place of the text. */
function common(text: string, at: number, secret: string): number {
  let length = 0;
  while (length < secret.length && text[at + length] === secret[length]) length++;
  return length;
}

function messageOf(error: unknown): string {
  if (typeof error !== "object" || error === null) return String(error);
  return textOf(error, "message") ?? "";
}

/** Not by `instanceof`: errors come from other realms and other copies, too. */
function textOf(error: unknown, key: string): string | undefined {
  if (typeof error !== "object" || error === null) return undefined;
  const value: unknown = Reflect.get(error, key);
  return typeof value === "string" ? value : undefined;
}
