import { afterAll, describe, expect, test } from "@jest/globals";
import { companion, connect, failure, seededRandom, startServer } from "@redislock/test-kit";
import { randomUUID } from "node:crypto";

import { hashSlot } from "../src/keys/hash-slot.js";
import { isCompanionName, lockNames, sharedNames, type Space } from "../src/keys/names.js";
import { Locker } from "../src/index.js";

const server = await startServer({ args: ["--cluster-enabled", "yes"] });
const connection = await connect(server.port);

afterAll(async () => {
  await connection.close();
  await server.stop();
});

const plain: Space = { namespace: "", keyPrefix: "", cluster: false, rememberFence: 86_400_000 };

function withoutFence(names: readonly string[]): string[] {
  return names.filter((_, index) => index !== 2);
}

/** The slots that a real server says. */
function realSlots(names: readonly string[]): Promise<unknown[]> {
  return Promise.all(names.map((name) => connection.send("CLUSTER", "KEYSLOT", name)));
}

/** Short names of what means something in names, without doubles. */
function randomNames(count: number, seed: number): string[] {
  const random = seededRandom(seed);
  const pick = (from: string): string => from.charAt(random(from.length));
  const names = new Set<string>();
  while (names.size < count) {
    names.add(Array.from({ length: 1 + random(8) }, () => pick("{}a:.")).join(""));
  }
  return [...names];
}

const prefixes = ["", "p:", "{p}:", "p{", "p}:", "a{b", "{", "}{", "{a}{", "p{}:", "{}", "{}{a}"];

describe.each(prefixes)("with the client's prefix %j", (keyPrefix) => {
  const space: Space = { ...plain, keyPrefix, cluster: true };
  const locksOf = (): { name: string; keys: string[] }[] =>
    randomNames(40, 7).map((name) => ({ name, keys: lockNames(name, space) }));

  test("all keys of a lock are in one slot, says the server", async () => {
    for (const { name, keys } of locksOf()) {
      const slots = await realSlots(keys.map((key) => keyPrefix + key));
      expect([name, new Set(slots).size]).toEqual([name, 1]);
    }
  });

  test("the lock's own key is what the user called it", () => {
    for (const { name, keys } of locksOf()) expect(keys[0]).toBe(name);
  });

  test("no two locks have a key in common but the fence, which all of a slot share", async () => {
    const locks = locksOf();
    const all = locks.flatMap(({ keys: [lock, grant, , line, waiters] }) => [
      ...[lock, grant, line, waiters],
    ]);
    expect(new Set(all).size).toBe(4 * locks.length);
    const fences = locks.map(({ keys }) => keys[2]);
    const slots = await realSlots(fences.map((fence) => `${keyPrefix}${fence}`));
    expect(new Set(fences).size).toBe(new Set(slots).size);
    expect(all.filter((key) => fences.includes(key))).toEqual([]);
  });

  test("nor has a lock whose name is made of another's companion", () => {
    for (const { name, keys } of locksOf().slice(0, 10)) {
      const [, companion = ""] = keys;
      const stem = companion.indexOf(":redislock:");
      for (const length of [stem - 2, stem - 1, stem, stem + 1]) {
        const made = companion.slice(0, length);
        if (made === name || made === "") continue;
        const others = lockNames(made, space).filter((_, index) => index !== 2);
        const shared = others.filter((key) => keys.includes(key));
        expect([made, shared]).toEqual([made, []]);
      }
    }
  });
});

test.each(["", "app:", "{app}", "app{", "app{}"])(
  "companions' names are no names for locks, in the namespace %j",
  (namespace) => {
    const space: Space = { ...plain, namespace };
    const plainNames = [
      "a",
      "x{a}y",
      "a}b",
      "a{b",
      "my-redislock",
      "redislock-a",
      "redislock{abc}d",
    ];
    for (const name of plainNames) {
      expect(isCompanionName(name, namespace)).toBe(false);
      for (const companion of lockNames(name, space).slice(1)) {
        const key = companion.slice(namespace.length);
        expect([companion, isCompanionName(key, namespace)]).toEqual([companion, true]);
      }
    }
  },
);

test.each(["{t}:", "{t}", "p{}:", "q{", "}q{a:"])(
  "the fence of the namespace %j is no name for a lock in another",
  (namespace) => {
    const [, , fence = ""] = lockNames("a", { ...plain, namespace });
    for (let length = 0; length <= namespace.length; length++) {
      const [another, key] = [fence.slice(0, length), fence.slice(length)];
      expect([another, key, isCompanionName(key, another)]).toEqual([another, key, true]);
    }
  },
);

test("so is one that begins with the client's prefix", async () => {
  const locker = new Locker({ keyPrefix: "{t}:", run: () => Promise.reject(new Error("sent")) });
  expect(await failure(locker.obtain("n:redislock", 1_000))).toBeInstanceOf(RangeError);
});

test("all keys of a lock are in its slot, whichever slots were used before", () => {
  for (let n = 0; n < 100; n++) {
    const name = randomUUID();
    const slots = sharedNames(name, plain).map(hashSlot);
    expect([name, ...new Set(slots)]).toEqual([name, hashSlot(name)]);
  }
});

test("a namespace is a part of the name", () => {
  const inNamespace = lockNames("b}", { ...plain, namespace: "a{" });
  expect(withoutFence(inNamespace)).toEqual(withoutFence(lockNames("a{b}", plain)));
});

test("a prefix of the client's and the same as part of the key give one lock and one line", () => {
  for (const name of ["a", "x{a}y", "a}b", "a{b", "{}"]) {
    const prefixed = lockNames(name, { ...plain, keyPrefix: "p:" });
    const inKey = lockNames(`p:${name}`, plain);
    expect(withoutFence(prefixed).map((key) => `p:${key}`)).toEqual(withoutFence(inKey));
  }
});

test.each([
  ["a", "a:redislock:line{Flk}", "redislock{Flk}"],
  ["x{a}y", "x{a}y:redislock:line", "redislock{Flk}"],
  ["a{b", "a{b:redislock:lineBph}", "redislock{Boc}"],
  ["{}", "{}:redislock:line:FYG", "redislock{D75}"],
])("the line and the fence of %j are called as the table says", (name, line, fence) => {
  const names = lockNames(name, plain);
  expect([names[3], names[2]]).toEqual([line, fence]);
});

test("names of plain keys are those that trying finds", () => {
  for (const name of ["a", "job", "order:1", "ключ", "🔒"]) {
    expect(lockNames(name, plain)).toEqual([
      name,
      companion(name, "grant"),
      companion(name, "fence"),
      companion(name, "line"),
      companion(name, "waiters"),
    ]);
    expect(sharedNames(name, plain)).toEqual([
      ...lockNames(name, plain),
      companion(name, "line").replace(":line", ":holders"),
      companion(name, "line").replace(":line", ":shares"),
    ]);
  }
});

test("hash slots are those of the server", async () => {
  const names = [
    ...randomNames(300, 11),
    ...[
      "",
      "123456789",
      "ключ",
      "🔒",
      "{🔒}x",
      "a\0b",
      "\r\n",
      "{user1000}.following",
      "foo{{bar}}zap",
    ],
    ...["foo{bar}{zap}", "foo{}{bar}", "x".repeat(1024), "é", "e\u0301"],
  ];
  expect(names.map(hashSlot)).toEqual(await realSlots(names));
});
