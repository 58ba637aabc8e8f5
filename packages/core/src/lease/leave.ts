import type { Claim, Leftover } from "../primitives/primitive.js";
import type { Commands, Outcome } from "../redis/commands.js";

/** Leaves nothing of an obtain, and serves the line to its end, however many dead are in it. */
export async function leave(
  commands: Commands,
  claim: Claim,
  id: string | undefined,
): Promise<Outcome<Leftover>> {
  const first = await commands.run(claim.leave(id));
  for (let last = first; last.kind === "reply" && last.reply.unserved;) {
    last = await commands.run(claim.leave(id));
  }
  return first;
}
