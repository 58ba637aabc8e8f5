/** Several processes of one program, in the place of as many machines. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";

/** Starts the program itself again, with the name of the machine as its argument. */
export function startMachines(program: string, names: readonly string[]): readonly ChildProcess[] {
  return names.map((name) => fork(new URL(program), [name]));
}

/** Resolves once all have ended. */
export async function untilEnded(machines: readonly ChildProcess[]): Promise<void> {
  const running = machines.filter(({ exitCode, signalCode }) => exitCode === null && !signalCode);
  await Promise.all(running.map((machine) => once(machine, "exit")));
}
