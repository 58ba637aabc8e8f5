/** The dashboard, and what the docs say, against what Prometheus is really given. */
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { metrics } from "@opentelemetry/api";
import { PrometheusExporter, PrometheusSerializer } from "@opentelemetry/exporter-prometheus";
import { MeterProvider } from "@opentelemetry/sdk-metrics";
import { detailed } from "@redislock/core";
import { failure, startProxiedServer, untilInLine, VirtualClock } from "@redislock/test-kit";

import { telemetry } from "../src/index.js";
import { adapters } from "./users.js";

const TTL = 10_000;
/** What scraping adds, and histograms. */
const ADDED = ["job", "le", "__name__"];
const { server, proxy, stop } = await startProxiedServer();
afterAll(async () => {
  metrics.disable();
  await stop();
});

/** Each series that Prometheus is given, with its labels; and what type and unit its metric has. */
interface Exported {
  readonly series: ReadonlyMap<string, ReadonlySet<string>>;
  readonly types: ReadonlyMap<string, string>;
}

let exported: Exported;

beforeAll(async () => {
  const exporter = new PrometheusExporter({ preventServerStart: true });
  metrics.setGlobalMeterProvider(new MeterProvider({ readers: [exporter] }));
  await allThatHappens();
  const { resourceMetrics } = await exporter.collect();
  exported = read(new PrometheusSerializer().serialize(resourceMetrics));
});

/** So that each metric has a series with all of its labels. */
async function allThatHappens(): Promise<void> {
  const [{ connect } = { connect: undefined }] = adapters;
  if (!connect) throw new Error("never");
  const user = await connect(proxy.port);
  const listener = telemetry({ name: () => "order" });
  let cameLate = (): void => undefined;
  const lateGrant = new Promise<void>((resolve) => (cameLate = resolve));
  let failedToRenew = (): void => undefined;
  const renewalFailed = new Promise<void>((resolve) => (failedToRenew = resolve));
  const onEvent = detailed((event) => {
    listener(event);
    if (event.type === "lateGrantReleased") cameLate();
    if (event.type === "renewalFailed") failedToRenew();
  });
  const one = user.locker({ commandTimeout: 1_000, onEvent });
  // Waiting, obtained, released.
  const lock = await one.obtain("order", TTL);
  const obtaining = one.obtain("order", TTL, { wait: Infinity });
  await untilInLine(server, "order", 1, { told: true });
  await lock.release();
  await (await obtaining).release();
  // Failed, and granted late.
  const replies = proxy.silenceReplies();
  const failed = failure(one.obtain("late", TTL));
  await replies.happened;
  await failed;
  proxy.speak({ deliver: true });
  await lateGrant;
  // Renewed in vain, and lost.
  const clock = new VirtualClock();
  const other = user.locker({ clock, onEvent });
  const losing = await other.obtain("order", 9_000, { renew: true });
  const silence = proxy.silence();
  clock.advance(3_000);
  await silence.happened;
  clock.advance(2_000);
  await renewalFailed;
  clock.advance(10_000);
  expect(losing.held).toBe(false);
  await Promise.all([one.close(), other.close()]);
  user.quit();
}

function read(text: string): Exported {
  const series = new Map<string, Set<string>>();
  const types = new Map<string, string>();
  for (const line of text.split("\n")) {
    const [, metric = "", type = ""] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? [];
    if (metric.startsWith("redislock_")) types.set(metric, type);
    const [, name = "", labels = ""] = /^(redislock_\w+)\{(.*)\} /.exec(line) ?? [];
    if (name === "") continue;
    const known = series.get(name) ?? new Set();
    for (const [, label = ""] of labels.matchAll(/(\w+)="/g)) known.add(label);
    series.set(name, known);
  }
  return { series, types };
}

/** The name of a series where the unit is added, as by the Collector and by Prometheus itself. */
function withUnit(name: string): string {
  return name.replace(/_duration(?=_)/, "_duration_seconds");
}

/** All queries of the dashboard. */
async function queries(): Promise<readonly string[]> {
  const text = await readFile(new URL("../dashboards/redislock.json", import.meta.url), "utf8");
  const found: string[] = [];
  JSON.parse(text, (key, value: unknown) => {
    if ((key === "expr" || key === "query") && typeof value === "string") found.push(value);
    return value;
  });
  return found.filter((query) => query.includes("redislock"));
}

/** The series that a query asks for, each as a pattern of its name. */
function seriesOf(query: string): readonly string[] {
  const patterns = [...query.matchAll(/__name__=~"([^"]+)"/g)].map(([, pattern = ""]) => pattern);
  const outside = query.replaceAll(/"[^"]*"/g, "").replaceAll(/redislock_(name|mode|outcome)/g, "");
  return [...patterns, ...(outside.match(/redislock_\w+/g) ?? [])];
}

describe("the dashboard", () => {
  test("asks for series that there are, and for each metric", async () => {
    const asked = new Set<string>();
    for (const query of await queries()) {
      const patterns = seriesOf(query);
      expect([query, patterns]).not.toEqual([query, []]);
      for (const pattern of patterns) {
        const whole = new RegExp(`^(?:${pattern})$`);
        for (const rename of [(name: string) => name, withUnit]) {
          const found = [...exported.series.keys()].filter((name) => whole.test(rename(name)));
          expect([pattern, found]).toEqual([pattern, [expect.any(String)]]);
          for (const name of found) asked.add(name.replace(/_(bucket|sum|count)$/, ""));
        }
      }
    }
    expect([...asked].sort()).toEqual([...exported.types.keys()].sort());
  });

  test("asks for labels that its series have", async () => {
    for (const query of await queries()) {
      const [pattern = ""] = seriesOf(query);
      const whole = new RegExp(`^(?:${pattern})$`);
      const [, labels] = [...exported.series].find(([name]) => whole.test(name)) ?? [];
      const known = [...(labels ?? []), ...ADDED];
      const grouped = [...query.matchAll(/by \(([^)]*)\)/g)].flatMap(([, by = ""]) =>
        by.split(", "),
      );
      const selected = [...query.matchAll(/(\w+)=~?"/g)].map(([, label = ""]) => label);
      const listed = [...query.matchAll(/label_values\(\w+, (\w+)\)/g)].map(([, one = ""]) => one);
      for (const label of [...grouped, ...selected, ...listed]) {
        expect([query, known]).toEqual([query, expect.arrayContaining([label])]);
      }
    }
  });
});
