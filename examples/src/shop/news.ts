/** What a seller tells the demo, so that it can be seen who does what. */
export type News =
  | { readonly type: "ready" }
  /** It has the next buyer's turn, and with a lock, holds it now. */
  | { readonly type: "serves"; readonly waited: number; readonly fencingToken: number }
  | { readonly type: "sold"; readonly left: number }
  /** It found that none is left. */
  | { readonly type: "soldOut" };

export function isNews(message: unknown): message is News {
  return (
    typeof message === "object" &&
    message !== null &&
    "type" in message &&
    ["ready", "serves", "sold", "soldOut"].includes(String(message.type))
  );
}

export function tell(news: News): void {
  process.send?.(news);
}
