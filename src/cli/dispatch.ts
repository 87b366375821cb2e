// From an argument list to an exit code: finds the command, answers --help, turns mistakes into one
// line on stderr. Called by main.ts, which supplies the context. It never ends the process.
import { InputError } from "../model/result.ts";
import { COMMON_OPTIONS, type Chosen, chooseCommand } from "./arguments.ts";
import { type Command, type CommandContext, EXIT } from "./command.ts";
import type { CommandEntry } from "./commands.ts";
import { didYouMean } from "./nearest.ts";

/** What the dispatcher needs from the composition. */
export type DispatchDeps = {
  readonly commands: readonly CommandEntry[];
  out(text: string): void;
  err(text: string): void;
  /** True when the error is a sentence for people, not a defect: printed without a stack. */
  isForPeople(error: unknown): boolean;
  createContext(chosen: Chosen): CommandContext;
};

/** Runs one command line and resolves to the exit code. */
export async function dispatch(deps: DispatchDeps, argv: readonly string[]): Promise<number> {
  const [first, ...rest] = argv;
  if (first === undefined) {
    deps.err(overview(deps.commands));
    return EXIT.refused;
  }
  if (first === "--help" || first === "-h") {
    deps.out(overview(deps.commands));
    return EXIT.ok;
  }
  const name = first === "--version" ? "version" : first;
  const entry = deps.commands.find((command) => command.name === name);
  if (!entry) {
    const names = deps.commands.map((command) => command.name);
    deps.err(
      `dragon: there is no ${name.startsWith("-") ? "option" : "command"} "${name}"${didYouMean(name, names)} (dragon --help lists them)`,
    );
    return EXIT.refused;
  }
  return runEntry(deps, entry, rest);
}

async function runEntry(
  deps: DispatchDeps,
  entry: CommandEntry,
  argv: readonly string[],
): Promise<number> {
  try {
    const chosen = chooseCommand(await entry.load(), argv);
    if (chosen.values.help === true) {
      deps.out(commandHelp(chosen.command, chosen.path));
      return EXIT.ok;
    }
    return await chosen.command.run(deps.createContext(chosen));
  } catch (error) {
    if (error instanceof InputError) {
      deps.err(`dragon: ${oneLine(error.message)}`);
      return EXIT.refused;
    }
    const isPlain = error instanceof Error && deps.isForPeople(error);
    deps.err(`dragon: ${isPlain ? oneLine(error.message) : describeDefect(error)}`);
    return EXIT.failed;
  }
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, "; ");
}

function describeDefect(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** The command list. */
export function overview(commands: readonly CommandEntry[]): string {
  const width = Math.max(...commands.map((command) => command.name.length));
  const lines = commands.map(({ name, summary }) => `  ${name.padEnd(width)}   ${summary}`);
  return [
    "Dragon: a self-hosted manager for crypto trading bots.",
    "",
    "usage: dragon COMMAND [OPTIONS]",
    "",
    ...lines,
    "",
    "dragon COMMAND --help explains one command, dragon help lists the manual.",
  ].join("\n");
}

/** Usage, options, exit codes and subcommands of one command. */
export function commandHelp(command: Command, path: string): string {
  const lines = [command.summary, "", `usage: dragon ${path} ${command.usage}`.trimEnd()];
  if (command.subcommands) {
    const width = Math.max(...command.subcommands.map((sub) => sub.name.length));
    lines.push("");
    for (const sub of command.subcommands) {
      lines.push(`  ${sub.name.padEnd(width)}   ${sub.summary}`);
    }
    return lines.join("\n");
  }
  const rows = Object.entries({ ...command.options, ...COMMON_OPTIONS }).map(([name, option]) => {
    const value = option.type === "string" ? " VALUE" : "";
    return [`--${name}${value}`, optionMeaning(command, name)] as const;
  });
  const width = Math.max(...rows.map(([option]) => option.length));
  lines.push(
    "",
    ...rows.map(([option, meaning]) => `  ${option.padEnd(width)}   ${meaning}`.trimEnd()),
  );
  const { exitCodes = [] } = command;
  if (exitCodes.length > 0) lines.push("", "exit codes:");
  for (const [code, meaning] of exitCodes) lines.push(`  ${code}   ${meaning}`);
  return lines.join("\n");
}

function optionMeaning(command: Command, name: string): string {
  const given = command.optionHelp?.[name];
  if (given !== undefined) return given;
  if (name === "help") return "Prints this text.";
  if (name === "json") return "Prints data as JSON on stdout.";
  return "";
}
