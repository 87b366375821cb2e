// The shape of a command and what it is handed. Every file in this room exports Command objects;
// main.ts builds the context. Nothing here reads the environment or touches a database by itself.
import type { ParseArgsOptionsConfig } from "node:util";
import { InputError } from "../model/result.ts";
import type { AccessStore } from "../ports/access-store.ts";
import type { AuditStore } from "../ports/audit-store.ts";
import type { CandleStore } from "../ports/candle-store.ts";
import type { Clock } from "../ports/clock.ts";
import type { InstrumentStore } from "../ports/instrument-store.ts";
import type { Log } from "../ports/log.ts";
import type { MarketData } from "../ports/market-data.ts";
import type { PeriodStore } from "../ports/period-store.ts";
import type { RunStore } from "../ports/run-store.ts";
import type { SettingsStore } from "../ports/settings-store.ts";
import type { DoctorProbes } from "../services/desk/doctor.ts";
import type { RotatedKey } from "./admin-keys.ts";
import type { OpenArming } from "./arming.ts";

/** Exit codes: ok, failed, usage or refused configuration. */
export const EXIT = { ok: 0, failed: 1, refused: 2 } as const;

/** What a command sees of the configuration. */
export type CommandConfig = {
  readonly databaseUrl: string | undefined;
  readonly dataDir: string;
  readonly host: string;
  readonly port: number;
};

/** The stores of an opened database; `close` must be called, also after a failure. */
export type OpenStores = {
  readonly access: AccessStore;
  readonly settings: SettingsStore;
  readonly audit: AuditStore;
  readonly instruments: InstrumentStore;
  readonly candles: CandleStore;
  readonly periods: PeriodStore;
  readonly runs: RunStore;
  close(): Promise<void>;
};

/** One page of the manual. */
export type HelpPage = {
  readonly name: string;
  readonly summary: string;
  readonly markdown: string;
};

/** What is bundled, under which licence. */
export type Notice = {
  readonly name: string;
  readonly version: string;
  readonly licence: string;
  readonly text: string;
};

/** What `version` prints. */
export type ProgramInfo = {
  readonly name: string;
  readonly version: string;
  /** Short hash of the commit this was started from, when it is known. */
  readonly commit: string | undefined;
  readonly runtime: string;
  readonly platform: string;
  /** How a command is written on this installation, e.g. `npx bun src/main.ts`. */
  readonly invocation: string;
};

/** A started Dragon, as `serve` reports it. */
export type RunningDragon = {
  readonly url: string;
  /** Absent once an owner exists. */
  readonly setupUrl: string | undefined;
  readonly database: string;
  readonly dataDir: string;
  /** `created` only at the start that made the key. */
  readonly key: { readonly from: "environment" | "file" | "created"; readonly path: string };
  /** True when other machines can reach the address. */
  readonly isExposed: boolean;
  /** Resolves to the exit code once everything is stopped. */
  readonly stopped: Promise<number>;
};

/** A started worker, as `worker` reports it. */
export type RunningWorker = {
  /** Holder of its leases and claims, different after every start. */
  readonly name: string;
  readonly database: string;
  /** Resolves to the exit code once everything is stopped. */
  readonly stopped: Promise<number>;
};

/** What main.ts does for the commands that concern the program itself. */
export type Program = {
  info(): Promise<ProgramInfo>;
  helpPages(): Promise<readonly HelpPage[]>;
  notices(): Promise<readonly Notice[]>;
  migrate(): Promise<{ from: number; to: number; applied: readonly string[] }>;
  doctorProbes(): Promise<DoctorProbes>;
  /** @param isWorking false leaves trading and computing to workers */
  serve(isWorking: boolean): Promise<RunningDragon>;
  worker(): Promise<RunningWorker>;
  /** Seals everything under the master key in the text. */
  rotateKey(typed: string): Promise<RotatedKey>;
  /** Opens what lets accounts trade real money. */
  openArming(): Promise<OpenArming>;
};

/** A progress line on stderr; it draws only on a terminal. */
export type Progress = {
  /** `label` replaces the text behind the bar. */
  update(done: number, label?: string): void;
  done(): void;
};

/** Everything a command is given. */
export type CommandContext = {
  /** Positional arguments after the command name. */
  readonly args: readonly string[];
  /** Options as node:util parseArgs returns them. */
  readonly values: Readonly<Record<string, OptionValue>>;
  /** True when `--json` was given. */
  readonly json: boolean;
  /** The terminal behind stdout; `columns` is 80 when there is none. */
  readonly terminal: { readonly isTerminal: boolean; readonly columns: number };
  /** Writes one line to stdout; flushed before the process ends. */
  out(text: string): void;
  /** Writes one line to stderr. */
  err(text: string): void;
  /** Reads and validates the environment at the first use. */
  readonly config: CommandConfig;
  /** Opens the database (starting the bundled one when needed) and brings the schema up to date. */
  openDatabase(): Promise<OpenStores>;
  /** Market data of the exchanges over the network. */
  openMarketData(): Promise<MarketData>;
  /** All of stdin as text, for secrets. */
  readStdin(): Promise<string>;
  readonly program: Program;
  readonly log: Log;
  readonly clock: Clock;
  /** Aborted by the first SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
  progress(total: number, label: string): Progress;
};

/** A parsed option value. */
export type OptionValue = string | boolean | (string | boolean)[] | undefined;

/** One command, or a group when `subcommands` is present (then `run` is never called). */
export type Command = {
  readonly name: string;
  /** One sentence for the command list. */
  readonly summary: string;
  /** What follows `dragon <name>`, e.g. `FILE --exchange ID [--json]`. */
  readonly usage: string;
  /** node:util parseArgs options; `help` and `json` are added for every command. */
  readonly options?: ParseArgsOptionsConfig;
  /** What each option means, by its name; printed by `--help`. */
  readonly optionHelp?: Readonly<Record<string, string>>;
  /** What an exit code means, printed by `--help`; only where it says more than done or failed. */
  readonly exitCodes?: readonly (readonly [code: number, meaning: string])[];
  /** How many positional arguments are accepted; none when absent. */
  readonly positionals?: { readonly min: number; readonly max: number };
  readonly subcommands?: readonly Command[];
  /** Resolves to the exit code. An InputError becomes one line on stderr and exit code 2. */
  run(context: CommandContext): Promise<number>;
};

/** A command that only has subcommands. */
export function commandGroup(
  name: string,
  summary: string,
  subcommands: readonly Command[],
): Command {
  const usage = `${subcommands.map((sub) => sub.name).join("|")} …`;
  return { name, summary, usage, subcommands, run: async () => EXIT.refused };
}

/** The text of an option, undefined when it was not given. */
export function optionText(context: CommandContext, name: string): string | undefined {
  const value = context.values[name];
  return typeof value === "string" ? value : undefined;
}

/**
 * The text of an option that must be given.
 * @throws InputError naming the option
 */
export function requiredText(context: CommandContext, name: string): string {
  const value = optionText(context, name);
  if (value === undefined || value === "") throw new InputError(`--${name} is missing`);
  return value;
}

/** True when a boolean option was given. */
export function optionFlag(context: CommandContext, name: string): boolean {
  return context.values[name] === true;
}

/**
 * A whole number option within a range.
 * @throws InputError naming option, value and range
 */
export function optionInteger(
  context: CommandContext,
  name: string,
  range: { min: number; max: number },
): number | undefined {
  const value = optionText(context, name);
  if (value === undefined) return undefined;
  const number = /^-?\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
  if (!(number >= range.min && number <= range.max)) {
    throw new InputError(
      `--${name}: "${value}" is not a whole number from ${range.min} to ${range.max}`,
    );
  }
  return number;
}
