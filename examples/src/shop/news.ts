import type { Prices } from "./prices.js";

/** What a process of the shop tells the demo, so that it can be seen who does what. */
export type News =
  | { readonly type: "ready" }
  | Read
  | Changed
  /** It has the next buyer's turn, and with a lock, holds it now. */
  | { readonly type: "serves"; readonly waited: number; readonly fencingToken: number }
  | { readonly type: "sold"; readonly left: number }
  /** It found that none is left. */
  | { readonly type: "soldOut" };

/** Somebody has read both prices; with whom it had the lock together. */
export type Read = { readonly type: "read"; readonly beside: readonly string[] } & Look;

/** Somebody has changed both prices. */
export type Changed = { readonly type: "changed" } & Look;

interface Look extends Prices {
  readonly waited: number;
}

export function isNews(message: unknown): message is News {
  return (
    typeof message === "object" &&
    message !== null &&
    "type" in message &&
    ["ready", "serves", "sold", "soldOut", "read", "changed"].includes(String(message.type))
  );
}

export function tell(news: News): void {
  process.send?.(news);
}
