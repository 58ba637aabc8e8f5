/** Measures and traces locks: metrics where Prometheus fetches them, spans on the console. */
import { trace } from "@opentelemetry/api";
import { detailed } from "@redislock/ioredis";
import { traceMetadata } from "@redislock/opentelemetry";

const port = Number(process.argv[2] ?? 9464);

// #region setup
import { metrics } from "@opentelemetry/api";
import { PrometheusExporter } from "@opentelemetry/exporter-prometheus";
import { MeterProvider } from "@opentelemetry/sdk-metrics";
import {
  BatchSpanProcessor,
  ConsoleSpanExporter,
  NodeTracerProvider,
} from "@opentelemetry/sdk-trace-node";
import { createLocker } from "@redislock/ioredis";
import { telemetry } from "@redislock/opentelemetry";
import { Redis } from "ioredis";

const prometheus = new PrometheusExporter({ port }); // http://localhost:9464/metrics
const meterProvider = new MeterProvider({ readers: [prometheus] });
metrics.setGlobalMeterProvider(meterProvider);
const spanProcessors = [new BatchSpanProcessor(new ConsoleSpanExporter())];
const tracerProvider = new NodeTracerProvider({ spanProcessors });
tracerProvider.register();

const redis = new Redis();
// invoice:42 is called "invoice".
const onEvent = telemetry({ name: (key) => key.split(":")[0], links: true });
const locker = createLocker(redis, { onEvent });
// #endregion

// #region links
const tracer = trace.getTracer("billing");

async function charge(invoice: string): Promise<void> {
  await tracer.startActiveSpan("charge", async (span) => {
    const options = { wait: 5_000, metadata: traceMetadata() };
    await locker.using(invoice, 10_000, options, () => sendBill(invoice));
    span.end();
  });
}
// #endregion

async function sendBill(invoice: string): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 50));
  console.log(`billed ${invoice}`);
}

await Promise.all([charge("invoice:42"), charge("invoice:42")]);

// #region both
const measure = telemetry();
const logging = createLocker(redis, {
  onEvent: detailed((event) => {
    measure(event);
    if (event.type === "lost") console.warn(event.error.message);
  }),
});
// #endregion

await logging.using("invoice:43", 10_000, () => undefined);

const response = await fetch(`http://localhost:${port}/metrics`);
for (const line of (await response.text()).split("\n")) {
  if (line.startsWith("redislock_hold_duration_count")) console.log(line);
}
await Promise.all([locker, logging].map((one) => one.close()));
await Promise.all([meterProvider.shutdown(), tracerProvider.shutdown()]);
redis.disconnect();
