import { afterAll, expect, test } from "@jest/globals";
import { compilePackage, startProcess } from "@redislock/test-kit";

const compiled = await compilePackage(new URL("..", import.meta.url));
afterAll(compiled.remove);

test("the conformance kit runs in node's own test runner, too", async () => {
  const child = startProcess(compiled.file("node-runner"));
  const failed: string[] = [];
  for await (const line of child.lines) if (/^\s*(not ok|✖)/.test(line)) failed.push(line);
  expect(failed).toEqual([]);
  expect(await child.exited).toEqual({ code: 0, signal: null });
});
