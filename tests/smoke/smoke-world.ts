// What the smoke list is walked in: the simulated exchange, `dragon serve` without hands and `dragon worker`s as
// processes of their own on one data folder, a person who uses the pages, and the rows and the exchange's books to
// look at. Nothing but the exchange is simulated. Used by the checklists.
import { expect } from "bun:test";
import { createBotRepository } from "../../src/adapters/postgres/bot-repository.ts";
import { createClock } from "../../src/adapters/system/clock.ts";
import { readConfig } from "../../src/config.ts";
import type { Scope, WorkspaceId } from "../../src/ports/access-store.ts";
import { createStorage } from "../../src/storage.ts";
import type { Serving } from "../support/dragon.ts";
import { silentLog } from "../support/silent-log.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { openExchange } from "./smoke-exchange.ts";
import { type Person, setUp, signIn } from "./smoke-person.ts";
import { type ProgramOptions, startCommand } from "./smoke-program.ts";
import { lookSteps, personSteps } from "./smoke-steps.ts";
import type { SmokeVenueTask } from "./smoke-venue.ts";

/** What a world may choose. */
export type SmokeOptions = Pick<SmokeVenueTask, "seed" | "markets" | "accounts">;

/** A running world. */
export type SmokeWorld = Awaited<ReturnType<typeof openSmokeWorld>>;

/** Virtual time per real time: a candle closes every six seconds. */
const SPEED = 10;
const VOLATILITY_PPM = 500;
/** Pages alone: workers are killed and started beside them. */
const SERVE = ["serve", "--no-worker"] as const;

/** Opens everything; there is no account yet and nobody trades. */
export async function openSmokeWorld(options: SmokeOptions) {
  const task = { ...options, speed: SPEED, volatilityPpm: VOLATILITY_PPM };
  const exchange = await openExchange(task);
  const dataDir = temporaryFolder();
  const database = await openRows(dataDir);
  const processes = await startProcesses({ dataDir, venue: exchange.address, speed: SPEED });
  const { sql } = database;
  const bots = createBotRepository(sql);
  const [workspace] = await sql<{ id: WorkspaceId }[]>`select id from workspaces`;
  if (!workspace) throw new Error("there is no workspace");
  const scope: Scope = { workspaceId: workspace.id, userId: null, role: "owner" };
  const deps = { ...processes, exchange, database, bots, scope };
  return {
    ...deps,
    ...{ dataDir, ...personSteps(deps), ...lookSteps(deps) },
    async close(): Promise<void> {
      await processes.killAll();
      await database.close();
      await exchange.stop();
    },
  };
}

/** Opened before and closed after every process: whatever is killed, the database goes on. */
function openRows(dataDir: string) {
  const config = readConfig({ DRAGON_DATA_DIR: dataDir });
  return createStorage({ config, log: silentLog, clock: createClock() }).openRaw("command");
}

/** The program's processes, the pages first, and who sits in front of them. */
async function startProcesses(program: ProgramOptions) {
  let serve = await startCommand(program, SERVE);
  let present = await setUp(serve.setupUrl ?? "");
  const workers = new Set<Serving>();

  async function startWorker(): Promise<Serving> {
    const worker = await startCommand(program, ["worker"]);
    workers.add(worker);
    return worker;
  }
  /** As a power cut does. */
  async function killWorkers(): Promise<void> {
    for (const worker of workers) await worker.stop("SIGKILL");
    workers.clear();
  }
  /** Whichever process serves the pages. */
  const person: Person = {
    read: (path) => present.read(path),
    send: (path, fields) => present.send(path, fields),
  };
  return {
    ...{ person, startWorker, killWorkers },
    async killWorker(worker: Serving): Promise<void> {
      workers.delete(worker);
      await worker.stop("SIGKILL");
    },
    /** Ends every process as it asks to be ended, and starts pages and a worker again. */
    async restartAll(): Promise<void> {
      for (const each of [...workers, serve]) expect(await each.stop("SIGTERM")).toBe(0);
      workers.clear();
      serve = await startCommand(program, SERVE);
      present = await signIn(serve.url);
      await startWorker();
    },
    async killAll(): Promise<void> {
      await killWorkers();
      await serve.stop("SIGKILL");
    },
  };
}
