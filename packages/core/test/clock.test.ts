/** What of the platform is used for time, and for signals. */
import { afterEach, describe, expect, jest, test } from "@jest/globals";
import { createHook } from "node:async_hooks";
import { getEventListeners } from "node:events";

import { controller, onAbort } from "../src/time/abort.js";
import { builtin } from "../src/time/builtin.js";
import { systemClock } from "../src/time/clock.js";
import { here } from "../src/time/context.js";

afterEach(() => {
  jest.restoreAllMocks();
});

/** How many timers keep this process alive. */
function keepingAlive(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
}

describe("a timer", () => {
  test("keeps the process alive only when told to, and no longer than it is set", () => {
    const before = keepingAlive();
    const timer = systemClock.after(60_000, () => undefined);
    expect(keepingAlive()).toBe(before);
    timer.ref?.();
    expect(keepingAlive()).toBe(before + 1);
    timer.unref?.();
    expect(keepingAlive()).toBe(before);
    timer.ref?.();
    timer.cancel();
    expect(keepingAlive()).toBe(before);
  });

  test("runs once, and not when it was called off", async () => {
    const ran: string[] = [];
    systemClock.after(0, () => ran.push("called off")).cancel();
    await new Promise<void>((resolve) => {
      const timer = systemClock.after(0, () => resolve(void ran.push("run")));
      timer.ref?.();
    });
    expect(ran).toEqual(["run"]);
  });

  test.each([[7], [null], ["7"], [{}]])(
    "is called off by what the platform names it by, where it has nothing else: %j",
    (id) => {
      const cleared: unknown[] = [];
      jest.spyOn(globalThis, "clearTimeout").mockImplementation((what) => void cleared.push(what));
      const real = globalThis.setTimeout;
      Reflect.set(globalThis, "setTimeout", () => id);
      const timer = systemClock.after(5, () => undefined);
      Reflect.set(globalThis, "setTimeout", real);
      expect(Object.keys(timer)).toEqual(["cancel"]);
      timer.cancel();
      expect(cleared).toEqual([id]);
    },
  );
});

describe("a signal", () => {
  test("is listened to once for all, until the last of them is called off", () => {
    const control = new AbortController();
    const listeners = (): number => getEventListeners(control.signal, "abort").length;
    const heard: string[] = [];
    const [first, second] = ["first", "second"].map((who) =>
      onAbort(control.signal, () => heard.push(who)),
    );
    expect(listeners()).toBe(1);
    first?.();
    expect(listeners()).toBe(1);
    second?.();
    expect(listeners()).toBe(0);
    onAbort(control.signal, () => heard.push("third"));
    onAbort(control.signal, () => heard.push("fourth"));
    expect(listeners()).toBe(1);
    control.abort();
    expect(heard).toEqual(["third", "fourth"]);
  });

  test("of ours may be listened to by any number without a warning", async () => {
    const warnings: string[] = [];
    const warn = ({ name }: Error): void => void warnings.push(name);
    process.on("warning", warn);
    try {
      const { signal } = controller();
      for (let n = 0; n < 50; n++) signal.addEventListener("abort", () => undefined);
      await new Promise((resolve) => setImmediate(resolve));
      expect(warnings).toEqual([]);
    } finally {
      process.off("warning", warn);
    }
  });
});

test.each([
  ["process", undefined],
  ["modules to be had by name", {}],
])("a platform may have no %s", (_, there) => {
  const real = process;
  Reflect.set(globalThis, "process", there);
  try {
    expect(builtin("node:events")).toBeUndefined();
  } finally {
    Reflect.set(globalThis, "process", real);
  }
});

test("what keeps an async context is called by a name of ours, for those who look into them", () => {
  const made: string[] = [];
  const hook = createHook({ init: (_, type) => void made.push(type) }).enable();
  here();
  hook.disable();
  expect(made).toContain("redislock");
});
