// Says hello, then every line that it hears in capitals, and does as it is told.
import { createInterface } from "node:readline";

console.log(`${process.env["GREETING"] ?? "hello"} ${process.argv.slice(2).join(" ")}`);

for await (const line of createInterface({ input: process.stdin })) {
  console.log(line.toUpperCase());
  if (line === "throw") throw new Error("I was told to");
  if (line.startsWith("exit ")) process.exit(Number(line.slice("exit ".length)));
}
