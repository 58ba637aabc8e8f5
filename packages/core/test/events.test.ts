import { describe, expect, jest, test } from "@jest/globals";
import { failure, VirtualClock, waitUntil } from "@redislock/test-kit";

import { linearBackoff, Locker, type LockEvent, type RedisClient } from "../src/index.js";
import { startRedis } from "./redis.js";

const { server, proxy, locker, client, untilInLine } = await startRedis();

/** Keeps what it is told, and can be waited for. */
function recorder(): {
  events: LockEvent[];
  onEvent: (event: LockEvent) => void;
  untilTold: (type: LockEvent["type"]) => Promise<LockEvent>;
} {
  const events: LockEvent[] = [];
  return {
    events,
    onEvent: (event) => {
      events.push(event);
    },
    untilTold: async (type) => {
      const find = (): LockEvent | undefined => events.find((event) => event.type === type);
      await waitUntil(() => find() !== undefined, { what: `the event ${type}` });
      const event = find();
      if (!event) throw new Error("never");
      return event;
    },
  };
}

describe("a locker tells", () => {
  test("obtained and released", async () => {
    const clock = new VirtualClock();
    const { events, onEvent } = recorder();
    const lock = await locker({ clock, onEvent }).obtain(["a", "b"], 10_000);
    const { fencingToken } = lock;
    clock.stall(700);
    await lock.release();
    expect(events).toEqual([
      { type: "obtained", keys: ["a", "b"], waited: 0, tries: 1, fencingToken },
      { type: "released", keys: ["a", "b"], held: 700 },
    ]);
  });

  test("notObtained, with the holder", async () => {
    const { events, onEvent } = recorder();
    const { fencingToken } = await locker().obtain("k", 10_000, { metadata: "host 7" });
    const one = locker({ onEvent });
    await one.tryObtain("k", 10_000);
    await failure(one.obtain("k", 10_000));
    const remaining: unknown = expect.any(Number);
    const waited: unknown = expect.any(Number);
    const holder = { metadata: "host 7", fencingToken, remaining };
    const event = { type: "notObtained", keys: ["k"], waited, tries: 1, holder };
    expect(events).toEqual([event, event]);
  });

  test("waited, when polling had to ask again", async () => {
    const { events, onEvent } = recorder();
    await server.command("SET", "k", "another's", "PX", "60000");
    const obtaining = locker({ onEvent }).obtain("k", 60_000, { retry: linearBackoff(5) });
    await proxy.commands.waitFor("EVALSHA", { count: 2 });
    await server.command("DEL", "k");
    await obtaining;
    expect(events).toMatchObject([{ type: "waited", keys: ["k"] }, { type: "obtained" }]);
    const [first, second] = events;
    if (first?.type !== "waited" || second?.type !== "obtained") throw new Error("never");
    expect(first.waited).toBeGreaterThanOrEqual(5);
    expect(second.waited).toBeGreaterThanOrEqual(first.waited);
    expect(second.tries).toBeGreaterThan(1);
  });

  test("waited, however the wait ends", async () => {
    const { events, onEvent } = recorder();
    await server.command("SET", "k", "another's", "PX", "60000");
    const clock = new VirtualClock();
    const waiting = failure(locker({ clock, onEvent }).obtain("k", 60_000, { wait: 50 }));
    await untilInLine("k", 1, "told");
    await clock.until(waiting);
    expect(events.map(({ type }) => type)).toEqual(["waited", "notObtained"]);
    events.length = 0;
    const control = new AbortController();
    const options = { retry: linearBackoff(5), signal: control.signal };
    proxy.commands.clear();
    const polling = failure(locker({ onEvent }).obtain("k", 60_000, options));
    await proxy.commands.waitFor("EVALSHA", { count: 2 });
    control.abort();
    await polling;
    expect(events.map(({ type }) => type)).toEqual(["waited"]);
  });

  test("obtained, with the wait in line", async () => {
    const { onEvent, untilTold } = recorder();
    const holder = await locker().obtain("k", 60_000);
    const clock = new VirtualClock();
    const waiting = locker({ clock, onEvent }).obtain("k", 60_000, { wait: Infinity });
    await untilInLine("k", 1, "told");
    clock.stall(3_000);
    await holder.release();
    const { fencingToken } = await waiting;
    expect(await untilTold("obtained")).toMatchObject({ waited: 3_000, fencingToken });
    expect(await untilTold("waited")).toMatchObject({ waited: 3_000, keys: ["k"] });
  });

  test("waited, also of a wait that is over with its first command", async () => {
    const { events, onEvent } = recorder();
    const clock = new VirtualClock();
    const one = locker({ clock, onEvent });
    const types = (): string[] => events.splice(0).map(({ type }) => type);
    await locker().obtain("busy", 60_000);
    // Whoever waits first opens the channel, and asks once more when that is done.
    const first = failure(one.obtain("busy", 60_000, { wait: 10_000 }));
    await untilInLine("busy", 1, "told");
    const holder = await locker().obtain("k", 60_000);
    const granted = one.obtain("k", 60_000, { wait: 10_000 });
    await untilInLine("k", 1, "told");
    await holder.release();
    await granted;
    expect(types()).toEqual(["waited", "obtained"]);
    const over = failure(one.obtain("k", 60_000, { wait: 100 }));
    await untilInLine("k", 1, "told");
    await clock.until(over);
    expect(types()).toEqual(["waitingForOwn", "waited", "notObtained"]);
    await one.close();
    await first;
  });

  test("renewed", async () => {
    const clock = new VirtualClock();
    const { onEvent, untilTold } = recorder();
    await locker({ clock, onEvent }).obtain("k", 9_000, { renew: true });
    clock.advance(3_300);
    expect(await untilTold("renewed")).toEqual({ type: "renewed", keys: ["k"], remaining: 8_608 });
  });

  test("renewalFailed, and then lost", async () => {
    const clock = new VirtualClock();
    const { onEvent, untilTold } = recorder();
    const lock = await locker({ clock, onEvent }).obtain("k", 9_000, { renew: true });
    const silence = proxy.silence();
    clock.advance(3_000);
    await silence.happened;
    clock.advance(2_000);
    const { signal } = lock;
    expect(await untilTold("renewalFailed")).toEqual({
      type: "renewalFailed",
      keys: ["k"],
      remaining: 8_908 - 5_000,
      error: expect.objectContaining({ code: "UNKNOWN", operation: "refresh" }),
    });
    clock.advance(10_000);
    const { error, ...rest } = Object.assign({ error: undefined }, await untilTold("lost"));
    expect(rest).toEqual({ type: "lost", keys: ["k"] });
    expect(error).toBe(signal.reason);
    expect(error).toMatchObject({ code: "LOST", reason: "unreachable" });
  });

  test("lost, once, when another has taken the lock", async () => {
    const { events, onEvent } = recorder();
    const lock = await locker({ onEvent }).obtain("k", 10_000);
    await server.command("SET", "k", "another's");
    await failure(lock.refresh());
    await failure(lock.refresh());
    await failure(lock.release());
    expect(events).toMatchObject([
      { type: "obtained" },
      { type: "lost", keys: ["k"], error: { reason: "taken" } },
    ]);
  });

  test("releaseFailed, when nobody can be thrown at", async () => {
    const { events, onEvent } = recorder();
    const clock = new VirtualClock();
    const lock = await locker({ clock, onEvent }).obtain("k", 10_000);
    const silence = proxy.silence();
    const disposed = lock[Symbol.asyncDispose]();
    await silence.happened;
    clock.advance(2_000);
    await disposed;
    expect(events.slice(1)).toEqual([
      {
        type: "releaseFailed",
        keys: ["k"],
        error: expect.objectContaining({ code: "UNKNOWN", operation: "release" }),
      },
    ]);
  });

  test("subscribeFailed, and waits by asking", async () => {
    const redis = client();
    const deaf: RedisClient = {
      run: (...question) => redis.run(...question),
      subscribe: () => Promise.reject(new Error("no channel for you")),
    };
    const { events, onEvent, untilTold } = recorder();
    const holder = await locker().obtain("k", 60_000);
    const waiting = new Locker(deaf, { onEvent }).obtain("k", 60_000, { wait: Infinity });
    expect(await untilTold("subscribeFailed")).toEqual({
      type: "subscribeFailed",
      error: expect.objectContaining({ message: "no channel for you" }),
    });
    await holder.release();
    await waiting;
    expect(events.filter(({ type }) => type === "subscribeFailed")).toHaveLength(1);
  });

  // lateGrantReleased: see abort.test.ts.
});

const badListeners: [string, (event: LockEvent) => void][] = [
  [
    "throws",
    () => {
      throw new Error("the listener's own");
    },
  ],
  ["rejects", async () => Promise.reject(new Error("the listener's own"))],
];

test.each(badListeners)(
  "a listener that %s disturbs nothing, and is complained of",
  async (_, onEvent) => {
    const complaints = jest.spyOn(console, "error").mockImplementation(() => undefined);
    try {
      const one = locker({ onEvent });
      const lock = await one.obtain("k", 10_000);
      expect(await one.tryObtain("k", 10_000)).toBeNull();
      await lock.release();
      expect(await one.using("k", 10_000, () => "done")).toBe("done");
      expect(await server.command("EXISTS", "k")).toBe(0);
      const told = ["obtained", "notObtained", "released", "obtained", "released"];
      expect(complaints).toHaveBeenCalledTimes(told.length);
      expect(complaints).toHaveBeenCalledWith(
        expect.stringContaining("onEvent"),
        expect.objectContaining({ message: "the listener's own" }),
      );
    } finally {
      complaints.mockRestore();
    }
  },
);
