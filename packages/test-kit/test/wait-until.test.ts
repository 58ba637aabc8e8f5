import { afterEach, expect, it, jest } from "@jest/globals";

import { waitUntil } from "../src/index.js";

afterEach(() => {
  jest.useRealTimers();
});

it("resolves with the first answer that is something", async () => {
  const answers = ["", "", "third", "fourth"];
  await expect(waitUntil(() => answers.shift() ?? "")).resolves.toBe("third");
});

it("says for what it waited in vain, and how it stood", async () => {
  const vain = waitUntil(() => Promise.resolve(0), { timeout: 10, what: "rain" });
  await expect(vain).rejects.toThrow("Waited 10 ms in vain for rain; last answer: 0");
});

it("does not wait any longer when the condition throws", async () => {
  const broken = waitUntil(() => {
    throw new Error("broken");
  });
  await expect(broken).rejects.toThrow("broken");
});

it("is not stopped by fake timers", async () => {
  jest.useFakeTimers();
  await expect(waitUntil(() => false, { timeout: 10 })).rejects.toThrow("Waited 10 ms");
});
