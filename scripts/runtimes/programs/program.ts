import { awaits } from "./awaits.js";
import { userOf } from "./clients.js";
import { holds } from "./holds.js";

export async function program([
  what = "",
  kind = "",
  redis = "",
  http = "",
]: string[]): Promise<void> {
  const { client, leave } = await userOf(kind, { redis, http });
  if (what === "awaits") {
    await awaits(client, (line) => console.log(line));
    await leave();
  } else {
    await holds(client, leave);
  }
  console.log("done");
}
