import type { Reply } from "../redis/client.js";

/**
 * How replies are read: strictly. Whatever a script cannot give is not understood, in any place of a
 * reply, and so believed by nobody.
 */

/** A whole number from `least` on that JavaScript can hold; undefined for anything else. */
export function wholeNumber(reply: Reply | undefined, least: number = 0): number | undefined {
  if (typeof reply !== "string" || !/^(0|-?[1-9]\d{0,15})$/.test(reply)) return undefined;
  const number = Number(reply);
  return Number.isSafeInteger(number) && number >= least ? number : undefined;
}

/** Text or nothing, told apart from anything else, which is undefined. */
export function textOrNull(reply: Reply | undefined): string | null | undefined {
  return typeof reply === "string" || reply === null ? reply : undefined;
}
