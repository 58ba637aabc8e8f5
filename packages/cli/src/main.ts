/** From arguments to an exit code; what goes wrong is one line. */
import { CommanderError } from "commander";

import { exitCodes } from "./exit-codes.js";
import { Failure } from "./failure.js";
import { complain, end, outliveReaders } from "./output/out.js";
import { createProgram } from "./program.js";

export async function main(argv: readonly string[]): Promise<void> {
  outliveReaders();
  try {
    await createProgram().parseAsync([...argv]);
  } catch (error) {
    process.exitCode = codeAfter(error);
  }
  end();
}

function codeAfter(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCodes.usage;
  if (!(error instanceof Failure)) throw error;
  complain(error.message);
  return error.code;
}
