import { afterAll, expect, test } from "@jest/globals";
import { compilePackage, startProcess } from "@redislock/test-kit";

import { cast, kinds } from "./clients.js";
import { startStage } from "./scenes.js";

const compiled = await compilePackage(new URL("..", import.meta.url));
afterAll(compiled.remove);
const stage = await startStage();

test.concurrent.each(cast(kinds))(
  "$name: each request is told of its own locks, and no connection or timer keeps what it had",
  async (kind) => {
    await using scene = await stage.open(kind);
    const { port } = scene.server;
    await using child = startProcess(compiled.file("request"), {
      args: [kind.name, `${port}`, scene.key],
    });
    expect(await child.exited).toEqual({ code: 0, signal: null });
    const lines: string[] = [];
    for await (const line of child.lines) lines.push(sorted(line));
    const events = "obtained,obtained,released,released,waitingForOwn";
    expect(lines).toEqual([
      `one: ${events}`,
      `two: ${events}`,
      "none: ",
      "collected while others hold locks: true",
      "collected after close: true",
    ]);
  },
  // It collects its garbage a hundred times, beside others that do so.
  240_000,
);

/**
 * The events of a request, in the order of their names: one lock may be heard to be granted before the
 * answer is there that the other was released, and how long that takes may be enough to renew it.
 */
function sorted(line: string): string {
  const [name = "", events] = line.split(": ");
  if (!events?.includes(",")) return line;
  const all = events.split(",").filter((event) => event !== "renewed");
  return `${name}: ${all.sort().join(",")}`;
}
