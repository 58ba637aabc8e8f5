import { expect, test } from "@jest/globals";
import { startProcess } from "@redislock/test-kit";
import { join } from "node:path";

test("any number may listen to a lock's signal without a warning", async () => {
  const child = startProcess(join(import.meta.dirname, "processes/signal-listeners.mjs"));
  expect(await child.exited).toEqual({ code: 0, signal: null });
  expect(child.stderr).toBe("");
  for await (const line of child.lines) expect(line).toBe("heard: 0");
});
