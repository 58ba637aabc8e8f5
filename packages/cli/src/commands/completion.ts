/** Completion for shells, made from the commands and options that there are. */
import { Argument, type Command } from "commander";

import { ending, exitCodes } from "../exit-codes.js";
import { print } from "../output/out.js";

const EXAMPLES = `
Examples:
  eval "$(redislock completion bash)"                     in ~/.bashrc
  eval "$(redislock completion zsh)"                      in ~/.zshrc, after compinit
  redislock completion fish | source                      in ~/.config/fish/config.fish`;

export function addCompletion(program: Command): void {
  program
    .command("completion")
    .summary("print the completion for a shell")
    .description("Prints the completion for a shell.")
    .addArgument(new Argument("<shell>", "which").choices(["bash", "zsh", "fish"]))
    .addHelpText("after", EXAMPLES)
    .action(
      ending(async (shell: keyof typeof writers) => {
        print(writers[shell](program));
        return exitCodes.ok;
      }),
    );
}

const writers = { bash, zsh, fish };

function bash(program: Command): string {
  const cases = program.commands.map(
    (command) => `    ${command.name()}) words="${longOptions(command).join(" ")}" ;;`,
  );
  const values = choicesOf(program).map(
    ({ before, choices }) => `    ${before}) words="${choices.join(" ")}" ;;`,
  );
  return `_redislock() {
  local words="${names(program).join(" ")} --help --version" current="\${COMP_WORDS[COMP_CWORD]}" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    # Behind -- it is another command's.
    if [[ \${COMP_WORDS[i]} == -- ]]; then return; fi
  done
  if ((COMP_CWORD > 1)); then case "\${COMP_WORDS[1]}" in
${cases.join("\n")}
    *) words="" ;;
  esac; case "\${COMP_WORDS[COMP_CWORD - 1]}" in
${values.join("\n")}
  esac; fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _redislock redislock`;
}

function zsh(program: Command): string {
  const commands = program.commands.map(
    (command) => `    ${quoted(`${command.name()}:${command.summary()}`)}`,
  );
  const cases = program.commands.map((command) => {
    const specs = command.options.flatMap(({ long, description, required, argChoices }) => {
      const value = argChoices ? `:value:(${argChoices.join(" ")})` : required ? ":value:" : "";
      return long ? `${long}[${description.replace(/[[\]:]/g, "\\$&")}]${value}` : [];
    });
    const values = command.registeredArguments.flatMap(({ argChoices }) =>
      argChoices ? `1:value:(${argChoices.join(" ")})` : [],
    );
    const all = [...specs, "--help[show how to use it]", ...values, "*: :"];
    return `    ${command.name()}) _arguments ${all.map(quoted).join(" ")} ;;`;
  });
  return `#compdef redislock
_redislock() {
  local -a commands=(
${commands.join("\n")}
  )
  local -i end=\${words[(i)--]}
  if ((end < CURRENT)); then
    # Behind -- it is another command's.
    shift $end words; ((CURRENT -= end)); _normal; return
  fi
  if ((CURRENT == 2)); then
    _describe command commands; _arguments --help --version; return
  fi
  shift words; ((CURRENT--))
  case "$words[1]" in
${cases.join("\n")}
  esac
}
compdef _redislock redislock`;
}

function fish(program: Command): string {
  const all = names(program).join(" ");
  const complete = "complete -c redislock -n";
  const commands = program.commands.flatMap((command) => {
    const here = `${complete} "__redislock_in ${command.name()}"`;
    const options = command.options.flatMap(({ long, description, required, argChoices }) => {
      const value = argChoices ? ` -x -a "${argChoices.join(" ")}"` : required ? " -x" : "";
      return long ? `${here} -l ${long.slice(2)}${value} -d ${quoted(description)}` : [];
    });
    const values = command.registeredArguments.flatMap(({ argChoices }) =>
      argChoices ? `${here} -a "${argChoices.join(" ")}"` : [],
    );
    return [
      `${complete} "__redislock_in" -a ${command.name()} -d ${quoted(command.summary())}`,
      ...options,
      `${here} -l help -d 'show how to use it'`,
      ...values,
    ];
  });
  return `function __redislock_in
  set -l words (commandline -opc)
  contains -- -- $words; and return 1
  test (count $argv) -gt 0; and contains -- $argv[1] $words[2]; and return
  test (count $argv) -eq 0; and not __fish_seen_subcommand_from ${all}
end
function __redislock_behind
  contains -- -- (commandline -opc)
end
function __redislock_command
  # Behind -- it is another command's.
  set -l words (commandline -opc)
  set -l rest $words[(math (contains -i -- -- $words) + 1)..-1]
  complete -C (string join ' ' -- (string escape -- $rest) (commandline -ct))
end
complete -c redislock -f
${complete} "__redislock_behind" -a "(__redislock_command)"
${complete} "__redislock_in" -l help -d 'show how to use it'
${complete} "__redislock_in" -l version -d 'show the version'
${commands.join("\n")}`;
}

/** What may stand behind an option, or behind a command. */
function choicesOf(program: Command): { before: string; choices: readonly string[] }[] {
  const all = program.commands.flatMap((command) => [
    ...command.options.map(({ long, argChoices }) => ({ before: long, choices: argChoices })),
    ...command.registeredArguments.map(({ argChoices }) => ({
      before: command.name(),
      choices: argChoices,
    })),
  ]);
  const known = new Set<string>();
  return all.flatMap(({ before, choices }) => {
    if (!before || !choices || known.has(before)) return [];
    known.add(before);
    return { before, choices };
  });
}

function names(program: Command): string[] {
  return program.commands.map((command) => command.name());
}

function longOptions(command: Command): string[] {
  return [...command.options.flatMap(({ long }) => long ?? []), "--help"];
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
