/** What a check of the doctor says. */

/** `unknown`: the user may not see it. */
export type Mark = "ok" | "warn" | "fail" | "unknown";

export interface Finding {
  readonly check: string;
  readonly mark: Mark;
  /** What is. */
  readonly found: string;
  /** What that means for locks, and what to do. */
  readonly meaning: string;
  /** What to grant, as a line of ACL SETUSER. */
  readonly acl?: string;
}

export function finding(check: string, mark: Mark, found: string, meaning: string): Finding {
  return { check, mark, found, meaning };
}
