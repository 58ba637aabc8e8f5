/** Durations as people read them. */
export const units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

export type Unit = keyof typeof units;

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
