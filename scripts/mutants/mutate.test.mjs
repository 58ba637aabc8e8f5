/** The bugs that `pnpm mutants` plants: each is valid Lua, and they are the same ones each time. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { luaFiles, QUORUM, scriptsOf } from "../generate-lua.mjs";
import { root } from "../shell.mjs";
import { allMutants, ARGUED, arguedFor } from "./lua.mjs";
import { mutantsOf } from "./mutate.mjs";
import { planted, plants } from "./plants.mjs";

const files = luaFiles();
const all = allMutants(files);

/** @param {string} source */
const after = (source) => mutantsOf("a.lua", source).map((mutant) => mutant.source);

void test("each mutant becomes scripts that parse, and differ from the right ones", () => {
  const scriptsWith = (/** @type {ReadonlyMap<string, string>} */ texts) =>
    JSON.stringify([scriptsOf(texts), scriptsOf(texts, QUORUM)]);
  const right = scriptsWith(files);
  for (const { file, source, before, after: wrong } of all) {
    const scripts = scriptsWith(new Map([...files, [file, source]]));
    assert.notEqual(scripts, right, `${file}: ${before} → ${wrong}`);
  }
});

void test("there are some in each file, and no two have one id", () => {
  assert.deepEqual(new Set(all.map(({ file }) => file)), new Set(files.keys()));
  assert.equal(new Set(all.map(({ id }) => id)).size, all.length);
});

void test("they are the same each time, and their ids outlive changes elsewhere in the file", () => {
  assert.deepEqual(allMutants(files), all);
  const ids = (/** @type {string} */ text) => mutantsOf("a.lua", text).map(({ id }) => id);
  const [first, ...others] = ids("if a < 1 then b() end");
  assert.ok(first);
  assert.ok(others.length > 0);
  assert.deepEqual(ids("local new = c\n\nif a < 1 then b() end").slice(-1 - others.length), [
    first,
    ...others,
  ]);
});

void test("each kind of slip is made", () => {
  assert.deepEqual(after("f(a)"), [""]);
  assert.deepEqual(after("a = b"), [""]);
  assert.deepEqual(after("local x = a < b"), ["local x = a <= b", "local x = a >= b"]);
  assert.deepEqual(after("local x = a and b"), ["local x = a or b"]);
  assert.deepEqual(after("local x = a or b"), ["local x = a and b"]);
  assert.deepEqual(after("local x = a + b"), ["local x = a - b"]);
  assert.deepEqual(after("local x = 7"), ["local x = 8"]);
  assert.deepEqual(after("local x = 700"), ["local x = 1400", "local x = 350"]);
  assert.deepEqual(after("local x = not a"), ["local x = (a)"]);
  assert.deepEqual(after("local x = true"), ["local x = false"]);
  assert.deepEqual(after("local x = 'text'"), ["local x = ''"]);
  assert.deepEqual(after("local x = KEYS[i + 3]"), ["local x = KEYS[i + 4]"]);
  assert.deepEqual(after("local x = KEYS[i + 4]"), ["local x = KEYS[i + 3]"]);
  assert.deepEqual(after("local x = call('PTTL', k)"), ["local x = call('TTL', k)"]);
  assert.deepEqual(after("local x = call('EXISTS', a, b)"), [
    "local x = call('EXISTS', b)",
    "local x = call('EXISTS', a)",
  ]);
  assert.deepEqual(after("local x = math.max(a, b)"), ["local x = math.min(a, b)"]);
  assert.deepEqual(after("if (a) then f() end"), ["if false then f() end", "if true then f() end"]);
  assert.deepEqual(after("local function f() return a end"), ["local function f() return end"]);
});

void test("a bug planted by hand changes what it says, and no more", () => {
  for (const [n, { source }] of planted(files).entries()) {
    const plant = plants[n];
    assert.ok(plant);
    let expected = files.get(plant.file) ?? "";
    for (const [before, now] of plant.changes) expected = expected.replace(before, () => now);
    assert.equal(source, expected);
  }
});

void test("what is argued for is there", () => {
  for (const reason of arguedFor(all).values()) assert.ok(reason.length > 20);
});

void test("so are the lines of TypeScript, whose mutants are not known here", () => {
  for (const { file, before } of ARGUED) {
    if (!file.endsWith(".ts")) continue;
    const words = before.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replaceAll(" ", "\\s+");
    assert.match(
      readFileSync(join(root, file), "utf8"),
      new RegExp(`^\\s*${words}\\s*$`, "m"),
      `argued.json argues for what is not there: ${file}: ${before}`,
    );
  }
});
