// Reads a command line into a chosen command with checked options. Pure: the dispatcher runs the
// outcome. Every mistake becomes an InputError with one sentence and the closest name.
import { parseArgs, type ParseArgsOptionsConfig } from "node:util";
import { InputError } from "../model/result.ts";
import type { Command, OptionValue } from "./command.ts";
import { didYouMean } from "./nearest.ts";

/** Options every command understands. */
export const COMMON_OPTIONS: ParseArgsOptionsConfig = {
  help: { type: "boolean", short: "h" },
  json: { type: "boolean" },
};

/** A chosen command, its full name and its checked arguments. */
export type Chosen = {
  readonly command: Command;
  /** e.g. `candles import`. */
  readonly path: string;
  readonly args: readonly string[];
  readonly values: Readonly<Record<string, OptionValue>>;
};

/**
 * Walks down to the subcommand and checks options and positionals.
 * @throws InputError on an unknown subcommand or option, a missing value or a surplus argument
 */
export function chooseCommand(root: Command, argv: readonly string[]): Chosen {
  let command = root;
  let path = root.name;
  let rest = argv;
  while (command.subcommands) {
    const [name, ...after] = rest;
    if (name === undefined || name === "--help" || name === "-h") {
      if (name === undefined) throw new InputError(subcommandMissing(command, path));
      return { command, path, args: [], values: { help: true } };
    }
    const names = command.subcommands.map((sub) => sub.name);
    const next = command.subcommands.find((sub) => sub.name === name);
    if (!next) {
      throw new InputError(`"${path}" has no subcommand "${name}"${didYouMean(name, names)}`);
    }
    command = next;
    path = `${path} ${next.name}`;
    rest = after;
  }
  return { command, path, ...readOptions(command, path, rest) };
}

function subcommandMissing(command: Command, path: string): string {
  const names = (command.subcommands ?? []).map((sub) => sub.name).join(", ");
  return `"${path}" needs one of: ${names}`;
}

function readOptions(command: Command, path: string, argv: readonly string[]) {
  const options = { ...command.options, ...COMMON_OPTIONS };
  const parsed = parseArgs({
    args: [...argv],
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const names = Object.keys(options);
  for (const token of parsed.tokens) {
    if (token.kind === "option") checkOption(token, options, names, path);
  }
  const values: Record<string, OptionValue> = { ...parsed.values };
  const { min, max } = command.positionals ?? { min: 0, max: 0 };
  const count = parsed.positionals.length;
  if (values.help !== true) {
    if (count > max) {
      const surplus = parsed.positionals[max];
      throw new InputError(`"${path}" does not take the argument "${surplus}"`);
    }
    if (count < min) {
      throw new InputError(
        `"${path}" needs ${count === 0 ? "an" : "another"} argument: dragon ${path} ${command.usage}`,
      );
    }
  }
  return { args: parsed.positionals, values };
}

type OptionToken = {
  name: string;
  rawName: string;
  value?: string | undefined;
  inlineValue?: boolean | undefined;
};

function checkOption(
  token: OptionToken,
  options: ParseArgsOptionsConfig,
  names: readonly string[],
  path: string,
): void {
  const option = options[token.name];
  if (!option) {
    const dashed = names.map((name) => `--${name}`);
    throw new InputError(
      `"${path}" has no option ${token.rawName}${didYouMean(token.rawName, dashed)}`,
    );
  }
  if (option.type === "boolean" && token.value !== undefined) {
    throw new InputError(`${token.rawName} takes no value, got "${token.value}"`);
  }
  if (option.type !== "string") return;
  // A value that looks like an option means that the value was forgotten; negative numbers are values.
  const looksLikeOption = token.inlineValue === false && /^-(?!\d|$)/.test(token.value ?? "");
  if (token.value === undefined || looksLikeOption) {
    throw new InputError(`${token.rawName} needs a value: dragon ${path} --help shows which`);
  }
}
