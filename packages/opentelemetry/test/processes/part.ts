/**
 * One of two processes that take the same lock: the holder keeps it until it is told to go on. Both write
 * what spans they had, as JSON, with the ids of those that they link to.
 */
import { once } from "node:events";
import { trace } from "@opentelemetry/api";
import {
  NodeTracerProvider,
  type ReadableSpan,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-node";

import { telemetry, traceMetadata } from "../../src/index.js";
import { adapters } from "../users.js";

const [part = "", adapter = "", port = ""] = process.argv.slice(2);
const exporter = {
  export: (spans: readonly ReadableSpan[], done: (result: { code: number }) => void) => {
    for (const span of spans) {
      const { traceId, spanId } = span.spanContext();
      const links = span.links.map(({ context }) => `${context.traceId} ${context.spanId}`);
      const parent = span.parentSpanContext?.spanId;
      console.log(JSON.stringify({ name: span.name, traceId, spanId, parent, links }));
    }
    done({ code: 0 });
  },
  shutdown: async () => undefined,
};
const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
provider.register();

const found = adapters.find((one) => one.adapter === adapter);
if (!found) throw new Error(`there is no adapter ${adapter}`);
const user = await found.connect(Number(port));
const locker = user.locker({ onEvent: telemetry({ name: () => "order", links: true }) });
await trace.getTracer("test").startActiveSpan(part, async (span) => {
  const metadata = traceMetadata(part);
  const how = { metadata, wait: Infinity };
  await locker.using("order:42", 10_000, how, async () => {
    console.log("held");
    if (part === "holder") await once(process.stdin, "data");
  });
  span.end();
});
await locker.close();
await provider.shutdown();
user.quit();
process.stdin.destroy();
