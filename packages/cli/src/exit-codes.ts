/** What the program ends with, for scripts to go by. `run` passes on the command's own code else. */
export const exitCodes = {
  ok: 0,
  /** The answer was no, or `doctor` found something that must be mended. */
  no: 1,
  usage: 64,
  /** Redis could not be reached, refused, or it is not known what it did. */
  redis: 69,
  /** The output, as on a full disk. */
  unwritten: 74,
  notObtained: 75,
  lost: 79,
  notExecutable: 126,
  notFound: 127,
  /** Plus the number of the signal, as shells do. */
  signal: 128,
} as const;

/** An action whose result the program ends with; commander throws away what actions return. */
export function ending<A extends unknown[]>(
  action: (...args: A) => Promise<number>,
): (...args: A) => Promise<void> {
  return async (...args) => {
    process.exitCode = await action(...args);
  };
}
