/** What `RedisClient` says of itself and of its connection, of adapters that do. */
import assert from "node:assert/strict";

import type { RedisClient } from "@redislock/core";
import { ServerError } from "@redislock/core/adapter";

import {
  A_WHILE,
  type Bench,
  eventually,
  newScript,
  pause,
  type Register,
  rejection,
} from "./bench.js";
import type { ConformanceOptions } from "./options.js";

const ONE = newScript("return 1");

export function factTests(test: Register, options: ConformanceOptions): void {
  test("does not say of a single server that it is a cluster", async (bench) => {
    const client = await bench.client();
    const alone = String(await bench.command("INFO", "cluster")).includes("cluster_enabled:0");
    assert.ok(!(alone && client.cluster), "cluster is true, of a server that is none");
  });

  test("says the same of a connection as long as that is ready", async (bench) => {
    const client = await bench.client();
    await eventually("epoch stays the same from one answer to the next", async () => {
      await run(bench, client);
      const { epoch } = client;
      await run(bench, client);
      return client.epoch === epoch;
    });
    await eventually("connection is undefined after an answer", () => {
      return client.connection === undefined;
    });
  });

  if (!options.network) return;

  test("says so when it has connected anew", async (bench) => {
    const client = await bench.client();
    await run(bench, client);
    const { epoch } = client;
    await bench.network().cutAll();
    if (!(await answersAgain(bench, client))) return;
    assert.ok(
      epoch === undefined || client.epoch !== epoch,
      "answered over a new connection, at the same epoch",
    );
    await eventually("connection is undefined again after an answer", () => {
      return client.connection === undefined;
    });
  });

  test("is closed only when it is for good", async (bench) => {
    const client = await bench.client();
    await run(bench, client);
    const network = bench.network();
    await network.refuse();
    await network.cutAll();
    await pause(A_WHILE); // In which it notices, and may try to connect again.
    const { closed } = client;
    await network.accept();
    if (closed) {
      await pause(A_WHILE); // In which it would be back.
      const error = await rejection(run(bench, client));
      assert.ok(!(error instanceof ServerError), `no server said so: ${String(error)}`);
      assert.equal(client.closed, true, "was closed, and is not any more");
    }
    if (options.closes ?? true) await isKnownToBeClosedInAnOutage(bench);
  });
}

/** What was closed while the server could not be reached is closed for good, too. */
async function isKnownToBeClosedInAnOutage(bench: Bench): Promise<void> {
  const { client, close } = await bench.connect();
  await run(bench, client);
  const network = bench.network();
  await network.refuse();
  await network.cutAll();
  await pause(A_WHILE); // In which it notices, and tries to connect again.
  // Some wait for answers, which do not come.
  void Promise.allSettled([Promise.resolve().then(close)]);
  await eventually("closed is true", () => client.closed !== false);
}

function run(bench: Bench, client: RedisClient): Promise<unknown> {
  return client.run(ONE, [bench.key("a")], []);
}

/** Whether a client that has lost its connection connects again: some never do. */
async function answersAgain(bench: Bench, client: RedisClient): Promise<boolean> {
  let answered = false;
  await eventually("it answers again, or is closed", async () => {
    answered = await run(bench, client).then(
      () => true,
      () => false,
    );
    return answered || client.closed !== false;
  });
  return answered;
}
