/**
 * Milliseconds of a clock that all processes of this machine share, and that never goes back:
 * so what happened in two of them can be put in order.
 */
export function sharedNow(): number {
  const [seconds, nanos] = process.hrtime();
  return seconds * 1e3 + nanos / 1e6;
}
