import {
  type Counter,
  type Histogram,
  type MeterProvider,
  type UpDownCounter,
} from "@opentelemetry/api";

export const SCOPE = "@redislock/opentelemetry";

/** Seconds: from a lock that is free to one that is waited for, and held, for an hour. */
const BOUNDARIES = [
  ...[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5],
  ...[1, 2.5, 5, 10, 30, 60, 300, 900, 3_600],
];

/** All that is measured. */
export interface Instruments {
  readonly obtainDuration: Histogram;
  readonly holdDuration: Histogram;
  readonly held: UpDownCounter;
  readonly waiting: UpDownCounter;
  readonly lost: Counter;
  readonly renewalFailures: Counter;
  readonly lateGrants: Counter;
}

export function instrumentsOf(provider: MeterProvider): Instruments {
  const meter = provider.getMeter(SCOPE);
  const seconds = { unit: "s", advice: { explicitBucketBoundaries: BOUNDARIES } };
  return {
    obtainDuration: meter.createHistogram("redislock.obtain.duration", {
      ...seconds,
      description: "Time from the call of an obtain to its end, however it ended.",
    }),
    holdDuration: meter.createHistogram("redislock.hold.duration", {
      ...seconds,
      description: "Time for which a lock was held, from when it was obtained to how it ended.",
    }),
    held: meter.createUpDownCounter("redislock.held", {
      unit: "{lock}",
      description: "Locks that are held.",
    }),
    waiting: meter.createUpDownCounter("redislock.waiting", {
      unit: "{obtain}",
      description: "Obtains that wait, in line or polling, for locks that are taken.",
    }),
    lost: meter.createCounter("redislock.lost", {
      unit: "{lock}",
      description: "Locks that were lost while they were held.",
    }),
    renewalFailures: meter.createCounter("redislock.renewal.failures", {
      unit: "{failure}",
      description: "Renewals that got no answer or a refusal, and are tried again.",
    }),
    lateGrants: meter.createCounter("redislock.late_grants", {
      unit: "{grant}",
      description: "Grants that came when their obtain had given up, and were released again.",
    }),
  };
}
