/** Ends the program with one line on standard error, which says what to do, and an exit code. */
export class Failure extends Error {
  readonly code: number;

  constructor(message: string, code: number) {
    super(message);
    this.code = code;
  }
}
