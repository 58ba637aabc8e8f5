/** A lock that goes from one process to another: the trace of whoever waited leads to whoever held it. */
import { afterAll, expect, test } from "@jest/globals";
import { compilePackage, startProcess, startServer, untilInLine } from "@redislock/test-kit";
import type { NodeProcess } from "@redislock/test-kit";

import { adapters } from "./users.js";

const compiled = await compilePackage(new URL("..", import.meta.url));
const server = await startServer();
afterAll(async () => {
  await server.stop();
  await compiled.remove();
});

interface Told {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parent?: string;
  readonly links: readonly string[];
}

/** The spans of a process, by name, once it has ended. */
async function spansOf(child: NodeProcess): Promise<ReadonlyMap<string, Told>> {
  const spans = new Map<string, Told>();
  for await (const line of child.lines) {
    if (!line.startsWith("{")) continue;
    const told: unknown = JSON.parse(line);
    if (isTold(told)) spans.set(told.name, told);
  }
  expect(await child.exited).toEqual({ code: 0, signal: null });
  return spans;
}

function isTold(value: unknown): value is Told {
  return typeof value === "object" && value !== null && "spanId" in value && "links" in value;
}

test.each(adapters)("$adapter: the span of a wait links to the holder's", async ({ adapter }) => {
  const start = (part: string): NodeProcess =>
    startProcess(compiled.file("part"), { args: [part, adapter, `${server.port}`] });
  const holder = start("holder");
  await holder.waitForLine("held");
  const waiter = start("waiter");
  await untilInLine(server, "order:42", 1, { told: true });
  holder.send("go on");
  const [held, waited] = [await spansOf(holder), await spansOf(waiter)];
  const caller = held.get("holder");
  const hold = held.get("hold order");
  const obtain = waited.get("obtain order");
  expect(obtain?.links).toEqual([`${caller?.traceId} ${caller?.spanId}`]);
  // The lock was held by a span below it.
  expect(hold).toMatchObject({ parent: caller?.spanId, traceId: caller?.traceId });
  expect(obtain).toMatchObject({ parent: waited.get("waiter")?.spanId });
  expect(obtain?.traceId).not.toBe(caller?.traceId);
  expect(held.get("obtain order")?.links).toEqual([]);
});
