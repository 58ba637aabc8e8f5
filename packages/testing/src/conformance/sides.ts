/** What `RedisClient.side` is asked for, of adapters that have it. */
import assert from "node:assert/strict";

import type { RedisClient } from "@redislock/core";
import { type Life, ServerError, type SideConnection } from "@redislock/core/adapter";

import {
  assertServerError,
  type Bench,
  eventually,
  newScript,
  type Register,
  rejection,
} from "./bench.js";
import type { ConformanceOptions } from "./options.js";

export function sideTests(test: Register, options: ConformanceOptions): void {
  test("a connection beside it sends commands as they are, and in their order", async (bench) => {
    const side = await open(bench);
    if (!side) return;
    const key = bench.key("a");
    const echo = ["EVAL", "return {KEYS[1], ARGV[1], 7}", "1", key, "an argument"];
    assert.deepEqual(await side.connection.send(echo), [key, "an argument", "7"]);
    const count = ["EVAL", "return redis.call('INCR', KEYS[1])", "1", key];
    const numbers = Array.from({ length: 50 }, (_, index) => String(index + 1));
    const replies = numbers.map(() => side.connection.send(count));
    assert.deepEqual(await Promise.all(replies), numbers);
    await bench.command("DEL", key);
  });

  test("a connection beside it waits for replicas, and keeps the client waiting for none", async (bench) => {
    const side = await open(bench);
    if (!side) return;
    const many = "1000";
    const waited = side.connection.send(["WAIT", many, "2000"]);
    let over = false;
    const counted = waited.finally(() => (over = true));
    const one = newScript("return 1");
    assert.equal(await side.client.run(one, [bench.key("a")], []), "1");
    assert.ok(!over, "the client had to wait, too");
    assert.match(String(await counted), /^\d+$/);
  });

  test("a connection beside it sends no text by itself, and rejects with a ServerError", async (bench) => {
    const side = await open(bench);
    if (!side) return;
    const { sha1 } = newScript("return 1");
    const unknown = await rejection(side.connection.send(["EVALSHA", sha1, "1", bench.key("a")]));
    assertServerError(unknown, "NOSCRIPT", "a hash that the server does not know");
    const fails = ["EVAL", "return redis.error_reply('MINE is broken')", "1", bench.key("a")];
    assertServerError(await rejection(side.connection.send(fails)), "MINE", "an error");
  });

  test("a connection beside it that is not wanted any more is closed", async (bench) => {
    const side = await open(bench);
    if (!side) return;
    const waiting = rejection(side.connection.send(["WAIT", "1000", "5000"]));
    side.life.end(new Error("not wanted any more"));
    for (const error of [
      await waiting,
      await rejection(side.connection.send(["WAIT", "0", "1"])),
    ]) {
      assert.ok(!(error instanceof ServerError), `no server said so: ${String(error)}`);
    }
    const one = newScript("return 1");
    assert.equal(await side.client.run(one, [bench.key("a")], []), "1");
  });

  if (!options.network) return;
  test("a connection beside it that is lost ends, and what was sent rejects", async (bench) => {
    const network = bench.network();
    const side = await open(bench);
    if (!side) return;
    let ended = false;
    void side.life.ended.then(() => (ended = true));
    const waiting = rejection(side.connection.send(["WAIT", "1000", "5000"]));
    await network.cutAll();
    const error = await waiting;
    assert.ok(!(error instanceof ServerError), `no server said so: ${String(error)}`);
    await eventually("its life has ended", () => ended);
  });
}

interface Side {
  readonly client: RedisClient;
  readonly connection: SideConnection;
  readonly life: Life;
}

/** Opens a connection beside a client, to where the keys of the test are; undefined if it has none. */
async function open(bench: Bench): Promise<Side | undefined> {
  const client = await bench.client();
  const { side } = client;
  if (!side) return undefined;
  // The client may connect with its first command, and know the masters from then on.
  await client.run(newScript("return 1"), [bench.key("a")], []);
  let end!: (reason: unknown) => void;
  const ended = new Promise<unknown>((resolve) => (end = resolve));
  const life = { end, ended };
  bench.atEnd(() => end(new Error("the test is over")));
  if (!side.masterOf) return { client, life, connection: await side.open(life) };
  const slot = Number(await bench.command("CLUSTER", "KEYSLOT", bench.key("a")));
  return { client, life, connection: await side.open(life, side.masterOf(slot)) };
}
