import { afterAll, afterEach, beforeAll, expect, it } from "@jest/globals";
import { setTimeout as sleep } from "node:timers/promises";

import {
  type Compiled,
  compilePackage,
  startProcess,
  type NodeProcess,
  type ProcessOptions,
} from "../src/index.js";

let compiled: Compiled;
let processes: NodeProcess[] = [];

beforeAll(async () => {
  compiled = await compilePackage(new URL("..", import.meta.url));
});

afterAll(async () => {
  await compiled.remove();
});

afterEach(async () => {
  await Promise.all(processes.map((child) => child.stop()));
  processes = [];
});

/** A process that says hello to its arguments, then says again what it hears. */
function echo(options?: ProcessOptions): NodeProcess {
  const child = startProcess(compiled.file("echo"), options);
  processes.push(child);
  return child;
}

it("is given arguments and environment, and talks by lines", async () => {
  const child = echo({ args: ["you", "there"], env: { GREETING: "ahoy" } });
  await expect(child.waitForLine("ahoy")).resolves.toBe("ahoy you there");
  child.send("one");
  child.send("two");
  await expect(child.waitForLine(/TWO/)).resolves.toBe("TWO");
});

it("looks for each line behind the last one found", async () => {
  const child = echo();
  child.send("again");
  child.send("again");
  await child.waitForLine((line) => line === "AGAIN");
  await child.waitForLine("AGAIN");
  await expect(child.waitForLine("AGAIN", { timeout: 30 })).rejects.toThrow("in 30 ms");
});

it("gives all lines, until the end", async () => {
  const child = echo();
  child.send("exit 3");
  const lines: string[] = [];
  for await (const line of child.lines) lines.push(line);
  expect(lines).toEqual(["hello ", "EXIT 3"]);
  await expect(child.exited).resolves.toEqual({ code: 3, signal: null });
});

it("shows what a process complained of that ended without the line", async () => {
  const child = echo();
  child.send("throw");
  await expect(child.waitForLine("never")).rejects.toThrow(/ended with 1[^]*I was told to/);
  expect(child.stderr).toContain("I was told to");
});

it("can be stopped, continued and killed", async () => {
  const child = echo();
  await child.waitForLine("hello");
  child.kill("SIGSTOP");
  child.send("anyone");
  const answer = child.waitForLine("ANYONE");
  await expect(Promise.race([answer, sleep(60, "silence")])).resolves.toBe("silence");
  child.kill("SIGCONT");
  await expect(answer).resolves.toBe("ANYONE");
  child.kill();
  await expect(child.exited).resolves.toEqual({ code: null, signal: "SIGKILL" });
});
