/** Which errors `RedisClient.run` rejects with: the lock takes each at its word. */
import assert from "node:assert/strict";
import { inspect } from "node:util";

import { ServerError } from "@redislock/core/adapter";

import { assertServerError, eventually, newScript, type Register, rejection } from "./bench.js";
import type { ConformanceOptions } from "./options.js";

export function errorTests(test: Register, options: ConformanceOptions): void {
  test("rejects with a ServerError when the server answers with an error", async (bench) => {
    const client = await bench.client();
    const key = bench.key("a");
    const cases: readonly (readonly [source: string, reply: string, text: string])[] = [
      ["return redis.error_reply('NOPERM this user may not')", "NOPERM", "this user may not"],
      ["return redis.error_reply('OOM command not allowed')", "OOM", "command not allowed"],
      ["return {err = 'MINE is broken'}", "MINE", "is broken"],
      [
        "redis.call('HSET', KEYS[1], 'a', 'b') return redis.call('GET', KEYS[1])",
        "WRONGTYPE",
        "Operation against a key holding the wrong kind of value",
      ],
      ["this is no Lua", "ERR", ""],
    ];
    for (const [source, reply, text] of cases) {
      const script = newScript(source);
      // As text the first time, by its hash the second.
      for (const time of ["first", "second"]) {
        const error = await rejection(client.run(script, [key], []));
        assertServerError(error, reply, `${source}, the ${time} time`);
        assert.ok(String(error).includes(text), `${source}: ${String(error)} without "${text}"`);
      }
    }
  });

  test("rejects those alone that failed, of many at once", async (bench) => {
    const client = await bench.client();
    const script = newScript("if ARGV[1] == 'bad' then return {err = 'MINE'} end return ARGV[1]");
    const calls = ["good", "bad", "fine"].map((word) =>
      client.run(script, [bench.key("a")], [word]),
    );
    const [good, bad, fine] = await Promise.allSettled(calls);
    assert.deepEqual(
      [good, bad?.status, fine],
      [{ status: "fulfilled", value: "good" }, "rejected", { status: "fulfilled", value: "fine" }],
    );
  });

  test("tells in no ServerError what it was given to send", async (bench) => {
    const client = await bench.client();
    const fails = newScript("return redis.error_reply('ERR no')");
    for (const time of ["first", "second"]) {
      const error = await rejection(client.run(fails, [bench.key("a")], ["the secret token"]));
      const seen = inspect(error, { depth: Infinity, showHidden: true });
      assert.ok(!seen.includes("secret"), `an argument is in the error, the ${time} time: ${seen}`);
    }
  });

  test("does not run a script again that has failed", async (bench) => {
    const client = await bench.client();
    const key = bench.key("a");
    const words = ["ERR no NOSCRIPT", "noscript of mine", "OOM no", "READONLY for a moment"];
    for (const word of words) {
      const fails = newScript(`redis.call('INCR', KEYS[1]) return redis.error_reply('${word}')`);
      // As text the first time, by its hash the second.
      for (const count of ["1", "2"]) {
        await rejection(client.run(fails, [key], []));
        assert.equal(await bench.command("GET", (client.keyPrefix ?? "") + key), count, word);
      }
      await bench.command("DEL", (client.keyPrefix ?? "") + key);
    }
  });

  if (options.closes ?? true) {
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
  }

  if (options.loseNextReply) {
    test("does not call a lost reply an answer of the server", async (bench) => {
      const client = await bench.client();
      const count = newScript("return redis.call('INCR', KEYS[1])");
      await client.run(count, [bench.key("a")], []);
      await bench.loseNextReply();
      const [answer] = await Promise.allSettled([client.run(count, [bench.key("a")], [])]);
      if (answer.status === "fulfilled") {
        // Clients that send again by themselves get an answer in the end.
        assert.equal(answer.value, "3", "answered, but not by the server");
      } else {
        const error: unknown = answer.reason;
        assert.ok(!(error instanceof ServerError), `no server said so: ${String(error)}`);
      }
    });

    test("tells by its epoch when it may have sent a command twice by itself", async (bench) => {
      const client = await bench.client();
      const key = bench.key("a");
      const count = newScript("return redis.call('INCR', KEYS[1])");
      await client.run(count, [key], []);
      const { epoch } = client;
      await bench.loseNextReply();
      // What it gives up is unknown already, and may be refused when it is sent again.
      const answer = await client.run(count, [key], []).catch(() => undefined);
      if (answer === undefined) return;
      assert.notEqual(client.epoch, epoch, `answered with ${String(answer)}, at the same epoch`);
    });
  }

  if (options.connectAs) {
    test("rejects with a ServerError when the user may not run scripts", async (bench) => {
      const user = await bench.user("~*", "&*", "+@all", "-@scripting");
      const { client } = await bench.connectAs(user);
      const error = await rejection(client.run(newScript("return 1"), [bench.key("a")], []));
      assertServerError(error, "NOPERM", "a script of a user who may run none");
    });
  }
}
