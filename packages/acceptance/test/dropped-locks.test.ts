import { afterAll, test } from "@jest/globals";
import { compilePackage, startProcess, waitUntil } from "@redislock/test-kit";

import { cast, kinds } from "./clients.js";
import { startStage } from "./scenes.js";

const compiled = await compilePackage(new URL("..", import.meta.url));
afterAll(compiled.remove);
const stage = await startStage();

test.concurrent.each(cast(kinds))(
  "$name: a lock that its holder dropped without a release is not renewed for ever",
  async (kind) => {
    await using scene = await stage.open(kind);
    const { key, server } = scene;
    await using child = startProcess(compiled.file("dropped"), {
      args: [kind.name, `${server.port}`, `${key} dropped`, `${key} kept`, `${key} signal`],
    });
    await child.waitForLine("held: true", { timeout: 60_000 });
    const isFree = async (name: string): Promise<boolean> =>
      (await server.command("EXISTS", name)) === 0;
    await waitUntil(() => isFree(`${key} dropped`), {
      what: "the dropped lock to be free",
      timeout: 60_000,
    });
    await child.waitForLine(`lost: ${key} dropped: dropped`, { timeout: 60_000 });
    child.send("and the others?");
    await child.waitForLine("still held: true, and not aborted: true");
    // The signal is forgotten now, too.
    await waitUntil(() => isFree(`${key} signal`), {
      what: "the lock of the signal to be free",
      timeout: 60_000,
    });
    await child.waitForLine(`lost: ${key} signal: dropped`, { timeout: 60_000 });
  },
  240_000,
);
