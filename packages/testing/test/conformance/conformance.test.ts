import { afterAll, describe, expect, it, test } from "@jest/globals";
import { startProxiedServer } from "@redislock/test-kit";

import { conformance, type ConformanceOptions } from "../../src/conformance.js";
import { memoryClient, type MemoryClient, MemoryServer } from "../../src/index.js";
import { namesOf } from "./collecting-runner.js";
import { over } from "./over.js";
import { SocketAdapter } from "./socket-adapter.js";

const home = await startProxiedServer();
afterAll(() => home.stop());

describe("an adapter over a bare connection", () => {
  conformance({ describe, it }, over(SocketAdapter, home));
});

describe("the client in memory", () => {
  const server = new MemoryServer();
  const clients = new Set<MemoryClient>();
  conformance(
    { describe, it },
    {
      connect() {
        const client = memoryClient(server);
        clients.add(client);
        return { client, close: () => client.close() };
      },
      async command(name, ...args) {
        if (name !== "CLIENT") return server.command(name, ...args);
        for (const client of clients) client.speak({ lose: true });
        return "OK";
      },
      loseNextReply() {
        for (const client of clients) client.loseNextReply();
      },
    },
  );
});

describe("is left out:", () => {
  const all: ConformanceOptions = {
    ...over(SocketAdapter, home),
    loseNextReply: () => void home.proxy.dropNextReply("EVALSHA"),
  };
  const names = namesOf((run) => conformance(run, all));

  /** What is missing of all tests under these options. */
  function missing(options: Partial<ConformanceOptions>): string[] {
    const there = namesOf((run) => conformance(run, { ...all, ...options }));
    return names.filter((name) => !there.includes(name));
  }

  test("what an adapter cannot that does not subscribe", () => {
    expect(missing({ subscribes: false })).toContain(
      "the adapter › hears what is published from the moment on in which it has subscribed",
    );
  });

  test("what a client cannot that has nothing to close", () => {
    expect(missing({ closes: false })).toEqual([
      "the adapter › rejects, not with a ServerError, once it was closed",
    ]);
  });

  test("what needs more than was given", () => {
    const least = namesOf((run) => {
      conformance(run, { connect: () => all.connect(), command: () => Promise.resolve() });
    });
    expect(names.filter((name) => !least.includes(name))).toEqual(
      expect.arrayContaining([
        "the adapter › does not call a lost reply an answer of the server",
        "the adapter › rejects with a ServerError when the user may not subscribe",
        "the adapter › comes back when the server does, and says so once",
        "the lock, through the adapter › a refresh whose reply was lost is done",
      ]),
    );
  });

  test("the half that is not wanted", () => {
    expect(missing({ only: "adapter" }).every((name) => name.startsWith("the lock"))).toBe(true);
    expect(missing({ only: "lock" }).every((name) => name.startsWith("the adapter"))).toBe(true);
    const halves = [...missing({ only: "adapter" }), ...missing({ only: "lock" })];
    expect(halves.sort()).toEqual([...names].sort());
  });
});
