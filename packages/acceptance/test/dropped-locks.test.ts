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
    const child = startProcess(compiled.file("dropped"), {
      args: [kind.name, `${server.port}`, `${key} dropped`, `${key} kept`],
    });
    await child.waitForLine("held: true", { timeout: 20_000 });
    const isFree = async (): Promise<boolean> =>
      (await server.command("EXISTS", `${key} dropped`)) === 0;
    await waitUntil(isFree, { what: "the dropped lock to be free", timeout: 15_000 });
    child.send("and the other?");
    await child.waitForLine("still held: true");
    await child.stop();
  },
);
