/** Before an SDK is set up, and where there is none. */
import { afterAll, expect, test } from "@jest/globals";
import { scripts } from "@redislock/core/adapter";
import { type Span, type TracerProvider } from "@opentelemetry/api";
import { scriptRunBy, startProxiedServer, untilInLine, waitUntil } from "@redislock/test-kit";

import { telemetry, traceMetadata } from "../src/index.js";
import { startSdk } from "./sdk.js";
import { adapters, type User } from "./users.js";

const TTL = 10_000;
const { server, proxy, stop } = await startProxiedServer();
const users: User[] = [];
afterAll(async () => {
  for (const user of users) user.quit();
  await stop();
});

async function connect(): Promise<User> {
  const [{ connect: open } = { connect: undefined }] = adapters;
  if (!open) throw new Error("never");
  const user = await open(proxy.port);
  users.push(user);
  return user;
}

test("nothing is asked for links, and metadata are as they were given", async () => {
  const [holder, waiter] = [await connect(), await connect()];
  const metadata = traceMetadata("host 7");
  expect(metadata).toBe("host 7");
  const lock = await holder.locker({}).obtain("k", TTL, { metadata });
  const one = waiter.locker({ onEvent: telemetry({ links: true }) });
  const obtaining = one.obtain("k", TTL, { wait: Infinity });
  await untilInLine(server, "k", 1, { told: true });
  await lock.release();
  await (await obtaining).release();
  const asked = proxy.commands.all.map((command) => scriptRunBy(command, Object.values(scripts)));
  expect(asked.map((script) => script?.name)).not.toContain("inspect");
  await one.close();
});

test("an SDK that is set up later is told of what begins from then on, and of nothing by half", async () => {
  const user = await connect();
  const one = user.locker({ onEvent: telemetry() });
  const before = await one.obtain("before", TTL);
  const sdk = startSdk();
  const after = await one.obtain("after", TTL);
  const attributes = { "redislock.mode": "exclusive" };
  expect(await sdk.series("redislock.held")).toEqual([{ attributes, count: 1, sum: 1 }]);
  await before.release();
  expect(await sdk.series("redislock.held")).toEqual([{ attributes, count: 1, sum: 1 }]);
  await after.release();
  expect(await sdk.series("redislock.held")).toEqual([]);
  expect(sdk.spans("hold")).toHaveLength(1);
  await one.close();
  await sdk.stop();
});

test("a tracer that takes no links disturbs nobody, and its span ends", async () => {
  const [holder, waiter] = [await connect(), await connect()];
  const ended: string[] = [];
  class Unlinked implements Span {
    readonly #name: string;
    constructor(name: string) {
      this.#name = name;
    }
    readonly spanContext = () => ({ traceId: "", spanId: "", traceFlags: 0 });
    readonly setAttribute = () => this;
    readonly setAttributes = () => this;
    readonly addEvent = () => this;
    readonly addLinks = () => this;
    readonly setStatus = () => this;
    readonly updateName = () => this;
    readonly isRecording = () => true;
    readonly recordException = () => {};
    // As of SDKs from before there was this.
    readonly addLink = () => {
      throw new TypeError("addLink is not a function");
    };
    readonly end = () => void ended.push(this.#name);
  }
  const startSpan = (name: string): Span => new Unlinked(name);
  const startActiveSpan = (): never => {
    throw new Error("not called");
  };
  const tracerProvider: TracerProvider = { getTracer: () => ({ startSpan, startActiveSpan }) };
  const traceparent = "traceparent=00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const lock = await holder.locker({}).obtain("k", TTL, { metadata: traceparent });
  const one = waiter.locker({ onEvent: telemetry({ links: true, tracerProvider }) });
  const obtaining = one.obtain("k", TTL, { wait: Infinity });
  await untilInLine(server, "k", 1, { told: true });
  await lock.release();
  await (await obtaining).release();
  await waitUntil(() => ended.length === 2);
  expect(ended.sort()).toEqual(["hold", "obtain"]);
  await one.close();
});
