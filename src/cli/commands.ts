// The one list of commands, in the order `dragon help` prints them. A command appears here only
// once it is built. Modules are loaded when a command is chosen, so that start-up stays quick.
import type { Command } from "./command.ts";

/** A command by name, loaded on demand. */
export type CommandEntry = {
  readonly name: string;
  readonly summary: string;
  load(): Promise<Command>;
};

/** All built commands. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: "serve",
    summary: "Starts Dragon: its database and its pages.",
    load: async () => (await import("./serve.ts")).serveCommand,
  },
  {
    name: "worker",
    summary: "Trades and computes without pages, beside a running Dragon.",
    load: async () => (await import("./worker.ts")).workerCommand,
  },
  {
    name: "migrate",
    summary: "Brings the database schema up to date.",
    load: async () => (await import("./migrate.ts")).migrateCommand,
  },
  {
    name: "doctor",
    summary: "Checks the installation and names a cure for each problem.",
    load: async () => (await import("./doctor.ts")).doctorCommand,
  },
  {
    name: "backtest",
    summary: "Runs one backtest from files; needs no database and no network.",
    load: async () => (await import("./backtest.ts")).backtestCommand,
  },
  {
    name: "candles",
    summary: "Imports, fetches and lists candle history.",
    load: async () => (await import("./candles.ts")).candlesCommand,
  },
  {
    name: "venue",
    summary: "Runs the simulated exchange: WOO X REST and streams on loopback.",
    load: async () => (await import("./venue.ts")).venueCommand,
  },
  {
    name: "preflight",
    summary: "Checks an account before it trades real money, and keeps the result.",
    load: async () => (await import("./arming.ts")).preflightCommand,
  },
  {
    name: "arm",
    summary: "Lets an account trade real money, after its pre-flight.",
    load: async () => (await import("./arming.ts")).armCommand,
  },
  {
    name: "disarm",
    summary: "Freezes an account until a pre-flight arms it again.",
    load: async () => (await import("./arming.ts")).disarmCommand,
  },
  {
    name: "admin",
    summary: "Creates users, passwords and tokens; changes the master key.",
    load: async () => (await import("./admin.ts")).adminCommand,
  },
  {
    name: "help",
    summary: "Prints the manual, one topic at a time.",
    load: async () => (await import("./help.ts")).helpCommand,
  },
  {
    name: "licenses",
    summary: "Prints the licences of everything bundled.",
    load: async () => (await import("./licenses.ts")).licensesCommand,
  },
  {
    name: "version",
    summary: "Prints version, commit, runtime and platform.",
    load: async () => (await import("./version.ts")).versionCommand,
  },
];
