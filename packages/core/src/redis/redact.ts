import { ServerError } from "../errors.js";

/**
 * A copy of a client's error that is safe to hand on: clients hang the whole command, tokens included,
 * on their errors, and servers quote it in their texts.
 */
export function redacted(error: unknown, token: string): Error {
  const original = asError(error);
  const copy = new Error(hide(original.message, token));
  define(copy, "name", hide(original.name, token));
  if (original.stack !== undefined) define(copy, "stack", hide(original.stack, token));
  if (original.code !== undefined) define(copy, "code", hide(original.code, token));
  return copy;
}

/** The same for an error that the server answered with, which stays one. */
export function redactedAnswer(error: ServerError, token: string): ServerError {
  const message = hide(error.message, token);
  return message === error.message ? error : new ServerError(message);
}

interface ErrorLike {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  readonly code?: string;
}

/** Not by `instanceof`: errors come from other realms and other copies, too. */
function asError(error: unknown): ErrorLike {
  if (typeof error !== "object" || error === null) return { name: "Error", message: String(error) };
  const text = (key: string): string | undefined => {
    const value: unknown = Reflect.get(error, key);
    return typeof value === "string" ? value : undefined;
  };
  const [stack, code] = [text("stack"), text("code")];
  return {
    name: text("name") ?? "Error",
    message: text("message") ?? "",
    ...(stack !== undefined && { stack }),
    ...(code !== undefined && { code }),
  };
}

function hide(text: string, token: string): string {
  return token === "" ? text : text.replaceAll(token, "…");
}

function define(target: Error, key: string, value: string): void {
  Object.defineProperty(target, key, { value, configurable: true, writable: true });
}
