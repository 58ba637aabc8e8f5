import { describe, expect, test } from "@jest/globals";

import { ServerError } from "@redislock/core/adapter";

import { ManualClock, MemoryServer } from "../src/index.js";

const NUMSUB = ["PUBSUB", "NUMSUB", "news"] as const;

describe("who listens", () => {
  test("is counted by PUBLISH and by PUBSUB NUMSUB, for as long as it does", () => {
    const server = new MemoryServer();
    const stop = server.subscribe("news", () => undefined);
    server.subscribe("news", () => undefined);
    server.subscribe("other", () => undefined);
    expect(server.command("PUBLISH", "news", "x")).toBe("2");
    expect(server.command(...NUMSUB, "nobody")).toEqual(["news", "2", "nobody", "0"]);
    stop();
    expect(server.command(...NUMSUB)).toEqual(["news", "1"]);
  });

  test("hears at a replica what is published here, and is not counted", () => {
    const server = new MemoryServer();
    const heard: string[] = [];
    const stop = server.replica().subscribe("news", (text) => heard.push(text));
    expect(server.command("PUBLISH", "news", "first")).toBe("0");
    expect(server.command(...NUMSUB)).toEqual(["news", "0"]);
    expect(heard).toEqual(["first"]);
    stop();
    server.command("PUBLISH", "news", "second");
    expect(heard).toEqual(["first"]);
  });

  test("hears at a slow replica later, unless it does not listen any more", async () => {
    const clock = new ManualClock();
    const server = new MemoryServer({ clock });
    const heard: string[] = [];
    const stop = server.replica({ delay: 50 }).subscribe("news", (text) => heard.push(text));
    server.command("PUBLISH", "news", "first");
    await clock.advance(49);
    expect(heard).toEqual([]);
    await clock.advance(1);
    expect(heard).toEqual(["first"]);
    server.command("PUBLISH", "news", "second");
    stop();
    await clock.advance(50);
    expect(heard).toEqual(["first"]);
  });
});

describe("a server that counts wrongly", () => {
  test.each([0, 1] as const)("says %d of a message, and sends it", (count) => {
    const server = new MemoryServer();
    const heard: string[] = [];
    for (let i = 0; i < 2; i++) server.subscribe("news", (text) => heard.push(text));
    server.miscount({ publish: count });
    expect(server.command("PUBLISH", "news", "x")).toBe(String(count));
    expect(server.command(...NUMSUB)).toEqual(["news", "2"]);
    expect(heard).toEqual(["x", "x"]);
  });

  test.each([0, 1] as const)("says %d of a channel", (count) => {
    const server = new MemoryServer();
    for (let i = 0; i < 2; i++) server.subscribe("news", () => undefined);
    server.miscount({ numsub: count });
    expect(server.command(...NUMSUB)).toEqual(["news", String(count)]);
    expect(server.command("PUBLISH", "news", "x")).toBe("2");
    server.miscount({});
    expect(server.command(...NUMSUB)).toEqual(["news", "2"]);
  });

  test("may refuse instead, and then sends nothing", () => {
    const server = new MemoryServer();
    const heard: string[] = [];
    server.subscribe("news", (text) => heard.push(text));
    server.miscount({ publish: "refused", numsub: "refused" });
    expect(() => server.command("PUBLISH", "news", "x")).toThrow(ServerError);
    expect(() => server.command(...NUMSUB)).toThrow(ServerError);
    expect(heard).toEqual([]);
  });
});
