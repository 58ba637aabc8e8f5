/** A process may be copied with its memory: by a start-up snapshot of Node, or by a platform that forks it. */
import { afterAll, expect, test } from "@jest/globals";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { coreInOneFile } from "./one-file.js";

const run = promisify(execFile);
const folder = await mkdtemp(join(tmpdir(), "redislock-snapshot-"));
afterAll(() => rm(folder, { recursive: true }));

/** Obtains at all moments at which a snapshot may be made, and then in each process that starts from it. */
const PROGRAM = `
const { Locker } = ${coreInOneFile()};
const { addSerializeCallback, setDeserializeMainFunction } =
  require("node:v8").startupSnapshot;
const told = [];
const client = {
  async run({ name }, keys, args) {
    if (!name.startsWith("obtain")) return "1";
    told.push(...args);
    return args.length > 5 ? ["0", "1", "7", "0"] : "7";
  },
  async subscribe(channel) {
    told.push(channel);
    return { close: async () => undefined };
  },
};
const locker = new Locker(client);
void locker.obtain("a", 10_000);
addSerializeCallback(() => void locker.obtain("b", 10_000));
setDeserializeMainFunction(async () => {
  told.length = 0;
  for (let i = 0; i < 40; i++) await locker.obtain("c", 10_000);
  await locker.tryObtain("d", 10_000, { wait: 10 });
  console.log(JSON.stringify(told));
});
`;

/** What looks like a token, wherever it stands. */
function tokensIn(output: string): string[] {
  return output.match(/(?<![\w-])[\w-]{22}(?![\w-])|(?<=redislock:inbox:)[\w-]{22}/g) ?? [];
}

test("two processes that start from one snapshot have no token in common", async () => {
  const [program, blob] = [join(folder, "program.cjs"), join(folder, "program.blob")];
  await writeFile(program, PROGRAM);
  const env = { ...process.env, NODE_OPTIONS: "" };
  await run(process.execPath, ["--snapshot-blob", blob, "--build-snapshot", program], { env });
  const start = async (): Promise<string[]> => {
    const { stdout } = await run(process.execPath, ["--snapshot-blob", blob, program], { env });
    return tokensIn(stdout);
  };
  const [one, two] = await Promise.all([start(), start()]);
  expect(one.length).toBeGreaterThan(40);
  expect(two.length).toBeGreaterThan(40);
  expect(one.filter((token) => two.includes(token))).toEqual([]);
}, 300_000);
