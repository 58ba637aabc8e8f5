import { expect, test } from "@jest/globals";

import { startRedis } from "./redis.js";

const { server, locker } = await startRedis();

const token = "job-1:0123456789";

test("asking again with one's own token is a success, with the same fencing token", async () => {
  const first = await locker().obtain("k", 10_000, { token, metadata: "m" });
  const again = await locker().obtain("k", 60_000, { token, metadata: "m" });
  expect(again.token).toBe(token);
  expect(again.fencingToken).toBe(first.fencingToken);
  expect(await server.command("PTTL", "k")).toBeGreaterThan(10_000);
});

test("so it is for several keys at once", async () => {
  const first = await locker().obtain(["a", "b"], 10_000, { token });
  const again = await locker().obtain(["b", "a"], 10_000, { token });
  expect(again.fencingToken).toBe(first.fencingToken);
});

test("asking again after the release is a new grant", async () => {
  const first = await locker().obtain("k", 10_000, { token });
  await first.release();
  const again = await locker().obtain("k", 10_000, { token });
  expect(again.fencingToken).toBeGreaterThan(first.fencingToken);
});

test.each([
  ["a token that begins with it", "job-1:0123456789abcdef"],
  ["a token that begins like it", token, "job-1:0123456789abcdef"],
  ["a token of other case", "JOB-1:0123456789"],
])("%s does not take the lock over", async (_, other, held = token) => {
  await locker().obtain("k", 10_000, { token: held });
  expect(await locker().tryObtain("k", 10_000, { token: other })).toBeNull();
  expect(await server.command("GET", "k")).toBe(held);
});

test.each([
  ["other metadata", "one", "another"],
  ["metadata where there was none", "", "m"],
  ["no metadata where there was some", "m", ""],
  ["metadata that begin alike", "one", "one more"],
])("the same token with %s is a no", async (_, held, asked) => {
  await locker().obtain("k", 10_000, { token, metadata: held });
  expect(await locker().tryObtain("k", 10_000, { token, metadata: asked })).toBeNull();
});

test("a token whose end is another's metadata does not take the lock over", async () => {
  // Both write the same bytes into the key.
  const held = await locker().obtain("k", 10_000, { token, metadata: "abc" });
  expect(await locker().tryObtain("k", 10_000, { token: `${token}abc` })).toBeNull();
  await held.release();
});

test("metadata of any script are kept apart from the token", async () => {
  await locker().obtain("k", 10_000, { token, metadata: "данные 🔒\r\n\0" });
  expect(await server.command("GET", "k")).toBe(`${token}данные 🔒\r\n\0`);
  expect(await locker().inspect("k")).toMatchObject({ holder: { metadata: "данные 🔒\r\n\0" } });
});
