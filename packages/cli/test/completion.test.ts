/** The completions in the shells that they are for, as far as those are installed. */
import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

import { afterAll, expect, it } from "@jest/globals";

const bin = fileURLToPath(new URL("../dist/bin.js", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "redislock-completion-"));
const PATH = [folder, process.env["PATH"]].join(delimiter);
writeFileSync(join(folder, "redislock"), `#!/bin/sh\nexec '${process.execPath}' '${bin}' "$@"\n`);
chmodSync(join(folder, "redislock"), 0o755);
afterAll(() => rmSync(folder, { recursive: true }));

/** What a shell offers behind a line. */
const shells: Readonly<Record<string, (line: string) => string[]>> = {
  bash: (line) => {
    const words = line.split(" ");
    const set = `COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")})`;
    return [
      "-c",
      `eval "$(redislock completion bash)"; ${set}; COMP_CWORD=${words.length - 1}
       _redislock; printf '%s\\n' "\${COMPREPLY[@]}"`,
    ];
  },
  // In a terminal of its own, where TAB is pressed behind the line: the first may only list.
  zsh: (line) => [
    "-f",
    "-c",
    `zmodload zsh/zpty
     zpty shell zsh -f -i
     zpty -w shell 'unset zle_bracketed_paste; setopt no_beep; stty columns 200 rows 50
       autoload -U compinit; compinit -u -d ${folder}/zcompdump
       eval "$(redislock completion zsh)"
       finish() { print -r -- "FIN""ISHED $BUFFER;"; }; zle -N finish; bindkey "^X" finish
       print -r -- BE""GIN'
     zpty -r shell out '*BEGIN*'
     zpty -wn shell "$1"$'\\t\\t\\x18'
     zpty -r shell out '*FINISHED*;*'
     print -r -- "$out"
     zpty -d shell`,
    "zsh",
    line,
  ],
  fish: (line) => [
    "--no-config",
    "-c",
    `redislock completion fish | source; complete -C '${line}'`,
  ],
};
const installed = Object.keys(shells).filter(
  (shell) => spawnSync(shell, ["--version"]).status === 0,
);

function offered(shell: string, line: string): string[] {
  const args = shells[shell]?.(line) ?? [];
  const env = { PATH, HOME: folder, TERM: "xterm" };
  const { stdout, stderr } = spawnSync(shell, args, { encoding: "utf8", env, timeout: 60_000 });
  expect(stderr).toBe("");
  return stdout.split(/[^\w-]+/);
}

it("there is a bash at least", () => {
  expect(installed).toContain("bash");
});

it.each(installed)("%s completes commands, options, values and no command's arguments", (shell) => {
  expect(offered(shell, "redislock i")).toContain("inspect");
  expect(offered(shell, "redislock run --w")).toContain("--wait");
  expect(offered(shell, "redislock run --wait 3s --gr")).toContain("--grace");
  expect(offered(shell, "redislock ls --js")).toContain("--json");
  expect(offered(shell, "redislock ls --sort wa")).toContain("waiters");
  expect(offered(shell, "redislock completion ba")).toContain("bash");
  expect(offered(shell, "redislock run backup -- cat --gr")).not.toContain("--grace");
});
