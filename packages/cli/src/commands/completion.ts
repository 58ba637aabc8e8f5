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
  return `_redislock() {
  local words="${names(program).join(" ")} --help --version" current="\${COMP_WORDS[COMP_CWORD]}" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    # Behind -- it is another command's.
    if [[ \${COMP_WORDS[i]} == -- ]]; then return; fi
  done
  if ((COMP_CWORD > 1)); then case "\${COMP_WORDS[1]}" in
${cases.join("\n")}
    *) words="" ;;
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
    const specs = command.options.flatMap(({ long, description, required }) =>
      long
        ? [quoted(`${long}[${description.replace(/[[\]:]/g, "\\$&")}]${required ? ":value" : ""}`)]
        : [],
    );
    return `    ${command.name()}) _arguments ${[...specs, "'*:: :_default'"].join(" ")} ;;`;
  });
  return `#compdef redislock
_redislock() {
  local -a commands=(
${commands.join("\n")}
  )
  if ((CURRENT == 2)); then _describe command commands; return; fi
  case "$words[2]" in
${cases.join("\n")}
  esac
}
compdef _redislock redislock`;
}

function fish(program: Command): string {
  const all = names(program).join(" ");
  return program.commands
    .flatMap((command) => [
      `complete -c redislock -f -n "not __fish_seen_subcommand_from ${all}" ` +
        `-a ${command.name()} -d ${quoted(command.summary())}`,
      ...command.options.flatMap(({ long, description, required }) =>
        long
          ? [
              `complete -c redislock -n "__fish_seen_subcommand_from ${command.name()}" ` +
                `-l ${long.slice(2)}${required ? " -r" : ""} -d ${quoted(description)}`,
            ]
          : [],
      ),
    ])
    .join("\n");
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
