/** Text of others: it is shown as it is, and turns nothing around that is not its own. */
import type { VNode } from "preact";

import { duration } from "../../output/duration.js";
import { plain } from "../../output/text.js";

export function Other({ text, none = "–" }: { text: string | null; none?: string }): VNode {
  return text ? <bdi>{plain(text)}</bdi> : <span class="none">{none}</span>;
}

/** How long ago something was, or how long until it is; in seconds, as it is drawn once in each. */
export function spanOf(from: number | null, to: number | null): string {
  if (from === null || to === null) return "–";
  const seconds = Math.floor(Math.max(0, to - from) / 1_000);
  return seconds < 60 ? `${seconds}s` : duration(seconds * 1_000);
}
