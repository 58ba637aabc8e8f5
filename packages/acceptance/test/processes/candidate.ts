/** Stands for election, term after term, and follows it; tells each change by a line. */
import { createInterface } from "node:readline";

import { args, connectUser } from "./user.js";

const [key = "", name = "", ttl = ""] = args;
const user = await connectUser();
const locker = user.locker();
const input = createInterface(process.stdin);

async function follow(): Promise<void> {
  for await (const leader of locker.leader(key)) {
    console.log(leader ? `sees ${leader.name} ${leader.fencingToken}` : "sees nobody");
  }
}

async function stand(): Promise<void> {
  const led = await locker.lead(key, Number(ttl), { name }, async (term) => {
    console.log(`leads ${term.fencingToken}`);
    const end = await new Promise<string>((resolve) => {
      input.once("line", resolve);
      term.signal.addEventListener("abort", () => {
        console.log(`lost ${term.fencingToken} ${term.held}`);
        resolve("lost");
      });
    });
    return end;
  });
  console.log(`ended ${led}`);
}

await Promise.all([follow(), stand()]);
