/** Which locks there are, by the names of what they keep beside them: see docs/protocol.md. */

/** What a lock that is held or waited for has at least one of. */
type Kind = "grant" | "holders" | "line";

export interface Companion {
  /** The lock's name in Redis, namespace included. */
  readonly name: string;
  readonly kind: Kind;
}

const FORM = /^(.*?):redislock:(grant|holders|line)(?:|\{[\w-]{3}\}|:[\w-]{3}|[\w-]{3}\})$/su;

/** Undefined for a key that is none. */
export function readCompanion(key: string): Companion | undefined {
  const [, name, kind] = FORM.exec(key) ?? [];
  if (name === undefined || (kind !== "grant" && kind !== "holders" && kind !== "line")) {
    return undefined;
  }
  return { name, kind };
}

/** For SCAN: the companions of the locks whose names begin so. */
export function companionPattern(prefix: string): string {
  return `${prefix.replace(/[*?[\]\\^]/g, "\\$&")}*:redislock:[glh]*`;
}
