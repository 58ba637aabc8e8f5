/** A program that awaits a call lives until it is answered; one that only holds or renews may end. */
import { expect, test } from "@jest/globals";
import { startProcess } from "@redislock/test-kit";
import { join } from "node:path";

const PROGRAM = join(import.meta.dirname, "processes/awaiting.mjs");

async function linesOf(what: string): Promise<string[]> {
  const child = startProcess(PROGRAM, { args: [what] });
  expect(await child.exited).toEqual({ code: 0, signal: null });
  expect(child.stderr).toBe("");
  const lines: string[] = [];
  for await (const line of child.lines) lines.push(line);
  return lines;
}

test.each([
  ["wait", ["waited in vain: true", "done"]],
  ["untold", ["waited in vain: true", "done"]],
  ["retry", ["polled in vain: true", "done"]],
  ["using", ["not used", "done"]],
  ["silence", ["unknown", "unknown", "unknown", "done"]],
  ["lock", ["unknown", "unknown", "unknown", "done"]],
  ["holds", ["done", "ended, the lock held"]],
])("a program that awaits nothing but a lock comes to its end: %s", async (what, lines) => {
  expect(await linesOf(what)).toEqual(lines);
});
