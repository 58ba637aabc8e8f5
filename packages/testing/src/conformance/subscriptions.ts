/** What `RedisClient.subscribe` is asked for. */
import assert from "node:assert/strict";

import { type RedisClient, type Subscription } from "@redislock/core";
import { ServerError } from "@redislock/core/adapter";

import {
  A_WHILE,
  assertServerError,
  type Bench,
  eventually,
  newScript,
  pause,
  type Register,
  rejection,
} from "./bench.js";
import type { ConformanceOptions } from "./options.js";
import { AWKWARD } from "./texts.js";

/** Milliseconds for a first attempt to connect to fail. Some clients notice a loss only when they are back. */
const ONE_ATTEMPT = 3_000;

export function subscriptionTests(test: Register, options: ConformanceOptions): void {
  test("hears what is published from the moment on in which it has subscribed", async (bench) => {
    const { channel, heard } = await listening(bench, await bench.client());
    const texts = AWKWARD.filter((text) => text !== "");
    for (const text of texts) await bench.command("PUBLISH", channel, text);
    await eventually("every message was heard", () => heard.length >= texts.length);
    assert.deepEqual(heard, texts);
  });

  test("hears no other channel, and each whatever its name", async (bench) => {
    const client = await bench.client();
    const names = AWKWARD.filter((text) => text !== "");
    const channels: Listening[] = [];
    for (const name of names) channels.push(await listening(bench, client, name));
    for (const [index, { channel }] of channels.entries()) {
      await bench.command("PUBLISH", channel, `for ${index}`);
    }
    await eventually("all were heard", () => channels.every(({ heard }) => heard.length > 0));
    assert.deepEqual(
      channels.map(({ heard }) => heard),
      names.map((_, index) => [`for ${index}`]),
    );
  });

  test("runs scripts as before while it listens, and after", async (bench) => {
    const client = await bench.client();
    const { subscription } = await listening(bench, client);
    const one = newScript("return 1");
    assert.equal(await client.run(one, [bench.key("a")], []), "1");
    await subscription.close();
    assert.equal(await client.run(one, [bench.key("a")], []), "1");
  });

  test("hears nothing more once the subscription was closed, and closes twice", async (bench) => {
    const { channel, heard, subscription } = await listening(bench, await bench.client());
    await subscription.close();
    await subscription.close();
    await untilNobodyListens(bench, channel);
    assert.deepEqual(heard, []);
  });

  test("hears each of many messages that come at once, also the same again", async (bench) => {
    const client = await bench.client();
    const { channel, heard } = await listening(bench, client);
    const publish = newScript(
      "for i = 1, 50 do redis.call('PUBLISH', ARGV[1], 'the same') end " +
        "redis.call('PUBLISH', ARGV[1], '\\255\\254') " +
        "for i = 1, 50 do redis.call('PUBLISH', ARGV[1], i) end",
    );
    await client.run(publish, [bench.key("a")], [channel]);
    const texts = Array.from({ length: 50 }, (_, index) => String(index + 1));
    await eventually("the last was heard", () => heard.includes("50"));
    assert.deepEqual(
      heard.filter((_, index) => index !== 50),
      [...texts.map(() => "the same"), ...texts],
    );
    assert.equal(typeof heard[50], "string", "a message whose bytes are no text");
  });

  test("hears on when another subscription of the same client was closed, twice", async (bench) => {
    const client = await bench.client();
    const closed = await listening(bench, client);
    const others = [await listening(bench, client), await listening(bench, client, "beside it")];
    await closed.subscription.close();
    await closed.subscription.close();
    for (const { channel } of others) await bench.command("PUBLISH", channel, "still there?");
    for (const { heard } of others) {
      await eventually("a message was heard", () => heard.length > 0);
      assert.deepEqual(heard, ["still there?"]);
    }
    assert.deepEqual(closed.heard, []);
  });

  test("opens a connection of its own to listen on, and closes it", async (bench) => {
    const client = await bench.client();
    await client.run(newScript("return 1"), [bench.key("a")], []);
    const before = await bench.connections();
    const { subscription } = await listening(bench, client);
    const opened = [...(await bench.connections())].filter(
      ([id, line]) => !before.has(id) && /\bsub=[1-9]/.test(line),
    );
    // None is known where the server does not tell.
    assert.ok(before.size === 0 || opened.length > 0, "listens on no connection of its own");
    await subscription.close();
    await eventually("the connection that listened is closed", async () => {
      const now = await bench.connections();
      return opened.every(([id]) => !now.has(id));
    });
  });

  test("says so when the connection was lost and is back, and hears on", async (bench) => {
    const { channel, heard, resumed, lost } = await listening(bench, await bench.client());
    for (const time of [1, 2, 3]) {
      await bench.command("CLIENT", "KILL", "TYPE", "pubsub");
      await eventually("the connection is back", () => resumed() >= time);
      await bench.command("PUBLISH", channel, `still there, ${time}?`);
      await eventually("a message was heard", () => heard.length >= time);
    }
    assert.deepEqual(
      heard,
      [1, 2, 3].map((time) => `still there, ${time}?`),
    );
    assert.equal(resumed(), 3);
    // On a busy machine, the first attempt may fail; not each time.
    assert.ok(lost() < 3, "says at each loss that it could not be mended at once");
  });

  if (options.connectAs) forbiddenTests(test);
  if (options.network) networkTests(test);
}

function forbiddenTests(test: Register): void {
  test("rejects with a ServerError when the user may not subscribe", async (bench) => {
    const user = await bench.user("~*", "+@all", "-subscribe");
    const { client } = await bench.connectAs(user);
    await client.run(newScript("return 1"), [bench.key("a")], []);
    const before = await bench.connections();
    const error = await rejection(listening(bench, client));
    assertServerError(error, "NOPERM", "a channel that is not permitted");
    await eventually("what it had opened is closed", async () => {
      return [...(await bench.connections()).keys()].every((id) => before.has(id));
    });
  });

  test("rejects with a ServerError when the user may connect no more", async (bench) => {
    const user = await bench.user("~*", "&*", "+@all");
    const { client } = await bench.connectAs(user);
    await client.run(newScript("return 1"), [bench.key("a")], []);
    await bench.command("ACL", "SETUSER", user.username, "off");
    const error = await rejection(listening(bench, client));
    assertServerError(error, "WRONGPASS", "a user that was switched off");
  });
}

function networkTests(test: Register): void {
  test("rejects, not with a ServerError, when the server cannot be reached", async (bench) => {
    const client = await bench.client();
    await client.run(newScript("return 1"), [bench.key("a")], []);
    await bench.network().refuse();
    const error = await rejection(listening(bench, client));
    assert.ok(!(error instanceof ServerError), `no server said so: ${String(error)}`);
  });

  test("comes back when the server does, and says so once", async (bench) => {
    const { channel, heard, resumed } = await listening(bench, await bench.client());
    const network = bench.network();
    await network.refuse();
    await network.cutAll();
    await pause(A_WHILE); // In which to connect fails, again and again.
    assert.equal(resumed(), 0);
    await network.accept();
    await eventually("the connection is back", () => resumed() > 0);
    await bench.command("PUBLISH", channel, "still there?");
    await eventually("a message was heard", () => heard.length > 0);
    assert.deepEqual([heard, resumed()], [["still there?"], 1]);
  });

  test("says no more than once of an outage that the connection could not be opened again", async (bench) => {
    const { resumed, lost } = await listening(bench, await bench.client());
    const network = bench.network();
    await network.refuse();
    await network.cutAll();
    const end = Date.now() + ONE_ATTEMPT;
    await eventually("it had time to say so", () => lost() > 0 || Date.now() > end);
    await pause(A_WHILE); // In which to connect fails, again and again.
    await network.accept();
    await eventually("the connection is back", () => resumed() > 0);
    assert.ok(lost() <= 1, "says more than once that the connection is lost");
  });

  test("says that it is back only when the server has answered", async (bench) => {
    const { channel, heard, resumed } = await listening(bench, await bench.client());
    const network = bench.network();
    await network.silence();
    await network.cutAll();
    await pause(A_WHILE); // In which it connects, and is not answered.
    assert.equal(resumed(), 0, "says that it is back, and hears nothing");
    await network.speak();
    await eventually("the connection is back", () => resumed() > 0);
    await bench.command("PUBLISH", channel, "still there?");
    await eventually("a message was heard", () => heard.length > 0);
  });

  test("comes back no more when it is closed meanwhile", async (bench) => {
    const { channel, heard, resumed, subscription } = await listening(bench, await bench.client());
    const other = await listening(bench, await bench.client(), "of another");
    const network = bench.network();
    await network.silence();
    await network.cutAll();
    await pause(A_WHILE); // In which it connects, and is not answered.
    await subscription.close();
    await network.speak();
    await untilNobodyListens(bench, channel);
    await eventually("one that was not closed is back", () => other.resumed() > 0);
    await pause(A_WHILE); // In which the closed one would be back.
    assert.deepEqual([heard, resumed()], [[], 0]);
  });
}

async function untilNobodyListens(bench: Bench, channel: string): Promise<void> {
  await eventually("nobody listens", async () => {
    return Number(await bench.command("PUBLISH", channel, "too late")) === 0;
  });
}

interface Listening {
  readonly channel: string;
  readonly subscription: Subscription;
  readonly heard: readonly string[];
  /** How often the connection was back. */
  readonly resumed: () => number;
  /** How often it could not be opened again. */
  readonly lost: () => number;
}

async function listening(bench: Bench, client: RedisClient, name: string = ""): Promise<Listening> {
  const channel = bench.key(`channel ${name}`);
  const heard: string[] = [];
  let resumed = 0;
  let lost = 0;
  const subscription = await client.subscribe?.(channel, {
    message: (text) => heard.push(text),
    resumed: () => resumed++,
    lost: () => lost++,
  });
  assert.ok(subscription, "no subscribe: if that is by design, pass subscribes: false");
  bench.atEnd(() => subscription.close());
  return { channel, subscription, heard, resumed: () => resumed, lost: () => lost };
}
