/** What `RedisClient.run` is asked for, where nothing goes wrong. */
import assert from "node:assert/strict";

import { newScript, type Register } from "./bench.js";
import { REPLIES } from "./replies.js";
import { AWKWARD, LONG_TEXT } from "./texts.js";

/** As text the first time, by its hash the second. */
const TIMES = ["first", "second"] as const;

export function scriptTests(test: Register): void {
  test("passes keys and arguments apart, whatever is in them", async (bench) => {
    const client = await bench.client();
    const echo = newScript("return {#KEYS, #ARGV, KEYS, ARGV}");
    const keys = AWKWARD.map((text) => bench.key(text));
    const prefix = client.keyPrefix ?? "";
    for (const time of TIMES) {
      assert.deepEqual(
        await client.run(echo, keys, AWKWARD),
        [String(keys.length), String(AWKWARD.length), keys.map((key) => prefix + key), AWKWARD],
        `the ${time} time`,
      );
    }
    const [key = ""] = keys;
    assert.deepEqual(await client.run(echo, [key], []), ["1", "0", [prefix + key], []]);
  });

  test("brings every reply into one shape", async (bench) => {
    const client = await bench.client();
    for (const [source, reply] of REPLIES) {
      const script = newScript(source);
      for (const time of TIMES) {
        const got = await client.run(script, [bench.key("a")], []);
        assert.deepEqual(got, reply, `${source}, the ${time} time`);
      }
    }
  });

  test("passes a long text on whole, there and back", async (bench) => {
    const client = await bench.client();
    const echo = newScript("return ARGV[1]");
    for (const time of TIMES) {
      const got = await client.run(echo, [bench.key("a")], [LONG_TEXT]);
      assert.ok(got === LONG_TEXT, `changed on its way, the ${time} time`);
    }
  });

  test("replies with a text also where the bytes are none", async (bench) => {
    const client = await bench.client();
    // As the value of a key that somebody else has set may be.
    const bytes = newScript("return {'\\255\\254', 'after'}");
    for (const time of TIMES) {
      const reply = await client.run(bytes, [bench.key("a")], []);
      assert.ok(Array.isArray(reply), `no list, the ${time} time: ${String(reply)}`);
      assert.equal(typeof reply[0], "string", `the ${time} time`);
      assert.equal(reply[1], "after", `the ${time} time`);
    }
  });

  test("gives each of many commands at once its own reply", async (bench) => {
    const client = await bench.client();
    const echo = newScript("return ARGV[1]");
    const numbers = Array.from({ length: 100 }, (_, i) => String(i));
    const replies = numbers.map((number) => client.run(echo, [bench.key("a")], [number]));
    assert.deepEqual(await Promise.all(replies), numbers);
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
    const [client, other] = [await bench.client(), await bench.client()];
    const known = newScript("return 1");
    // Another text under a known name: only who sends the name alone gets the answer of the first.
    await client.run(known, [bench.key("a")], []);
    const otherText = { ...known, source: "return 2" };
    assert.equal(await client.run(otherText, [bench.key("a")], []), "1");
    assert.equal(await other.run(otherText, [bench.key("a")], []), "1");
  });

  test("stands a SCRIPT FLUSH at any moment, with many commands under way", async (bench) => {
    const client = await bench.client();
    const count = newScript("return redis.call('INCR', KEYS[1])");
    const replies: Promise<unknown>[] = [];
    for (let round = 0; round < 10; round++) {
      for (let i = 0; i < 20; i++) replies.push(client.run(count, [bench.key("a")], []));
      await bench.command("SCRIPT", "FLUSH");
    }
    const numbers = (await Promise.all(replies)).map(Number).sort((a, b) => a - b);
    assert.deepEqual(
      numbers,
      Array.from({ length: 200 }, (_, i) => i + 1),
    );
  });
}
