/** That nothing of a subscription keeps a process alive. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { performance } from "node:perf_hooks";

import { compilePackage, type Compiled } from "../processes/compile.js";
import { startProcess, type NodeProcess } from "../processes/node-process.js";
import { startProxy, type FaultProxy } from "../proxy/fault-proxy.js";
import { startSentinelOf } from "../servers/redis-sentinel.js";
import { startServer, type RedisServer } from "../servers/redis-server.js";
import { CHANNEL } from "./subscriptions.js";

/** Milliseconds for a process to end that has nothing more to do. */
const PROMPT = 1_800;

/**
 * @param folder - Of the adapter's package, whose test process `subscriber` is what is to end: it takes a
 *   kind, the port of a server, and that of a sentinel which watches over it, and is `stayUntilTold`.
 */
export function exitTests(folder: URL, kinds: readonly string[]): void {
  let compiled: Compiled;
  let server: RedisServer;
  let sentinel: RedisServer;
  let proxy: FaultProxy;
  let child: NodeProcess;

  beforeAll(async () => {
    [compiled, server] = await Promise.all([compilePackage(folder), startServer()]);
    sentinel = await startSentinelOf(server);
  });

  afterAll(async () => {
    await sentinel.stop();
    await server.stop();
    await compiled.remove();
  });

  describe.each(kinds)("%s: a process that has nothing more to do ends", (kind) => {
    beforeEach(async () => {
      proxy = await startProxy(server.port);
      child = startProcess(compiled.file("subscriber"), {
        args: [kind, `${proxy.port}`, `${sentinel.port}`],
      });
      await child.waitForLine("subscribed");
    });

    afterEach(async () => {
      await child.stop();
      await proxy.stop();
    });

    async function expectItToEnd(line = "go"): Promise<void> {
      child.send(line);
      await child.waitForLine("done");
      const before = performance.now();
      await expect(child.exited).resolves.toEqual({ code: 0, signal: null });
      expect(performance.now() - before).toBeLessThan(PROMPT);
      expect(child.stderr).toBe("");
    }

    test("while it is subscribed", async () => {
      await server.command("PUBLISH", CHANNEL, "hello");
      await child.waitForLine("message: hello");
      await expectItToEnd();
    });

    test("after it has resumed", async () => {
      await proxy.cutAll();
      await child.waitForLine("resumed");
      await expectItToEnd();
    });

    test("while the server cannot be reached", async () => {
      proxy.refuse();
      await proxy.cutAll();
      await expectItToEnd();
    });

    test("while the server does not answer", async () => {
      proxy.silence();
      await expectItToEnd();
    });

    test("when the subscription is closed while the server does not answer", async () => {
      proxy.silence();
      await expectItToEnd("close");
    });

    test("while a new connection is not answered", async () => {
      proxy.commands.clear();
      proxy.silence();
      await proxy.cutAll();
      await proxy.commands.waitFor(() => true);
      await expectItToEnd();
    });
  });
}
