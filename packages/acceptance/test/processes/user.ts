/** The client of a process: of the kind that its first argument names, at the port of its second. */
import { kinds, type User } from "../clients.js";

const [name, port, ...others] = process.argv.slice(2);

/** What else the process was given. */
export const args: readonly string[] = others;

export async function connectUser(): Promise<User> {
  const kind = kinds.find((each) => each.name === name);
  if (!kind) throw new Error(`There is no kind ${name ?? ""}`);
  return kind.connect(Number(port), "proxied");
}
