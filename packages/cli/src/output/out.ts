/** Where everything is written, also when nobody reads it any more. */
import { stderr, stdout } from "node:process";

import { exitCodes } from "../exit-codes.js";

export function print(text: string): void {
  stdout.write(`${text}\n`);
}

/** As {@link print}, without the end of a line. */
export function put(text: string): void {
  stdout.write(text);
}

export function complain(text: string): void {
  stderr.write(`redislock: ${text}\n`);
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2));
}

/** Why the output is not where it was to go; undefined while it is. */
let unwritten: NodeJS.ErrnoException | undefined;

/**
 * Whoever reads may go, as `head` does when it has enough, or a terminal that is closed: that is no error,
 * and no reason to leave undone what was asked for, or a command without whoever ends it in time.
 */
export function outliveReaders(): void {
  stdout.on("error", (error: NodeJS.ErrnoException) => {
    unwritten ??= error;
  });
  // There is nowhere left to say it.
  stderr.on("error", () => {});
}

/** Ends once all is written: what a client that gave up has left in timers would take seconds. */
export function end(): void {
  stdout.write("", () => {
    // A stream calls back before it tells of its error.
    setImmediate(() => {
      if (unwritten && unwritten.code !== "EPIPE" && unwritten.code !== "EIO") {
        complain(`the output could not be written: ${unwritten.message}`);
        process.exitCode ||= exitCodes.unwritten;
      }
      stderr.write("", () => process.exit());
    });
  });
}
