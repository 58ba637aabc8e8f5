/** The real SDK, whose exporters keep what they are given. */
import { type Attributes, context, type HrTime, metrics, trace } from "@opentelemetry/api";
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  type ReadableSpan,
  SimpleSpanProcessor,
  type SpanProcessor,
} from "@opentelemetry/sdk-trace-node";

/** One series of a metric: a sum, or how many were recorded. */
export interface Series {
  readonly attributes: Attributes;
  readonly count: number;
  /** Of all that was recorded. */
  readonly sum: number;
}

export interface Sdk {
  readonly spans: (name: string) => readonly ReadableSpan[];
  /** Which spans began and ended, in this order. */
  readonly moments: readonly string[];
  /** The series of a metric that are not 0 by now. */
  readonly series: (metric: string) => Promise<readonly Series[]>;
  readonly units: () => Promise<Readonly<Record<string, string>>>;
  /** Forgets what was kept so far. */
  readonly reset: () => void;
  /** Leaves the API without an SDK. */
  readonly stop: () => Promise<void>;
}

export function startSdk(): Sdk {
  const spans = new InMemorySpanExporter();
  const moments: string[] = [];
  const witness: SpanProcessor = {
    onStart: ({ name }) => void moments.push(`${name} began`),
    onEnd: ({ name }) => void moments.push(`${name} ended`),
    forceFlush: () => Promise.resolve(),
    shutdown: () => Promise.resolve(),
  };
  const spanProcessors = [witness, new SimpleSpanProcessor(spans)];
  const provider = new NodeTracerProvider({ spanProcessors });
  provider.register();
  let { exporter, reader } = startMeter();

  function startMeter(): {
    exporter: InMemoryMetricExporter;
    reader: PeriodicExportingMetricReader;
  } {
    const memory = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
    const periodic = new PeriodicExportingMetricReader({
      exporter: memory,
      exportIntervalMillis: 2 ** 31 - 1,
    });
    metrics.disable();
    metrics.setGlobalMeterProvider(new MeterProvider({ readers: [periodic] }));
    return { exporter: memory, reader: periodic };
  }

  async function exported(): Promise<
    readonly (readonly [name: string, unit: string, series: readonly Series[]])[]
  > {
    exporter.reset();
    await reader.forceFlush();
    return exporter
      .getMetrics()
      .flatMap(({ scopeMetrics }) => scopeMetrics)
      .flatMap((scope) => scope.metrics)
      .map(({ descriptor, dataPoints }) => {
        const series = dataPoints.map(({ attributes, value }): Series => {
          if (typeof value === "number") return { attributes, count: value, sum: value };
          return { attributes, count: value.count, sum: "sum" in value ? (value.sum ?? 0) : 0 };
        });
        return [descriptor.name, descriptor.unit, series];
      });
  }

  return {
    moments,
    spans: (name) => spans.getFinishedSpans().filter((span) => span.name === name),
    series: async (metric) => {
      const found = (await exported()).filter(([name]) => name === metric);
      return found.flatMap(([, , series]) => series).filter(({ count }) => count !== 0);
    },
    units: async () => Object.fromEntries((await exported()).map(([name, unit]) => [name, unit])),
    reset: () => {
      spans.reset();
      moments.length = 0;
      ({ exporter, reader } = startMeter());
    },
    stop: async () => {
      for (const api of [metrics, trace, context]) api.disable();
      await Promise.all([reader.shutdown(), provider.shutdown()]);
    },
  };
}

export function milliseconds([seconds, nanos]: HrTime): number {
  return seconds * 1_000 + nanos / 1_000_000;
}
