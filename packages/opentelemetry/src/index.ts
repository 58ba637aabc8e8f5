/** OpenTelemetry metrics and spans of locks: what `onEvent` of a locker takes. */
export { telemetry, type TelemetryOptions } from "./telemetry.js";
export { traceMetadata } from "./trace-context.js";
