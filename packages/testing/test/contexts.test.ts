import { expect, test } from "@jest/globals";
import { startProcess } from "@redislock/test-kit";
import { join } from "node:path";

test("nothing of a locker keeps what a request had in an AsyncLocalStorage", async () => {
  const child = startProcess(join(import.meta.dirname, "processes/contexts.mjs"));
  expect(await child.exited).toEqual({ code: 0, signal: null });
  const lines: string[] = [];
  for await (const line of child.lines) lines.push(line);
  const freed = ["collected while others hold locks: true", "collected after close: true"];
  expect(lines).toEqual([...freed, ...freed]);
});
