/** What a check of the doctor says. */
import { shortened } from "../redis/explain.js";

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

/** What a server that refused a command said. @throws whatever else went wrong, which says nothing of it */
export function refusal(error: unknown): string {
  if (error instanceof Error && error.name === "ReplyError") return error.message;
  throw error;
}

/** What a command that was refused would have told. */
export function unseen(check: string, command: string, error: unknown): Finding {
  const text = refusal(error);
  if (text.startsWith("NOPERM")) {
    const acl = `ask as a user with +${command.toLowerCase()}`;
    return finding(check, "unknown", `${command} is not permitted to this user`, acl);
  }
  return finding(check, "unknown", `${command} did not tell`, shortened(text));
}
