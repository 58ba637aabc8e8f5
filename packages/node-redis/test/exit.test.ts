import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import {
  type Compiled,
  compilePackage,
  startProcess,
  startProxy,
  startServer,
  type FaultProxy,
  type NodeProcess,
  type RedisServer,
} from "@redislock/test-kit";
import { performance } from "node:perf_hooks";

/** Milliseconds for a process to end that has nothing more to do. */
const PROMPT = 1_800;

let compiled: Compiled;
let server: RedisServer;
let proxy: FaultProxy;
let child: NodeProcess;

beforeAll(async () => {
  compiled = await compilePackage(new URL("..", import.meta.url));
  server = await startServer();
});

afterAll(async () => {
  await server.stop();
  await compiled.remove();
});

const kinds = [
  "client of node-redis 5",
  "client of node-redis 6",
  "pool of node-redis 5",
  "pool of node-redis 6",
];

describe.each(kinds)("%s: a process that has nothing more to do ends", (kind) => {
  beforeEach(async () => {
    proxy = await startProxy(server.port);
    child = startProcess(compiled.file("subscriber"), {
      args: [kind, `${proxy.port}`],
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
    await server.command("PUBLISH", "channel", "hello");
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
