// The entry: builds the context of a command and runs it. Heavy parts are loaded when a command
// asks for them, so that a backtest touches no database, no data folder and no network.
import manifest from "../package.json" with { type: "json" };
import { loadBundle } from "./bundle.ts";
import { createClock } from "./adapters/system/clock.ts";
import { createLog } from "./adapters/system/log.ts";
import type { Chosen } from "./cli/arguments.ts";
import type { CommandContext, Program, ProgramInfo } from "./cli/command.ts";
import { COMMANDS } from "./cli/commands.ts";
import { dispatch } from "./cli/dispatch.ts";
import { didYouMean } from "./cli/nearest.ts";
import { createProgress } from "./cli/progress.ts";
import {
  type Config,
  processEnvironment,
  readConfig,
  readLogLevel,
  unknownVariables,
  VARIABLES,
} from "./config.ts";

const ROOT = `${import.meta.dir}/..`;
/** Errors whose message is a sentence for the operator; everything else is printed with its stack. */
const FOR_PEOPLE = new Set(["DatabaseError", "ListenError", "MasterKeyError", "MarketDataError"]);

const clock = createClock();
const out = (text: string) => void process.stdout.write(`${text}\n`);
const err = (text: string) => void process.stderr.write(`${text}\n`);

/** Computes a value at its first use. */
function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

const config = once((): Config => {
  const env = processEnvironment();
  const names = VARIABLES.map((variable) => variable.name);
  for (const name of unknownVariables(env)) {
    err(`dragon: ${name} is not a variable of Dragon and has no effect${didYouMean(name, names)}`);
  }
  return readConfig(env);
});

const log = createLog({
  level: readLogLevel(processEnvironment()),
  isTerminal: process.stderr.isTTY === true,
  write: err,
});

/** A terminal and a parent process may both deliver one Ctrl-C; within this time it counts once. */
const SAME_SIGNAL_MS = 500;

// Listening for signals takes away their default effect, so it begins when a command first cares: a
// long calculation must still end at once on Ctrl-C.
const signal = once((): AbortSignal => {
  const controller = new AbortController();
  let firstAtMs = 0;
  const onSignal = (name: string) => {
    if (!controller.signal.aborted) {
      firstAtMs = clock.monotonicMs();
      controller.abort(new Error(`stopped by ${name}`));
    } else if (clock.monotonicMs() - firstAtMs > SAME_SIGNAL_MS) {
      err("dragon: stopped at once by a second signal");
      process.exit(1);
    }
  };
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(name, () => onSignal(name));
  return controller.signal;
});

async function info(): Promise<ProgramInfo> {
  const { commitOf } = await import("./adapters/system/machine.ts");
  const bundle = await loadBundle();
  return {
    name: manifest.name,
    version: manifest.version,
    commit: bundle ? (bundle.commit ?? undefined) : commitOf(ROOT),
    runtime: `Bun ${Bun.version}`,
    platform: `${process.platform}-${process.arch}`,
    invocation: bundle ? "dragon" : "npx bun src/main.ts",
  };
}

const storage = once(async () => {
  const { createStorage } = await import("./storage.ts");
  return createStorage({ config: config(), log, clock });
});

/** What a program that goes on is started with. */
async function started() {
  const workerUrl = new URL("./shard.worker.ts", import.meta.url);
  const venueUrl = new URL("./venue.worker.ts", import.meta.url);
  const about = { config: config(), info: await info() };
  return { ...about, log, clock, workerUrl, venueUrl, signal: signal() };
}

const program: Program = {
  info,
  async helpPages() {
    return (await import("../views/help/index.ts")).HELP_TOPICS;
  },
  async notices() {
    const { packageNotices } = await import("./adapters/system/notices.ts");
    const { NATIVE_NOTICES } = await import("../views/notices/native.ts");
    const bundle = await loadBundle();
    return [...NATIVE_NOTICES, ...(bundle ? bundle.notices : packageNotices(ROOT))];
  },
  async migrate() {
    signal();
    return (await storage()).migrateOnly();
  },
  async rotateKey(typed) {
    signal();
    const { rotateKey } = await import("./key-rotation.ts");
    return rotateKey({ config: config(), storage: await storage(), clock }, typed);
  },
  async openArming() {
    const { openArming } = await import("./arming.ts");
    const about = { config: config(), storage: await storage() };
    return openArming({ ...about, clock, log, signal: signal() });
  },
  async doctorProbes() {
    const { createDoctorProbes } = await import("./doctor-probes.ts");
    return createDoctorProbes({ config, env: processEnvironment(), storage, clock });
  },
  async serve(isWorking) {
    const { startDragon } = await import("./serve.ts");
    return startDragon({ ...(await started()), isWorking });
  },
  async worker() {
    const { startWorker } = await import("./worker-process.ts");
    return startWorker(await started());
  },
};

function createContext(chosen: Chosen): CommandContext {
  return {
    args: chosen.args,
    values: chosen.values,
    json: chosen.values.json === true,
    terminal: { isTerminal: process.stdout.isTTY === true, columns: process.stdout.columns || 80 },
    out,
    err,
    get config() {
      return config();
    },
    async openDatabase() {
      signal();
      return (await storage()).openStores();
    },
    async openMarketData() {
      const { createMarketData } = await import("./adapters/ccxt/market-data.ts");
      return createMarketData({ clock, log: log.child("market-data") });
    },
    readStdin: () => Bun.stdin.text(),
    program,
    log,
    clock,
    get signal() {
      return signal();
    },
    progress: (total, label) => createProgress(process.stderr, total, label),
  };
}

/** Resolves when everything written so far has left the process. */
function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => stream.write("", () => resolve()));
}

// Whoever read the log may be gone; that ends nothing.
process.stderr.on("error", () => undefined);

// `dragon … | head` closes the pipe early; that is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  process.exit(error.code === "EPIPE" ? 0 : 1);
});

const exitCode = await dispatch(
  {
    commands: COMMANDS,
    out,
    err,
    isForPeople: (error) => error instanceof Error && FOR_PEOPLE.has(error.name),
    createContext,
  },
  process.argv.slice(2),
);
await flushed(process.stdout);
await flushed(process.stderr);
process.exit(exitCode);
