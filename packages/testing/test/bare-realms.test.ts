/**
 * Realms that lack much of what Node has, such as those of edge runtimes, and of jsdom in test runners.
 * What is built must load in them with nothing at all, and work with what a request has there.
 */
import { beforeEach, expect, test } from "@jest/globals";
import { waitUntil } from "@redislock/test-kit";
import { createContext, runInContext, type Context } from "node:vm";

import type { Lock, Locker } from "../src/index.js";
import { coreInOneFile } from "./one-file.js";

interface Core {
  readonly Locker: typeof Locker;
}

const source = coreInOneFile();
let realm: Context;

/** Runs code in a realm that has the language only, without what may be missing of that, too. */
beforeEach(() => {
  realm = createContext({});
  runInContext("delete globalThis.FinalizationRegistry; delete globalThis.WeakRef;", realm);
});

function load(): Core {
  const core: unknown = runInContext(source, realm);
  if (!isCore(core)) throw new Error("it did not load");
  return core;
}

function isCore(value: unknown): value is Core {
  return typeof value === "object" && value !== null && "Locker" in value;
}

/** What a platform without Node's own gives: timers are numbers, and `performance` is the least of it. */
function addPlatform({ random }: { random: () => boolean }): void {
  const { setTimeout, clearTimeout, AbortController, performance, crypto, console } = globalThis;
  Object.assign(realm, {
    AbortController,
    console,
    performance: { now: () => performance.now() },
    setTimeout: (run: () => void, ms: number) => Number(setTimeout(run, ms)),
    clearTimeout,
    crypto: {
      getRandomValues(bytes: Uint8Array) {
        if (!random()) throw new Error("no random values at global scope");
        // Those of the realm are none to Node.
        bytes.set(crypto.getRandomValues(new Uint8Array(bytes.length)));
      },
    },
  });
}

/** Grants all that is asked for first, and lets whoever stands in line wait. */
function fakeClient(): ConstructorParameters<typeof Locker>[0] {
  return {
    run: async ({ name }, _keys, args) => {
      if (name === "leave") return [null, null, null, "0", "0", "0"];
      if (!name.startsWith("obtain")) return "1";
      return args.length > 5 ? ["1000", "1", "7", "0"] : "7";
    },
    subscribe: async () => ({ close: async () => undefined }),
  };
}

test("loading needs nothing but the language", () => {
  for (const name of ["process", "performance", "crypto", "TextEncoder", "setTimeout"]) {
    expect(runInContext(`typeof ${name}`, realm)).toBe("undefined");
  }
  expect(typeof load().Locker).toBe("function");
});

test("a locker may be made where random values are refused; all calls work where they are not", async () => {
  let inRequest = false;
  addPlatform({ random: () => inRequest });
  const locker = new (load().Locker)(fakeClient());
  inRequest = true;
  const lock: Lock = await locker.obtain("Schlüssel 🔑", 1_000, { renew: true });
  expect(lock.held).toBe(true);
  lock.signal.addEventListener("abort", () => undefined);
  await lock.refresh();
  await lock.release();
  expect(await locker.tryObtain("k", 1_000, { wait: 20 })).toBeNull();
  expect(await locker.using("k", 1_000, () => "done")).toBe("done");
  await locker.close();
});

test("a signal that Node's own functions do not know, as jsdom's, is one all the same", async () => {
  addPlatform({ random: () => true });
  class ForeignController {
    readonly signal: object = { aborted: false, reason: undefined };
    abort(reason: unknown): void {
      Object.assign(this.signal, { aborted: true, reason });
    }
  }
  Object.assign(realm, { process, AbortController: ForeignController });
  const lock = await new (load().Locker)(fakeClient()).obtain("k", 20);
  const { signal } = lock;
  expect(signal).not.toBeInstanceOf(AbortSignal);
  expect(signal.aborted).toBe(false);
  await waitUntil(() => signal.aborted, { what: "the end of the lease" });
});
