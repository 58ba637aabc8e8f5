import { spawn, type ChildProcess } from "node:child_process";
import { Socket } from "node:net";

// Waits for its input to end, which it does when our process ends, then does away with the child.
const REAPER = 'read -r _; kill -9 "$1"; [ -z "$2" ] || rm -rf -- "$2"';

/**
 * Makes sure that `child` does not outlive this process, however this process ends, and removes
 * `directory` when it would have.
 *
 * A watcher at the other end of a pipe does it, because nothing inside this process can: "exit"
 * listeners do not run after SIGKILL, nor in Jest's sandbox, whose `process` is a copy.
 */
export function endWithThisProcess(child: ChildProcess, directory = ""): void {
  if (child.pid === undefined) return;
  const reaper = spawn("/bin/sh", ["-c", REAPER, "reaper", String(child.pid), directory], {
    stdio: ["pipe", "ignore", "ignore"],
    // Out of our process group, so that Ctrl-C does not take the watcher first.
    detached: true,
  });
  // Nor may the watcher keep our process alive.
  reaper.unref();
  if (reaper.stdin instanceof Socket) reaper.stdin.unref();
  child.once("exit", () => reaper.kill("SIGKILL"));
}
