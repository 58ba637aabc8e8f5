import assert from "node:assert/strict";

import { type RedisClient, type Subscription } from "@redislock/core";
import { ServerError } from "@redislock/core/adapter";

import {
  type Bench,
  type ConformanceOptions,
  eventually,
  newScript,
  promise,
  rejection,
  type Runner,
} from "./conformance-bench.js";

/** Texts that break what is not passed on as it is. */
const AWKWARD = ["", " ", "a b", "'quoted'", '"', "\\", "\r\n", "\0", "é𝕏", "{}", "%s", "]]", "-1"];

/** What `RedisClient` asks of every adapter. */
export function adapterTests(run: Runner, options: ConformanceOptions): void {
  const test = promise.bind(undefined, run, options);

  test("passes keys and arguments apart, whatever is in them", async (bench) => {
    const client = await bench.client();
    const echo = newScript("return {#KEYS, #ARGV, KEYS, ARGV}");
    const keys = AWKWARD.map((text) => bench.key(text));
    const prefix = client.keyPrefix ?? "";
    assert.deepEqual(await client.run(echo, keys, AWKWARD), [
      String(keys.length),
      String(AWKWARD.length),
      keys.map((key) => prefix + key),
      AWKWARD,
    ]);
    const [key = ""] = keys;
    assert.deepEqual(await client.run(echo, [key], []), ["1", "0", [prefix + key], []]);
  });

  test("brings every reply into one shape", async (bench) => {
    const client = await bench.client();
    const replies: readonly [string, unknown][] = [
      ["return 1", "1"],
      ["return -1", "-1"],
      ["return 4102444800000", "4102444800000"],
      ["return '12'", "12"],
      ["return 'é𝕏\\r\\n'", "é𝕏\r\n"],
      ["return ''", ""],
      ["return nil", null],
      ["return false", null],
      ["return redis.status_reply('FINE')", "FINE"],
      ["return {}", []],
      ["return {1, 'a', false, {2, {'b'}}, false}", ["1", "a", null, ["2", ["b"]], null]],
    ];
    for (const [source, reply] of replies) {
      assert.deepEqual(await client.run(newScript(source), [bench.key("a")], []), reply, source);
    }
  });

  test("gives each of many questions at once its own reply", async (bench) => {
    const client = await bench.client();
    const echo = newScript("return ARGV[1]");
    const numbers = Array.from({ length: 100 }, (_, i) => String(i));
    const replies = numbers.map((number) => client.run(echo, [bench.key("a")], [number]));
    assert.deepEqual(await Promise.all(replies), numbers);
  });

  test("rejects with a ServerError when the server answers with an error", async (bench) => {
    const client = await bench.client();
    const key = bench.key("a");
    const cases: readonly [string, string][] = [
      ["return redis.error_reply('NOPERM this user has no permissions')", "NOPERM"],
      ["return redis.error_reply('OOM command not allowed')", "OOM"],
      ["redis.call('HSET', KEYS[1], 'a', 'b') return redis.call('GET', KEYS[1])", "WRONGTYPE"],
      ["this is no Lua", "ERR"],
    ];
    for (const [source, reply] of cases) {
      const error = await rejection(client.run(newScript(source), [key], []));
      assert.ok(error instanceof ServerError, `${source}: not a ServerError: ${String(error)}`);
      assert.equal(error.reply, reply, source);
    }
  });

  test("does not run a script again that has failed", async (bench) => {
    const client = await bench.client();
    const key = bench.key("a");
    for (const word of ["ERR no NOSCRIPT", "OOM command not allowed", "READONLY for a moment"]) {
      const fails = newScript(`redis.call('INCR', KEYS[1]) return redis.error_reply('${word}')`);
      await rejection(client.run(fails, [key], []));
      assert.equal(await bench.command("GET", (client.keyPrefix ?? "") + key), "1", word);
      await bench.command("DEL", (client.keyPrefix ?? "") + key);
    }
  });

  test("sends the text to a server that does not know the script, and runs it once", async (bench) => {
    const client = await bench.client();
    const count = newScript("return redis.call('INCR', KEYS[1])");
    assert.equal(await client.run(count, [bench.key("a")], []), "1");
    assert.equal(await client.run(count, [bench.key("a")], []), "2");
    await bench.command("SCRIPT", "FLUSH");
    assert.equal(await client.run(count, [bench.key("a")], []), "3");
  });

  test("does not send the text to a server that knows the script", async (bench) => {
    const client = await bench.client();
    const known = newScript("return 1");
    // Another text under a known name: only who sends the name alone gets the answer of the first.
    await client.run(known, [bench.key("a")], []);
    const otherText = { ...known, source: "return 2" };
    assert.equal(await client.run(otherText, [bench.key("a")], []), "1");
  });

  test("stands a SCRIPT FLUSH with many questions under way", async (bench) => {
    const client = await bench.client();
    const count = newScript("return redis.call('INCR', KEYS[1])");
    const ask = (): Promise<unknown> => client.run(count, [bench.key("a")], []);
    const before = Array.from({ length: 20 }, ask);
    const flushed = bench.command("SCRIPT", "FLUSH");
    const after = Array.from({ length: 20 }, ask);
    const replies = await Promise.all([...before, ...after]);
    await flushed;
    const numbers = replies.map(Number).sort((a, b) => a - b);
    assert.deepEqual(
      numbers,
      Array.from({ length: 40 }, (_, i) => i + 1),
    );
  });

  test("rejects, not with a ServerError, once it was closed", async (bench) => {
    const { client, close } = await bench.connect();
    const one = newScript("return 1");
    assert.equal(await client.run(one, [bench.key("a")], []), "1");
    assert.ok(!client.closed, "says that it is closed before it was");
    await close();
    const error = await rejection(client.run(one, [bench.key("a")], []));
    assert.ok(!(error instanceof ServerError), `no server said so: ${String(error)}`);
    await eventually("closed is true", () => client.closed !== false);
  });

  if (options.loseNextReply) {
    test("does not call a lost reply an answer of the server", async (bench) => {
      const client = await bench.client();
      const count = newScript("return redis.call('INCR', KEYS[1])");
      await client.run(count, [bench.key("a")], []);
      await bench.loseNextReply();
      try {
        // Clients that send again by themselves get an answer in the end.
        assert.equal(await client.run(count, [bench.key("a")], []), "3");
      } catch (error) {
        assert.ok(!(error instanceof ServerError), `no server said so: ${String(error)}`);
      }
    });
  }

  if (options.subscribes ?? true) subscribeTests(run, options);
}

function subscribeTests(run: Runner, options: ConformanceOptions): void {
  const test = promise.bind(undefined, run, options);

  test("hears what is published from the moment on in which it has subscribed", async (bench) => {
    const { channel, heard } = await listening(bench, await bench.client());
    const texts = AWKWARD.filter((text) => text !== "");
    for (const text of texts) await bench.command("PUBLISH", channel, text);
    await eventually("every message was heard", () => heard.length >= texts.length);
    assert.deepEqual(heard, texts);
  });

  test("hears no other channel", async (bench) => {
    const client = await bench.client();
    const [one, other] = [await listening(bench, client, "1"), await listening(bench, client, "2")];
    await bench.command("PUBLISH", one.channel, "for one");
    await bench.command("PUBLISH", other.channel, "for the other");
    await eventually("both were heard", () => one.heard.length + other.heard.length >= 2);
    assert.deepEqual([one.heard, other.heard], [["for one"], ["for the other"]]);
  });

  test("asks as before while it listens", async (bench) => {
    const client = await bench.client();
    await listening(bench, client);
    assert.equal(await client.run(newScript("return 1"), [bench.key("a")], []), "1");
  });

  test("hears nothing more once the subscription was closed, and closes twice", async (bench) => {
    const { channel, heard, subscription } = await listening(bench, await bench.client());
    await subscription.close();
    await subscription.close();
    await eventually("nobody listens", async () => {
      return Number(await bench.command("PUBLISH", channel, "too late")) === 0;
    });
    assert.deepEqual(heard, []);
  });

  test("says so when the connection was lost and is back, and hears on", async (bench) => {
    const { channel, heard, resumed } = await listening(bench, await bench.client());
    await bench.command("CLIENT", "KILL", "TYPE", "pubsub");
    await eventually("the connection is back", () => resumed() > 0);
    await bench.command("PUBLISH", channel, "still there?");
    await eventually("a message was heard", () => heard.length > 0);
    assert.deepEqual(heard, ["still there?"]);
  });
}

interface Listening {
  readonly channel: string;
  readonly subscription: Subscription;
  readonly heard: readonly string[];
  /** How often the connection was back. */
  readonly resumed: () => number;
}

async function listening(bench: Bench, client: RedisClient, name: string = ""): Promise<Listening> {
  const channel = bench.key(`channel ${name}`);
  const heard: string[] = [];
  let resumed = 0;
  const subscription = await client.subscribe?.(channel, {
    message: (text) => heard.push(text),
    resumed: () => resumed++,
  });
  assert.ok(subscription, "no subscribe: if that is by design, pass subscribes: false");
  bench.atEnd(() => subscription.close());
  return { channel, subscription, heard, resumed: () => resumed };
}
