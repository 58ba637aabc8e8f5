/** Each recipe is run by its one command, as who copies it would, against a real server. */
import { afterAll, beforeEach, expect, test } from "@jest/globals";
import { startServer } from "@redislock/test-kit";
import { runExample } from "./run-example.js";

const server = await startServer();
afterAll(() => server.stop());
beforeEach(() => server.command("FLUSHALL"));

const run = (name: string): Promise<string[]> =>
  runExample(`recipes/${name}`, { redis: server.port });

test("http-423: who comes second is told who is at it", async () => {
  expect(await run("http-423")).toEqual([
    '423 {"error":"anna is shipping order 42"}',
    '200 {"shipped":"42"}',
  ]);
});

test("next-route: who comes second is told who is at it", async () => {
  expect(await run("next-route")).toEqual([
    '423 {"error":"anna is shipping order 42"}',
    '200 {"shipped":"42"}',
  ]);
});

test("function: of two calls for one invoice, one pays", async () => {
  expect((await run("function")).sort()).toEqual(["another call pays invoice 7", "paid invoice 7"]);
});

test("bullmq-worker: never two jobs of one customer at once, and none is lost", async () => {
  expect(await run("bullmq-worker")).toEqual([
    "6 invoices sent, at most 1 at once for one customer",
  ]);
});

test("cron: one of three machines does it, and the lock stays for an hour", async () => {
  const lines = await run("cron");
  expect(lines.map((line) => line.slice(2)).sort()).toEqual([
    "leaves it to another machine",
    "leaves it to another machine",
    "writes the report",
  ]);
  const [writer] = lines.filter((line) => line.endsWith("writes the report"));
  expect(writer).toMatch(/^[abc] /);
  expect(Number(await server.command("PTTL", "cron:nightly-report"))).toBeGreaterThan(3_500_000);
});

test("leader: a killed leader is followed by another", async () => {
  expect(await run("leader")).toEqual([
    "one leads, and all three see it",
    "it was killed: another leads, and both see it",
  ]);
});

test("api-limit: two machines keep to the limit together", async () => {
  const [a, b, most] = await run("api-limit");
  expect([a, b]).toEqual(["answers: 200, 200, 200, 200, 200", a]);
  expect(most).toBe("at most 2 requests at once");
});

test("cache: filled once, and never half", async () => {
  expect(await run("cache")).toEqual(["20 asked, 1 query, everybody has all prices: yes"]);
});
