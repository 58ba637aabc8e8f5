import type { Claim, Leftover } from "../primitives/primitive.js";
import type { Outcome } from "../redis/command.js";
import type { Commands } from "../redis/commands.js";

/**
 * Leaves nothing of an obtain, and serves the line to its end, however many dead are in it.
 *
 * @param late - Takes the first reply if that comes after it was given up.
 */
export async function leave(
  commands: Commands,
  claim: Claim,
  id: string | undefined,
  late?: (left: Leftover | undefined) => void,
): Promise<Outcome<Leftover>> {
  const first = await commands.run(claim.leave(id), late && { late });
  for (let last = first; last.kind === "reply" && last.reply.unserved;) {
    last = await commands.run(claim.leave(id));
  }
  return first;
}
