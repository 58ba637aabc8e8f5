import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { startProcess } from "@redislock/test-servers";
import { rm } from "node:fs/promises";
import { join } from "node:path";

import { compile } from "./compile.js";

let compiled: string;
beforeAll(async () => {
  compiled = await compile();
});
afterAll(() => rm(compiled, { recursive: true }));

test("the conformance kit runs in node's own test runner, too", async () => {
  const child = startProcess(join(compiled, "test/processes/node-runner.js"));
  const failed: string[] = [];
  for await (const line of child.lines) if (/^\s*(not ok|✖)/.test(line)) failed.push(line);
  expect(failed).toEqual([]);
  expect(await child.exited).toEqual({ code: 0, signal: null });
});
