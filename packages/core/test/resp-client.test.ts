import { expect, test } from "@jest/globals";
import { failure, waitUntil } from "@redislock/test-kit";

import { type Script } from "../src/index.js";
import { ServerError } from "../src/adapter.js";
import { scripts, startRedis } from "./redis.js";

const { server, proxy, client } = await startRedis();

const unknown: Script = {
  name: "unknown",
  source: "return {KEYS[1], ARGV[1], 7}",
  sha1: "0".repeat(40),
};

test("a script is run by its hash, and sent as text only when the server does not know it", async () => {
  const redis = client();
  expect(await redis.run(unknown, ["k"], ["a"])).toEqual(["k", "a", "7"]);
  expect(proxy.commands.all).toEqual([
    ["EVALSHA", unknown.sha1, "1", "k", "a"],
    ["EVAL", unknown.source, "1", "k", "a"],
  ]);
});

test("the server's errors are ServerErrors, those of the connection are not", async () => {
  const redis = client();
  const broken = { ...unknown, source: "return redis.call('NO')" };
  expect(await failure(redis.run(broken, [], []))).toBeInstanceOf(ServerError);
  proxy.swallowNextRequest();
  expect(await failure(redis.run(broken, [], []))).not.toBeInstanceOf(ServerError);
  const [first] = scripts;
  if (first) await failure(redis.run(first, [], [])); // On a new connection, by itself.
  expect(proxy.connections).toBe(1);
});

test("a subscription hears messages, also after its connection was cut, until it is closed", async () => {
  const heard: string[] = [];
  const subscription = await client().subscribe("channel", {
    message: (text) => heard.push(text),
    resumed: () => heard.push("(resumed)"),
  });
  await server.command("PUBLISH", "channel", "one");
  await waitUntil(() => heard.length === 1, { what: "the first message" });
  await proxy.cutAll();
  await waitUntil(() => heard.length === 2, { what: "the connection to be back" });
  await server.command("PUBLISH", "channel", "two");
  await waitUntil(() => heard.length === 3, { what: "the second message" });
  expect(heard).toEqual(["one", "(resumed)", "two"]);
  await subscription.close();
  await subscription.close();
  await waitUntil(() => proxy.connections === 0, { what: "the connection to be closed" });
});

test("a subscription that is refused leaves no connection behind", async () => {
  await server.command("ACL", "SETUSER", "deaf", "reset", "on", ">pass", "+@all", "-subscribe");
  const listener = { message: () => undefined, resumed: () => undefined };
  const deaf = client(["AUTH", "deaf", "pass"]);
  expect(await failure(deaf.subscribe("channel", listener))).toMatchObject({ code: "NOPERM" });
  await waitUntil(() => proxy.connections === 0, { what: "the connection to be closed" });
});
