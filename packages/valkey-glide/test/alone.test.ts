/** What is asked of a client of GLIDE before anything is opened beside it: without a server. */
import { afterEach, expect, test } from "@jest/globals";
import { failure, run } from "@redislock/test-kit";
import { GlideClient } from "@valkey/valkey-glide";

import { type RedisClient, valkeyGlideClient } from "../src/index.js";

const listener = { message: () => undefined, resumed: () => undefined };

/** As much of a client as is looked at. */
function clientOf(more: object): RedisClient {
  const customCommand = (): Promise<unknown> => Promise.resolve(1);
  const glide = { customCommand, close: () => undefined, exec: () => undefined, ...more };
  return valkeyGlideClient(glide);
}

/** What comes of a subscription, and of a connection beside the client. */
function opened(client: RedisClient): Promise<unknown>[] {
  const life = { end: () => undefined, ended: new Promise<void>(() => undefined) };
  return [client.subscribe?.("channel", listener), client.side?.open(life)].map((opening) =>
    failure(Promise.resolve(opening)),
  );
}

afterEach(() => {
  Reflect.deleteProperty(GlideClient, "GetSocket");
});

test("it is of a cluster if it has what those of clusters alone have, and has none beside it then", () => {
  const single = clientOf({});
  expect([single.cluster, typeof single.side]).toEqual([false, "object"]);
  const cluster = clientOf({ ssubscribe: () => undefined });
  expect([cluster.cluster, cluster.side]).toEqual([true, undefined]);
});

test.each([[undefined], [null], ["config"], [{}]])(
  "nothing is opened beside one that shows no configuration, but %j",
  async (config) => {
    const message = "This version of Valkey GLIDE does not show the configuration of its client";
    for (const error of opened(clientOf({ config })))
      expect(await error).toMatchObject({ message });
  },
);

test("nothing is opened where it is not known how GLIDE opens its socket", async () => {
  Object.defineProperty(GlideClient, "GetSocket", { value: undefined, configurable: true });
  const message = "This version of Valkey GLIDE opens its socket in another way";
  for (const error of opened(clientOf({ config: { addresses: [] } }))) {
    expect(await error).toMatchObject({ message });
  }
});

test.each([
  ["ReadOnly", "READONLY"],
  ["ReadOnly: ", "READONLY"],
  ["SomethingNew: of: a later version\nand more", "ERR of: a later version"],
])(
  "an error of the server that GLIDE calls %j is one in the server's words",
  async (said, words) => {
    const error = new Error(`An error was signalled by the server: - ${said}`);
    const client = clientOf({ customCommand: () => Promise.reject(error) });
    expect(await failure(run(client, "return 1"))).toMatchObject({
      code: "SERVER",
      message: words,
    });
  },
);

test.each([[null], ["a text"]])("what is no error is passed on as it is: %j", async (thrown) => {
  const client = clientOf({
    customCommand: async () => {
      await Promise.resolve();
      AbortSignal.abort(thrown).throwIfAborted(); // Throws it as it is.
    },
  });
  await expect(run(client, "return 1")).rejects.toBe(thrown);
});
