/** Options: unknown names are refused, and nothing is read that its caller did not write. */
import { afterEach, describe, expect, test } from "@jest/globals";
import { companion, failure } from "@redislock/test-kit";

import { Locker, type RedisClient } from "../src/index.js";
import { startRedis } from "./redis.js";

const { server, proxy, client } = await startRedis();

const planted: string[] = [];

/** Puts a property on every object, as a polluted prototype does. */
function plant(name: string, value: unknown): void {
  planted.push(name);
  Object.defineProperty(Object.prototype, name, { value, configurable: true, writable: true });
}

afterEach(() => {
  for (const name of planted.splice(0)) Reflect.deleteProperty(Object.prototype, name);
});

describe("an option that does not exist is a TypeError that names the nearest one", () => {
  test.each([
    [{ waits: 5 }, /options has no "waits": did you mean "wait"\?/],
    [{ Wait: 5 }, /options has no "Wait": did you mean "wait"\?/],
    [{ metaData: "m" }, /options has no "metaData": did you mean "metadata"\?/],
    [{ retries: 3 }, /options has no "retries": did you mean "retry"\?/],
    [{ abortSignal: undefined }, /options has no "abortSignal"/],
    [{ timeout: 5 }, /options has no "timeout": there are retry, wait, signal/],
    [{ wxyt: 5 }, /options has no "wxyt": did you mean "wait"\?/],
    [{ xyzt: 5 }, /options has no "xyzt": there are retry, wait, signal/],
    [{ t: 5 }, /options has no "t": there are retry, wait, signal/],
    [{ __proto__: null, constructor: 1 }, /options has no "constructor"/],
    [JSON.parse('{"__proto__": 1}'), /options has no "__proto__"/],
  ])("%j for obtain, tryObtain and using", async (options: object, message) => {
    const one = new Locker(client());
    for (const call of [
      one.obtain("k", 1_000, options),
      one.tryObtain("k", 1_000, options),
      one.using("k", 1_000, options, () => undefined),
    ]) {
      const error = await failure(call);
      expect(error).toBeInstanceOf(TypeError);
      expect(String(error)).toMatch(message);
    }
    expect(proxy.commands.all).toEqual([]);
  });

  test.each([
    [{ prefix: "p" }, /options has no "prefix"/],
    [{ nameSpace: "p" }, /options has no "nameSpace": did you mean "namespace"\?/],
    [{ commandTimout: 5 }, /options has no "commandTimout": did you mean "commandTimeout"\?/],
    [{ onevent: () => undefined }, /options has no "onevent": did you mean "onEvent"\?/],
  ])("%j for a locker", (options: object, message) => {
    expect(() => new Locker(client(), options)).toThrow(message);
  });
});

test("an option that is undefined is one that was left out", async () => {
  const one = new Locker(client(), { namespace: undefined, onEvent: undefined });
  const lock = await one.obtain("k", 10_000, { wait: undefined, token: undefined });
  await lock.release();
  expect(await one.using("k", 10_000, undefined, (held) => held.keys)).toEqual(["k"]);
});

test("a token on a prototype is nobody's: two callers are two holders", async () => {
  plant("token", "0123456789abcdef-planted");
  plant("metadata", "planted");
  const [a, b] = [new Locker(client()), new Locker(client())];
  const lock = await a.obtain("k", 10_000);
  expect(await b.tryObtain("k", 10_000, {})).toBeNull();
  expect(lock.token).not.toContain("planted");
  expect(lock.metadata).toBe("");
  await lock.release();
});

test("nor are wait, retry, signal and renew taken from there", async () => {
  const signal = AbortSignal.abort(new Error("planted"));
  const held = await new Locker(client()).obtain("k", 10_000);
  for (const [name, value] of Object.entries({ wait: 5_000, signal, renew: 7 })) plant(name, value);
  expect(await new Locker(client()).tryObtain("k", 10_000)).toBeNull();
  const inherited = {};
  Object.setPrototypeOf(inherited, { wait: 5_000 });
  expect(await new Locker(client()).tryObtain("k", 10_000, inherited)).toBeNull();
  await held.release();
});

test("nor the options of a locker, nor what a client does not say of itself", async () => {
  plant("namespace", "planted:");
  plant("keyPrefix", "planted:");
  plant("cluster", true);
  plant("closed", true);
  plant("commandTimeout", "planted");
  plant("onEvent", "planted");
  plant("clock", {});
  const inner = client();
  const bare: RedisClient = { run: (...command) => inner.run(...command) };
  const lock = await new Locker(bare).obtain(["k", "l"], 10_000);
  expect(await server.command("GET", "k")).toBe(lock.token);
  expect(await server.command("EXISTS", companion("k", "fence"))).toBe(1);
  await lock.release();
});

/** A client that has its prefix of its class. */
function classClient(): RedisClient {
  const inner = client();
  class Mine implements RedisClient {
    readonly #prefix = "{p}";
    get keyPrefix(): string {
      return this.#prefix;
    }
    run(...command: Parameters<RedisClient["run"]>): ReturnType<RedisClient["run"]> {
      return inner.run(...command);
    }
  }
  return new Mine();
}

test("what a client inherits from its class counts", async () => {
  const lock = await new Locker(classClient()).obtain("k", 10_000);
  // The tag of the prefix is that of all its keys.
  expect(await server.command("EXISTS", "redislock")).toBe(1);
  await lock.release();
});

test("and does so where every object has something of that name", async () => {
  plant("keyPrefix", "planted:");
  const lock = await new Locker(classClient()).obtain("k", 10_000);
  expect(await server.command("EXISTS", "redislock")).toBe(1);
  await lock.release();
});

test("a client may have no prototype at all", async () => {
  const inner = client();
  plant("keyPrefix", "planted:");
  const bare: RedisClient = { run: (...command) => inner.run(...command) };
  Object.setPrototypeOf(bare, null);
  const lock = await new Locker(bare).obtain("k", 10_000);
  expect(await server.command("EXISTS", companion("k", "fence"))).toBe(1);
  await lock.release();
});
