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
import { REPLIES } from "./replies.js";
import { AWKWARD } from "./texts.js";

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
    const texts = ["EVAL", "return ARGV", "1", key, ...AWKWARD];
    assert.deepEqual(await side.connection.send(texts), AWKWARD);
    for (const [source, reply] of REPLIES) {
      assert.deepEqual(await side.connection.send(["EVAL", source, "1", key]), reply, source);
    }
    assert.ok(!side.ended(), "says that the connection is lost, which it is not");
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

  test("a connection beside it is one, from its first command to its last", async (bench) => {
    const side = await open(bench);
    if (!side || (await side.id()) === undefined) return;
    const ids = await Promise.all(Array.from({ length: 10 }, () => side.id()));
    ids.push(await side.id());
    assert.equal(new Set(ids).size, 1, `commands came on the connections ${ids.join(", ")}`);
  });

  test("a connection beside it that is not wanted while it is opened is closed", async (bench) => {
    const side = await open(bench);
    if (!side) return;
    const before = await bench.connections();
    const life = newLife();
    const opening = side.openAnother(life);
    life.end(new Error("not wanted any more"));
    await opening.catch(() => undefined);
    await eventually("what was being opened is closed", async () => {
      return [...(await bench.connections()).keys()].every((id) => before.has(id));
    });
  });

  test("a connection beside it that is not wanted any more is closed", async (bench) => {
    const side = await open(bench);
    if (!side) return;
    const id = (await side.id()) ?? "";
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
    await eventually("the server has it no more", async () => {
      return !(await bench.connections()).has(id);
    });
  });

  if (options.loseNextReply) {
    test("a connection beside it sends nothing twice", async (bench) => {
      const side = await open(bench);
      if (!side) return;
      const count = newScript("return redis.call('INCR', KEYS[1])");
      const key = bench.key("a");
      // So that the server knows it.
      await side.client.run(count, [bench.key("b")], []);
      await bench.loseNextReply();
      const sent = side.connection.send(["EVALSHA", count.sha1, "1", key]);
      const [answer] = await Promise.allSettled([sent]);
      // Answered where replies are lost on the client's own connection alone.
      if (answer.status === "fulfilled") assert.equal(answer.value, "1", "sent twice");
      assert.equal(await bench.command("GET", key), "1", "sent twice");
      await bench.command("DEL", key);
    });
  }

  if (!options.network) return;
  test("a connection beside it that is lost ends, and what was sent rejects", async (bench) => {
    const network = bench.network();
    const side = await open(bench);
    if (!side) return;
    const waiting = rejection(side.connection.send(["WAIT", "1000", "5000"]));
    await network.cutAll();
    const error = await waiting;
    assert.ok(!(error instanceof ServerError), `no server said so: ${String(error)}`);
    await eventually("its life has ended", side.ended);
    const later = await rejection(side.connection.send(["WAIT", "0", "1"]));
    assert.ok(!(later instanceof ServerError), `no server said so: ${String(later)}`);
  });

  test("a connection beside it is not opened while the server cannot be reached", async (bench) => {
    const side = await open(bench);
    if (!side) return;
    await bench.network().refuse();
    const error = await rejection(side.openAnother(newLife()));
    assert.ok(!(error instanceof ServerError), `no server said so: ${String(error)}`);
  });
}

interface Side {
  readonly client: RedisClient;
  readonly connection: SideConnection;
  readonly life: Life;
  /** Whether its life has ended. */
  readonly ended: () => boolean;
  /** Which of the server's connections it is; undefined where the server does not tell. */
  readonly id: () => Promise<string | undefined>;
  /** Opens one more, to the same server. */
  readonly openAnother: (life: Life) => Promise<SideConnection>;
}

/** Opens a connection beside a client, to where the keys of the test are; undefined if it has none. */
async function open(bench: Bench): Promise<Side | undefined> {
  const client = await bench.client();
  const { side } = client;
  if (!side) return undefined;
  // The client may connect with its first command, and know the masters from then on.
  await client.run(newScript("return 1"), [bench.key("a")], []);
  const master = side.masterOf?.(Number(await bench.command("CLUSTER", "KEYSLOT", bench.key("a"))));
  const openAnother = (life: Life): Promise<SideConnection> => {
    bench.atEnd(() => life.end(new Error("the test is over")));
    return side.open(life, master);
  };
  const life = newLife();
  let over = false;
  void life.ended.then(() => (over = true));
  const connection = await openAnother(life);
  return {
    client,
    connection,
    life,
    ended: () => over,
    id: async () => {
      try {
        return String(await connection.send(["CLIENT", "ID"]));
      } catch (error) {
        if (error instanceof ServerError) return undefined;
        throw error;
      }
    },
    openAnother,
  };
}

function newLife(): Life {
  let end!: (reason: unknown) => void;
  const ended = new Promise<unknown>((resolve) => (end = resolve));
  return { end, ended };
}
