/** Where everything is written; a pipe that was closed ends the program. */
import { stderr, stdout } from "node:process";

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

/** Ends once all is written: what a client that gave up has left in timers would take seconds. */
export function end(): void {
  stdout.write("", () => stderr.write("", () => process.exit()));
}

/** What is piped into `head` ends when `head` does. */
export function endWithPipe(): void {
  stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    throw error;
  });
}
