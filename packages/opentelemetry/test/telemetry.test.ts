/** Locks of both adapters, told to the real SDK. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { type Attributes, ROOT_CONTEXT, SpanStatusCode, trace } from "@opentelemetry/api";
import { MeterProvider } from "@opentelemetry/sdk-metrics";
import { Locker, type LockerOptions, type RedisClient } from "@redislock/core";
import { scripts } from "@redislock/core/adapter";
import {
  failure,
  scriptRunBy,
  startProxiedServer,
  untilInLine,
  VirtualClock,
  waitUntil,
} from "@redislock/test-kit";

import { telemetry, type TelemetryOptions, traceMetadata } from "../src/index.js";
import { milliseconds, startSdk } from "./sdk.js";
import { adapters, type User } from "./users.js";

const TTL = 10_000;
const { inspect } = scripts;
const { server, proxy, stop } = await startProxiedServer();
const sdk = startSdk();
const tracer = trace.getTracer("test");
afterAll(async () => {
  await sdk.stop();
  await stop();
});

describe.each(adapters)("$adapter", ({ connect }) => {
  const users: User[] = [];
  const lockers: Locker[] = [];

  beforeAll(() => sdk.reset());

  afterEach(async () => {
    await proxy.heal();
    await Promise.all(lockers.splice(0).map((one) => one.close()));
    for (const user of users.splice(0)) user.quit();
    await server.command("FLUSHALL");
    sdk.reset();
  });

  async function locker(
    options: LockerOptions = {},
    telling: TelemetryOptions = { name: (key) => key.split(":")[0] },
  ): Promise<Locker> {
    const user = await connect(proxy.port);
    users.push(user);
    const one = user.locker({ ...options, onEvent: telemetry(telling) });
    lockers.push(one);
    return one;
  }

  const order = { "redislock.mode": "exclusive", "redislock.name": "order" };

  /** What is held and what waits, by now. */
  async function now(): Promise<{ held: number; waiting: number }> {
    const count = async (metric: string): Promise<number> =>
      (await sdk.series(metric)).reduce((sum, series) => sum + series.count, 0);
    return { held: await count("redislock.held"), waiting: await count("redislock.waiting") };
  }

  test("a lock: obtained, held for so long, and released", async () => {
    const one = await locker();
    let fencingToken: number | undefined;
    const caller = await tracer.startActiveSpan("ship", async (span) => {
      const lock = await one.obtain("order:42", TTL);
      ({ fencingToken } = lock);
      expect(await now()).toEqual({ held: 1, waiting: 0 });
      await lock.release();
      span.end();
      return span.spanContext();
    });
    expect(await now()).toEqual({ held: 0, waiting: 0 });
    expect(await sdk.series("redislock.obtain.duration")).toMatchObject([
      { count: 1, attributes: { ...order, "redislock.outcome": "obtained" } },
    ]);
    expect(await sdk.series("redislock.hold.duration")).toMatchObject([
      { count: 1, attributes: { ...order, "redislock.outcome": "released" } },
    ]);
    const [obtain] = sdk.spans("obtain order");
    const [hold] = sdk.spans("hold order");
    const keys = { "redislock.keys": ["order:42"] };
    expect(obtain?.attributes).toEqual({ ...order, ...keys, "redislock.outcome": "obtained" });
    expect(hold?.attributes).toEqual({
      ...{ ...order, ...keys, "redislock.outcome": "released" },
      "redislock.fencing_token": fencingToken,
    });
    for (const span of [obtain, hold]) {
      expect(span?.parentSpanContext).toMatchObject({ spanId: caller.spanId });
      expect(span?.spanContext().traceId).toBe(caller.traceId);
      expect(span?.status.code).toBe(SpanStatusCode.UNSET);
      expect(span?.links).toEqual([]);
    }
    expect(sdk.moments).toEqual([
      ...["ship began", "obtain order began", "obtain order ended"],
      ...["hold order began", "hold order ended", "ship ended"],
    ]);
  });

  test("durations are seconds", async () => {
    const [holder, one] = [await locker(), await locker()];
    const lock = await holder.obtain("order:42", TTL);
    const obtaining = one.obtain("order:42", TTL, { wait: Infinity });
    await untilInLine(server, "order:42", 1, { told: true });
    const started = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 100));
    await lock.release();
    await (await obtaining).release();
    const upTo = (performance.now() - started + 5_000) / 1_000;
    const obtained = await sdk.series("redislock.obtain.duration");
    const held = await sdk.series("redislock.hold.duration");
    for (const [{ sum } = { sum: 0 }] of [obtained, held]) {
      expect(sum).toBeGreaterThan(0.09);
      expect(sum).toBeLessThan(upTo);
    }
    expect(await sdk.units()).toEqual({
      "redislock.obtain.duration": "s",
      "redislock.hold.duration": "s",
      "redislock.held": "{lock}",
      "redislock.waiting": "{obtain}",
    });
  });

  describe("an obtain ends", () => {
    const outcomes = async (): Promise<unknown[]> =>
      (await sdk.series("redislock.obtain.duration")).map(({ attributes }) => [
        attributes["redislock.outcome"],
        attributes["error.type"],
      ]);

    test("with a no: no error", async () => {
      await server.command("SET", "order:42", "another's", "PX", "60000");
      expect(await (await locker()).tryObtain("order:42", TTL)).toBeNull();
      expect(await outcomes()).toEqual([["not_obtained", undefined]]);
      const [span] = sdk.spans("obtain order");
      expect(span?.attributes).toMatchObject({ "redislock.outcome": "not_obtained" });
      expect(span?.status.code).toBe(SpanStatusCode.UNSET);
      expect(sdk.spans("hold order")).toEqual([]);
      expect(await now()).toEqual({ held: 0, waiting: 0 });
    });

    test.each(["its signal", "close"])("after a wait, by %s: aborted", async (by) => {
      const held = await (await locker()).obtain("order:42", TTL);
      const one = await locker();
      const control = new AbortController();
      const { signal } = control;
      const failed = failure(one.obtain("order:42", TTL, { wait: Infinity, signal }));
      await untilInLine(server, "order:42", 1, { told: true });
      expect(await now()).toEqual({ held: 1, waiting: 1 });
      if (by === "close") await one.close();
      else control.abort();
      await failed;
      expect(await now()).toEqual({ held: 1, waiting: 0 });
      const type = by === "close" ? "CLOSED" : "AbortError";
      expect(await outcomes()).toEqual([
        ["obtained", undefined],
        ["aborted", type],
      ]);
      const span = sdk.spans("obtain order").at(-1);
      expect(span?.attributes).toMatchObject({ "error.type": type });
      expect(span?.status.code).toBe(SpanStatusCode.UNSET);
      expect(span?.events).toMatchObject([
        { name: "waiting", attributes: { "redislock.position": 1 } },
      ]);
      await held.release();
    });

    test("with trouble: failed, and what it was", async () => {
      await server.command("HSET", "order:42", "not", "a lock");
      const error = await failure((await locker()).obtain("order:42", TTL));
      expect(await outcomes()).toEqual([["failed", "NOT_A_LOCK"]]);
      const [span] = sdk.spans("obtain order");
      const message = error instanceof Error ? error.message : "";
      expect(span?.status).toEqual({ code: SpanStatusCode.ERROR, message });
      expect(message).not.toBe("");
    });

    test("in silence: failed, and what was granted late is counted", async () => {
      const one = await locker({ commandTimeout: 1_000 });
      const silence = proxy.silenceReplies();
      const failed = failure(one.obtain("order:42", TTL));
      await silence.happened;
      await failed;
      proxy.speak({ deliver: true });
      await waitUntil(async () => (await sdk.series("redislock.late_grants")).length > 0, {
        what: "the late grant",
      });
      expect(await sdk.series("redislock.late_grants")).toEqual([
        { attributes: order, count: 1, sum: 1 },
      ]);
      expect(await outcomes()).toEqual([["failed", "UNKNOWN"]]);
      expect(await now()).toEqual({ held: 0, waiting: 0 });
    });
  });

  describe("a lock ends", () => {
    test("by being lost: held no more, and why", async () => {
      const lock = await (await locker()).obtain("order:42", TTL);
      await server.command("DEL", "order:42");
      const error = await failure(lock.refresh());
      await failure(lock.release());
      expect(await now()).toEqual({ held: 0, waiting: 0 });
      const lost = { ...order, "error.type": "deleted" };
      expect(await sdk.series("redislock.lost")).toEqual([{ attributes: lost, count: 1, sum: 1 }]);
      expect(await sdk.series("redislock.hold.duration")).toMatchObject([
        { count: 1, attributes: { ...lost, "redislock.outcome": "lost" } },
      ]);
      const [hold, ...more] = sdk.spans("hold order");
      expect(more).toEqual([]);
      expect(hold?.attributes).toMatchObject({ "redislock.outcome": "lost" });
      expect(hold?.status.code).toBe(SpanStatusCode.ERROR);
      expect(error).toBeInstanceOf(Error);
    });

    test("by a release without an answer: held no more, once", async () => {
      const one = await locker({ commandTimeout: 1_000 });
      const lock = await one.obtain("order:42", TTL);
      const silence = proxy.silenceReplies();
      const failed = failure(lock.release());
      await silence.happened;
      await failed;
      proxy.speak({ deliver: true });
      await failure(lock.release()); // It is gone.
      expect(await now()).toEqual({ held: 0, waiting: 0 });
      const ended = { "redislock.outcome": "release_failed", "error.type": "UNKNOWN" };
      expect(await sdk.series("redislock.hold.duration")).toMatchObject([
        { count: 1, attributes: { ...order, ...ended } },
      ]);
      const [hold, ...more] = sdk.spans("hold order");
      expect(more).toEqual([]);
      expect(hold?.status.code).toBe(SpanStatusCode.ERROR);
    });

    test("after renewals that failed: each is counted", async () => {
      const clock = new VirtualClock();
      const one = await locker({ clock });
      const lock = await one.obtain("order:42", 9_000, { renew: true });
      const silence = proxy.silence();
      clock.advance(3_000);
      await silence.happened;
      clock.advance(2_000);
      await waitUntil(async () => (await sdk.series("redislock.renewal.failures")).length > 0, {
        what: "the failure",
      });
      clock.advance(10_000);
      expect(lock.held).toBe(false);
      const failures = await sdk.series("redislock.renewal.failures");
      expect(failures).toMatchObject([{ attributes: { ...order, "error.type": "UNKNOWN" } }]);
      const [hold] = sdk.spans("hold order");
      expect(hold?.events.map(({ name }) => name)).toEqual(
        Array.from({ length: failures[0]?.count ?? 0 }, () => "renewal failed"),
      );
      expect(hold?.attributes).toMatchObject({ "error.type": "unreachable" });
    });
  });

  test.each([
    ["shared", { mode: "shared" }, {}],
    ["counted", { limit: 5, permits: 2 }, { "redislock.permits": 2, "redislock.limit": 5 }],
  ] as const)("a %s lock: its mode, and what it takes in spans alone", async (mode, how, more) => {
    const lock = await (await locker()).obtain("order:42", TTL, how);
    const attributes = { "redislock.mode": mode, "redislock.name": "order" };
    expect(await sdk.series("redislock.held")).toEqual([{ attributes, count: 1, sum: 1 }]);
    await lock.release();
    for (const name of ["obtain order", "hold order"]) {
      expect(sdk.spans(name)[0]?.attributes).toMatchObject({ ...attributes, ...more });
    }
  });

  describe("names", () => {
    test("none by default, and none where there is none: metrics hold no key", async () => {
      const [nameless, some] = [await locker({}, {}), await locker({}, { name: () => undefined })];
      for (const one of [nameless, some]) await one.using("order:42", TTL, () => undefined);
      for (const metric of ["redislock.obtain.duration", "redislock.hold.duration"]) {
        const [series, ...more] = await sdk.series(metric);
        expect(more).toEqual([]);
        expect(series?.count).toBe(2);
        expect(JSON.stringify(series?.attributes)).not.toContain("order");
        expect(Object.keys(series?.attributes ?? {}).sort()).toEqual([
          ...["redislock.mode", "redislock.outcome"],
        ]);
      }
      expect(sdk.spans("obtain")).toHaveLength(2);
      expect(sdk.spans("hold")).toHaveLength(2);
    });

    test("of the first key, and all of them", async () => {
      const asked: unknown[] = [];
      const name = (...of: unknown[]): string => {
        asked.push(of);
        return "both";
      };
      await (await locker({}, { name })).using(["a", "b"], TTL, () => undefined);
      expect(asked).toEqual([["a", ["a", "b"]]]);
      expect(sdk.spans("hold both")).toHaveLength(1);
    });
  });

  describe("links", () => {
    test("of a wait to the span in which the lock was asked for", async () => {
      const [holder, one] = [await locker(), await locker({}, { links: true })];
      const [lock, holding] = await tracer.startActiveSpan("ship", async (span) => {
        const metadata = traceMetadata("host 7");
        const obtained = await holder.obtain("order:42", TTL, { metadata });
        span.end();
        return [obtained, span.spanContext()] as const;
      });
      const obtaining = one.obtain("order:42", TTL, { wait: Infinity });
      await untilInLine(server, "order:42", 1, { told: true });
      await lock.release();
      await (await obtaining).release();
      const spans = (): readonly unknown[] => sdk.spans("obtain");
      await waitUntil(() => spans().length === 1, { what: "the span to end" });
      const [span] = sdk.spans("obtain");
      const { traceId, spanId } = holding;
      expect(span?.links).toMatchObject([{ context: { traceId, spanId, isRemote: true } }]);
    });

    test("not unless they are wanted, and then no command is sent for them", async () => {
      const [holder, one] = [await locker(), await locker({}, {})];
      const lock = await tracer.startActiveSpan("ship", async (span) => {
        span.end();
        return holder.obtain("order:42", TTL, { metadata: traceMetadata() });
      });
      proxy.commands.clear();
      const obtaining = one.obtain("order:42", TTL, { wait: Infinity });
      await untilInLine(server, "order:42", 1, { told: true });
      await lock.release();
      await (await obtaining).release();
      expect(sdk.spans("obtain")[0]?.links).toEqual([]);
      expect(proxy.commands.all.map((command) => scriptRunBy(command, [inspect]))).toEqual(
        proxy.commands.all.map(() => undefined),
      );
    });

    test("none of a wait that comes of the same span, or for metadata that tell of none", async () => {
      const one = await locker({}, { links: true });
      await tracer.startActiveSpan("ship", async (span) => {
        const lock = await one.obtain("order:42", TTL, { metadata: traceMetadata() });
        const other = await one.obtain("order:43", TTL, { metadata: "traceparent=00-no-no-no" });
        for (const held of [lock, other]) {
          const obtaining = one.obtain(held.key, TTL, { wait: Infinity });
          await untilInLine(server, held.key, 1, { told: true });
          await held.release();
          await (await obtaining).release();
        }
        span.end();
      });
      await waitUntil(() => sdk.spans("obtain").length === 4, { what: "the spans to end" });
      expect(sdk.spans("obtain").flatMap(({ links }) => links)).toEqual([]);
    });

    test("a wait that is not told who has the lock ends its span all the same", async () => {
      await server.command("SET", "order:42", "another's", "PX", "60000");
      const user = await connect(proxy.port);
      users.push(user);
      const { client } = user;
      let isAsked = (): void => undefined;
      const asked = new Promise<void>((resolve) => (isAsked = resolve));
      const mute: RedisClient = {
        run: (script, ...rest) => {
          if (script.name !== "inspect") return client.run(script, ...rest);
          isAsked();
          return new Promise<never>(() => undefined);
        },
      };
      const onEvent = telemetry({ links: true });
      const one = new Locker(mute, { commandTimeout: 200, onEvent });
      lockers.push(one);
      const control = new AbortController();
      const { signal } = control;
      const failed = failure(one.obtain("order:42", TTL, { wait: Infinity, signal }));
      await asked;
      control.abort();
      await failed;
      const aborted = Date.now();
      await waitUntil(() => sdk.spans("obtain").length === 1, { what: "the span to end" });
      const [span] = sdk.spans("obtain");
      expect(span?.links).toEqual([]);
      // It ended when the obtain did, not when that was known.
      expect(milliseconds(span?.endTime ?? [0, 0])).toBeLessThanOrEqual(aborted);
    });
  });
});

test("a lock belongs where it was asked for, wherever it is told; a measurement to its span", () => {
  const measured: unknown[] = [];
  const process = (attributes: Attributes, within = ROOT_CONTEXT): Attributes => {
    measured.push(trace.getSpanContext(within)?.spanId);
    return attributes;
  };
  const views = [{ instrumentName: "redislock.*.duration", attributesProcessors: [{ process }] }];
  const tell = telemetry({ meterProvider: new MeterProvider({ views }) });
  const of = { id: 1, mode: "exclusive", permits: 1, limit: undefined, keys: ["key"] } as const;
  const caller = tracer.startActiveSpan("ship", (span) => {
    tell({ type: "obtaining", ...of });
    span.end();
    return span.spanContext();
  });
  tell({ type: "obtained", waited: 1, tries: 1, fencingToken: 1, ...of });
  tell({ type: "released", held: 1, fencingToken: 1, ...of });
  const spans = [...sdk.spans("obtain"), ...sdk.spans("hold")];
  expect(spans.map((span) => span.parentSpanContext?.spanId)).toEqual(Array(2).fill(caller.spanId));
  expect(measured).toEqual(spans.map((span) => span.spanContext().spanId));
});

test.each<[string, unknown, RegExp]>([
  ["no object", 5, /options must be an object/],
  ["an unknown option", { nam: 1 }, /options has no "nam": there are name, links/],
  ["a name that is no function", { name: "orders" }, /name must be a function/],
  ["links that are no boolean", { links: 1 }, /links must be a boolean/],
  ["a provider that is none", { meterProvider: null }, /meterProvider must be an object/],
])("options are checked: %s", (_, options, message) => {
  // @ts-expect-error -- That is what is tested.
  const wrong: TelemetryOptions = options;
  expect(() => telemetry(wrong)).toThrow(message);
});
