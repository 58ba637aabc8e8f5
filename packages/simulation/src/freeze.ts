/** `pnpm freeze <number>`: writes the current scripts to a file of their own, which is never written again. */
import { writeFile } from "node:fs/promises";

import { fileOf, freeze } from "./frozen.js";

const number = Number(process.argv[2]);
if (!Number.isInteger(number) || number < 1) throw new Error("which number shall the file have?");
await writeFile(fileOf(number), freeze(), { flag: "wx" });
