import { metrics } from "@opentelemetry/api";
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import { telemetry } from "@redislock/opentelemetry";
import { createLocker } from "@redislock/testing";

const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
const reader = new PeriodicExportingMetricReader({ exporter });
const provider = new MeterProvider({ readers: [reader] });

async function main(): Promise<void> {
  metrics.setGlobalMeterProvider(provider);
  const locker = createLocker(undefined, { onEvent: telemetry({ name: () => "consumer" }) });
  await locker.using("consumer", 10_000, () => undefined);
  await locker.close();

  await reader.forceFlush();
  const names = exporter
    .getMetrics()
    .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics))
    .map(({ descriptor }) => descriptor.name);
  if (!names.includes("redislock.hold.duration")) throw new Error(`no duration: ${names.join()}`);
  await provider.shutdown();
}

void main();
