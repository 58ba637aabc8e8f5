/** The code of the README does what the README says. */
import { afterAll, expect, test } from "@jest/globals";
import { startProcess, startServer } from "@redislock/test-kit";

const server = await startServer();
afterAll(() => server.stop());

test("holds a lock while a function runs", async () => {
  const using = startProcess(new URL("docs/using.mjs", import.meta.url), {
    args: [String(server.port)],
  });
  const lines: string[] = [];
  for await (const line of using.lines) lines.push(line);
  expect(await using.exited).toEqual({ code: 0, signal: null });
  // GLIDE says by a warning that the server did not know the script.
  expect(lines.filter((line) => !line.includes("NoScriptError"))).toEqual([
    expect.stringMatching(/^charged invoice 42, fencing token \d{16}$/),
  ]);
});
