import {
  type Attributes,
  type Context,
  context,
  type MeterProvider,
  metrics,
  type Span,
  SpanStatusCode,
  trace,
  type Tracer,
  type TracerProvider,
} from "@opentelemetry/api";
import { detailed, type DetailedLockEvent, type DetailedLockEventListener } from "@redislock/core";
import {
  attributesOf,
  ERROR_TYPE,
  errorType,
  type HoldOutcome,
  isAbort,
  NAME,
  type Outcome,
  OUTCOME,
  requestOf,
} from "./attributes.js";
import { checkOptions } from "./check.js";
import { type Instruments, instrumentsOf, SCOPE } from "./instruments.js";
import { spanOf } from "./trace-context.js";

/** What locks are called, and who is told. */
export interface TelemetryOptions {
  /**
   * What a lock is called in metrics and spans, of its first key, and all of them: a word for its kind, of
   * which there are few. `undefined` for no name. Keys themselves are in no metric: there is no end of them.
   * Default: no lock has a name.
   *
   * @example
   * telemetry({ name: (key) => key.split(":")[0] });
   */
  readonly name?: ((key: string, keys: readonly string[]) => string | undefined) | undefined;

  /**
   * Whether the span of an obtain that waits links to those whose lock it waits for, as far as their
   * metadata tells: see {@link traceMetadata}. Costs one more command for each wait. Default: false.
   */
  readonly links?: boolean | undefined;

  /** Default: the global one, also if it is set later on. */
  readonly meterProvider?: MeterProvider | undefined;
  /** Default: the global one, also if it is set later on. */
  readonly tracerProvider?: TracerProvider | undefined;
}

/**
 * A listener for `onEvent` of a locker that makes metrics and spans of what it is told. One can serve any
 * number of lockers. Where no SDK is set up, nothing comes of it, and nothing more is sent.
 *
 * @example
 * const locker = createLocker(redis, { onEvent: telemetry({ name: (key) => key.split(":")[0] }) });
 * @throws TypeError for bad options
 */
export function telemetry(options: TelemetryOptions = {}): DetailedLockEventListener {
  checkOptions(options);
  const recorder = new Recorder(options);
  return detailed((event) => recorder.hear(event));
}

type Told<Type extends DetailedLockEvent["type"]> = Extract<
  DetailedLockEvent,
  { readonly type: Type }
>;

/** An obtain under way, or a lock that came of it. */
interface UnderWay {
  /** Of all that is measured of it. */
  readonly attributes: Attributes;
  /** All by the same provider: what goes up must come down. */
  readonly measures: Instruments;
  /** In which it was asked for, and what is told of it belongs. */
  readonly parent: Context;
  readonly obtain: Span;
  waiting: boolean;
  /** Settles when the span knows whom it links to. */
  linking?: Promise<void>;
  hold?: Span;
}

class Recorder {
  readonly #naming: TelemetryOptions["name"];
  readonly #links: boolean;
  readonly #options: TelemetryOptions;
  readonly #underWay = new Map<number, UnderWay>();
  #meterProvider: MeterProvider | undefined;
  #instruments: Instruments | undefined;
  #tracer: Tracer | undefined;

  constructor(options: TelemetryOptions) {
    this.#naming = options.name;
    this.#links = options.links ?? false;
    this.#options = options;
  }

  hear(event: DetailedLockEvent): void {
    if (event.type === "obtaining") this.#begin(event);
    if (event.type === "lateGrantReleased") this.#lateGrant(event);
    const known = "id" in event ? this.#underWay.get(event.id) : undefined;
    if (!known) return;
    const { type } = event;
    if (type === "waiting") this.#wait(known, event);
    if (type === "obtained") this.#obtained(known, event);
    if (type === "notObtained") this.#notObtained(known, event, "not_obtained", undefined);
    if (type === "obtainFailed") {
      const { error } = event;
      this.#notObtained(known, event, isAbort(error) ? "aborted" : "failed", error);
    }
    if (type === "renewalFailed") renewalFailed(known, event);
    if (type === "released") this.#endHold(known, event, "released", undefined);
    if (type === "lost") this.#endHold(known, event, "lost", event.error);
    if (type === "releaseFailed") this.#endHold(known, event, "release_failed", event.error);
  }

  #begin(event: Told<"obtaining">): void {
    const { id, keys } = event;
    const attributes = attributesOf(event, this.#naming);
    const parent = context.active();
    const span = { attributes: { ...attributes, ...requestOf(event, keys) } };
    const obtain = this.#trace().startSpan(called("obtain", attributes), span, parent);
    const measures = this.#measure();
    this.#underWay.set(id, { attributes, parent, measures, obtain, waiting: false });
  }

  #lateGrant(event: Told<"lateGrantReleased">): void {
    this.#measure().lateGrants.add(1, attributesOf(event, this.#naming));
  }

  #wait(known: UnderWay, { position, holders }: Told<"waiting">): void {
    const { attributes, measures, obtain } = known;
    known.waiting = true;
    measures.waiting.add(1, attributes);
    obtain.addEvent("waiting", position === undefined ? {} : { "redislock.position": position });
    if (!this.#links || !obtain.isRecording()) return;
    // A trace without its link is no reason to disturb anybody: where Redis does not answer, others tell of
    // that; and tracers from before OpenTelemetry 1.9 know no links that are added later.
    known.linking = link(known, holders).catch(() => undefined);
  }

  #obtained(known: UnderWay, event: Told<"obtained">): void {
    const { keys, waited, fencingToken } = event;
    const { attributes, measures, parent } = known;
    endObtain(known, waited, "obtained", undefined);
    const fenced = { "redislock.fencing_token": fencingToken };
    const span = { attributes: { ...attributes, ...requestOf(event, keys), ...fenced } };
    known.hold = this.#trace().startSpan(called("hold", attributes), span, parent);
    measures.held.add(1, attributes);
  }

  #notObtained(
    known: UnderWay,
    { id, waited }: Told<"notObtained" | "obtainFailed">,
    outcome: Outcome,
    error: unknown,
  ): void {
    this.#underWay.delete(id);
    endObtain(known, waited, outcome, error);
  }

  #endHold(
    known: UnderWay,
    { id, held }: Told<"released" | "lost" | "releaseFailed">,
    outcome: HoldOutcome,
    error: unknown,
  ): void {
    const { attributes, measures, hold } = known;
    if (!hold) return;
    this.#underWay.delete(id);
    const ending = endingOf(outcome, error);
    measures.held.add(-1, attributes);
    if (outcome === "lost") measures.lost.add(1, { ...attributes, [ERROR_TYPE]: errorType(error) });
    measures.holdDuration.record(held / 1_000, { ...attributes, ...ending }, within(known, hold));
    end(hold, ending, error, undefined);
  }

  /** A global provider that is set later on replaces one that does nothing. */
  #measure(): Instruments {
    const provider = this.#options.meterProvider ?? metrics.getMeterProvider();
    if (!this.#instruments || this.#meterProvider !== provider) {
      this.#meterProvider = provider;
      this.#instruments = instrumentsOf(provider);
    }
    return this.#instruments;
  }

  /** The global provider hands on to the one that is set, also later. */
  #trace(): Tracer {
    const provider = this.#options.tracerProvider ?? trace.getTracerProvider();
    return (this.#tracer ??= provider.getTracer(SCOPE));
  }
}

function endObtain(known: UnderWay, waited: number, outcome: Outcome, error: unknown): void {
  const { attributes, measures, obtain, linking } = known;
  if (known.waiting) measures.waiting.add(-1, attributes);
  const ending = endingOf(outcome, error);
  measures.obtainDuration.record(
    waited / 1_000,
    { ...attributes, ...ending },
    within(known, obtain),
  );
  end(obtain, ending, outcome === "failed" ? error : undefined, linking);
}

function renewalFailed(
  { attributes, measures, hold }: UnderWay,
  { error }: Told<"renewalFailed">,
): void {
  const failure = { [ERROR_TYPE]: errorType(error) };
  measures.renewalFailures.add(1, { ...attributes, ...failure });
  hold?.addEvent("renewal failed", failure);
}

/** Links the span of a wait to those in which the locks were asked for that it waits for. */
async function link(
  { obtain, parent }: UnderWay,
  holders: Told<"waiting">["holders"],
): Promise<void> {
  const own = trace.getSpanContext(parent)?.spanId;
  for (const { metadata, fencingToken } of await holders()) {
    const holder = spanOf(metadata);
    if (!holder || holder.spanId === own) continue;
    const attributes =
      fencingToken === undefined ? {} : { "redislock.fencing_token": fencingToken };
    obtain.addLink({ context: holder, attributes });
  }
}

/** Ends a span at this moment; where it is still asked whom it links to, as soon as that is known. */
function end(
  span: Span,
  attributes: Attributes,
  error: unknown,
  linking: Promise<void> | undefined,
): void {
  span.setAttributes(attributes);
  if (error !== undefined) {
    const code = SpanStatusCode.ERROR;
    span.setStatus(error instanceof Error ? { code, message: error.message } : { code });
  }
  if (!linking) {
    span.end();
    return;
  }
  const now = new Date();
  void linking.then(() => span.end(now));
}

function endingOf(outcome: Outcome | HoldOutcome, error: unknown): Attributes {
  if (error === undefined) return { [OUTCOME]: outcome };
  return { [OUTCOME]: outcome, [ERROR_TYPE]: errorType(error) };
}

/** For exemplars: a measurement belongs to its span. */
function within({ parent }: UnderWay, span: Span): Context {
  return trace.setSpan(parent, span);
}

/** A name of a span, of which there are as few as of locks. */
function called(what: "obtain" | "hold", { [NAME]: name }: Attributes): string {
  return typeof name === "string" ? `${what} ${name}` : what;
}
