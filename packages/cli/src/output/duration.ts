/** Durations as people write and read them. */
import { InvalidArgumentError } from "commander";

const units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

type Unit = keyof typeof units;

/** Milliseconds of "500ms", "30s", "1.5m", "2h", "1d"; a bare number is seconds. */
export function parseDuration(text: string): number {
  const [, digits, unit = "s"] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(text) ?? [];
  if (digits === undefined || !isUnit(unit)) {
    throw new InvalidArgumentError("It must be a time such as 500ms, 30s, 5m or 2h.");
  }
  return Math.round(Number(digits) * units[unit]);
}

function isUnit(text: string): text is Unit {
  return Object.hasOwn(units, text);
}

/** "870 ms", "12.4 s", "3m 07s", "2h 05m", "4d 01h"; "never ends" is said by whoever asks. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))}ms`;
  if (ms < 60_000) return `${(Math.floor(ms / 100) / 10).toFixed(1)}s`;
  const [big, small] = ms < units.h ? (["m", "s"] as const) : bigUnits(ms);
  const rest = Math.floor((ms % units[big]) / units[small]);
  return `${Math.floor(ms / units[big])}${big}${String(rest).padStart(2, "0")}${small}`;
}

function bigUnits(ms: number): readonly [Unit, Unit] {
  return ms < units.d ? ["h", "m"] : ["d", "h"];
}
