import type { TelemetryOptions } from "./telemetry.js";

type Kind = "function" | "boolean" | "object";

const KINDS: Readonly<Record<keyof TelemetryOptions, Kind>> = {
  name: "function",
  links: "boolean",
  meterProvider: "object",
  tracerProvider: "object",
};

/** @throws TypeError that says what would be right */
export function checkOptions(options: unknown): void {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new TypeError("options must be an object");
  }
  const known: ReadonlyMap<string, Kind> = new Map(Object.entries(KINDS));
  for (const [option, value] of Object.entries(options)) {
    const kind = known.get(option);
    if (!kind) {
      const all = [...known.keys()].join(", ");
      throw new TypeError(`options has no ${JSON.stringify(option)}: there are ${all}`);
    }
    if (value === undefined || (typeof value === kind && value !== null)) continue;
    throw new TypeError(`${option} must be ${kind === "object" ? "an" : "a"} ${kind}`);
  }
}
