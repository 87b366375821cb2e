// Composition of `dragon worker`: a process without pages that trades accounts and computes runs of a database
// that others use too. Called by main.ts; serve.ts takes its upkeep and its wait from here. Several may run.
import { existsSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { createMarketData } from "./adapters/ccxt/market-data.ts";
import type { Sql } from "./adapters/postgres/connect.ts";
import type { Database } from "./adapters/postgres/database.ts";
import { DatabaseError } from "./adapters/postgres/errors.ts";
import { createJobsRepository } from "./adapters/postgres/jobs-repository.ts";
import { migrate } from "./adapters/postgres/migrate.ts";
import { createRetentionRepository } from "./adapters/postgres/retention-repository.ts";
import { serverFacts } from "./adapters/postgres/server-facts.ts";
import { createWorkerRepository } from "./adapters/postgres/worker-repository.ts";
import { tryLock } from "./adapters/system/file-lock.ts";
import type { OperatorLog } from "./adapters/system/log.ts";
import { createLogFile, LOG_BYTES_MAX, LOG_FILES_MAX } from "./adapters/system/log-file.ts";
import { settleMasterKey } from "./adapters/vault/master-key.ts";
import type { ProgramInfo, RunningWorker } from "./cli/command.ts";
import { type Config, parseMasterKey } from "./config.ts";
import { createDemoKeeper, installationNumber } from "./demo-exchange.ts";
import { composeLive, type LiveSide } from "./live.ts";
import type { Clock } from "./ports/clock.ts";
import type { Log } from "./ports/log.ts";
import type { WorkerBeat } from "./ports/worker-store.ts";
import { createResearch } from "./research.ts";
import { createJobsDesk, type JobsDesk } from "./services/desk/jobs.ts";
import { createRetention, type Retention } from "./services/live/retention.ts";
import { keepBeating } from "./services/live/worker-beat.ts";
import { closingOnFailure, createStorage, deskStores } from "./storage.ts";

/** What a process that works needs. */
export type WorkerDeps = {
  readonly config: Config;
  readonly info: ProgramInfo;
  readonly log: OperatorLog;
  readonly clock: Clock;
  /** The program of a worker thread. */
  readonly workerUrl: URL;
  /** The program of the demo exchange's thread. */
  readonly venueUrl: URL;
  /** Aborted when the process shall stop. */
  readonly signal: AbortSignal;
};

/**
 * Starts to trade and to compute.
 * @throws DatabaseError or MasterKeyError with a sentence; nothing stays running then
 */
export async function startWorker(deps: WorkerDeps): Promise<RunningWorker> {
  const { config, log, clock, signal } = deps;
  requireServer(config);
  const database = await createStorage({ config, log, clock }).openRaw("worker");
  return closingOnFailure(database, async () => {
    signal.throwIfAborted();
    keepLog(log, config.dataDir, clock);
    await migrate(database.sql);
    const { settings } = deskStores(database);
    const fromEnvironment = config.masterKey();
    const key = await settleMasterKey(
      { dataDir: config.dataDir, fromEnvironment, parse: parseMasterKey },
      settings,
      clock.now(),
    );
    const name = processName(clock);
    const stop = await begin(deps, database, key.bytes, name);
    return {
      name,
      database: await databaseName(database),
      stopped: signalOrDefect(log, signal).then(async (exitCode) => {
        await stop();
        await database.close();
        return exitCode;
      }),
    };
  });
}

/**
 * A worker alone would keep the bundled server of a folder running where nobody sees it.
 * @throws DatabaseError
 */
function requireServer({ databaseUrl, dataDir }: Config): void {
  if (databaseUrl !== undefined) return;
  const path = join(dataDir, "lock");
  const lock = existsSync(path) ? tryLock(path, "exclusive") : undefined;
  if (lock === null) return;
  lock?.release();
  throw new DatabaseError(
    `no "dragon serve" runs on the data folder ${dataDir}: start it first, or set ` +
      "DRAGON_DATABASE_URL to the PostgreSQL that the worker shall work for",
  );
}

/** Begins everything. @returns ends it again: trading first, the runs last */
async function begin(
  { config, info, log, clock, workerUrl, venueUrl }: WorkerDeps,
  { sql, target }: Database,
  key: Uint8Array,
  name: string,
): Promise<() => Promise<void>> {
  const { settings } = deskStores({ sql });
  const demo = createDemoKeeper({ settings, url: venueUrl, clock, log });
  const { loopbackUrls } = demo;
  const live = composeLive({
    ...{ sql, target, key, clock, log, loopbackUrls, name },
    demo: () => demo.open(),
    instance: await installationNumber(settings, "instance.number", 100, clock.now()),
    lease: { ttlMs: config.jobLeaseMs, renewEveryMs: config.jobLeaseRenewEveryMs },
  });
  const research = createResearch({
    ...{ sql, workerUrl, clock, log },
    market: createMarketData({ clock, log: log.child("market-data"), loopbackUrls }),
    hands: { holder: name, ttlMs: config.jobLeaseMs, isWorking: true },
  });
  live.start();
  const told = { name, role: "worker", version: info.version } as const;
  const upkeep = startUpkeep({ sql, live, clock, log, ...told });
  research
    .resume()
    .catch((error: unknown) => log.error("waiting runs could not be claimed", { error }));
  return async () => {
    await live.stop();
    await demo.stop();
    await research.stop();
    await upkeep.stop();
  };
}

/** From now on everything that is logged is also kept in the data folder. */
export function keepLog(log: OperatorLog, dataDir: string, clock: Clock): void {
  const file = createLogFile({
    path: join(dataDir, "logs", "dragon.jsonl"),
    ...{ bytesMax: LOG_BYTES_MAX, filesMax: LOG_FILES_MAX, nowMs: () => clock.monotonicMs() },
    onTrouble: (sentence) => log.error(sentence),
  });
  log.alsoTo((line) => file.write(line));
}

/** Names this process, differently after every start. */
export function processName(clock: Clock): string {
  return `${hostname()}-${process.pid}-${clock.now()}`;
}

/** What is told of the database's server. */
export async function databaseName({ sql, kind }: Database): Promise<string> {
  const { version } = await serverFacts(sql);
  return `${kind === "embedded" ? "bundled" : "external"} PostgreSQL ${version}`;
}

/** What every process does beside its work, and what the pages show of it. */
export type Upkeep = {
  readonly retention: Retention;
  readonly jobs: JobsDesk;
  stop(): Promise<void>;
};

/** Tells the pages of every process what this one does, and lets go of what is old. */
export function startUpkeep({
  sql,
  live,
  clock,
  log,
  ...told
}: Pick<WorkerBeat, "name" | "role" | "version"> & {
  readonly sql: Sql;
  readonly live: Pick<LiveSide, "control">;
  readonly clock: Clock;
  readonly log: Log;
}): Upkeep {
  const ending = new AbortController();
  const worker = { ...told, host: hostname(), pid: process.pid, startedAt: clock.now() };
  const workers = createWorkerRepository(sql);
  const { settings, audit } = deskStores({ sql });
  const store = createRetentionRepository(sql);
  const retention = createRetention({ store, settings, audit, clock, log: log.child("retention") });
  const { control } = live;
  const beat = { store: workers, control, clock, log: log.child("beat"), worker };
  const running = [keepBeating(beat, ending.signal), retention.run(ending.signal)];
  return {
    retention,
    jobs: createJobsDesk({ workers, jobs: createJobsRepository(sql), clock, log }),
    async stop() {
      ending.abort(new Error("Dragon stops"));
      await Promise.all(running);
    },
  };
}

/** Waits for the signal or a defect. @returns the exit code that follows from it */
export function signalOrDefect(log: Log, signal: AbortSignal): Promise<number> {
  return new Promise((resolve) => {
    const onDefect = (error: unknown) => {
      log.error("an unexpected error; Dragon stops", { error });
      resolve(1);
    };
    process.on("uncaughtException", onDefect);
    process.on("unhandledRejection", onDefect);
    if (signal.aborted) resolve(0);
    signal.addEventListener("abort", () => resolve(0), { once: true });
  });
}
