// Composition of `dragon serve`: database, schema, key, services, web; and the way back in reverse
// order. Called by main.ts. The console text is written by cli/serve.ts.
import { isIP } from "node:net";
import { createMarketData } from "./adapters/ccxt/market-data.ts";
import { createBus } from "./adapters/postgres/bus.ts";
import { migrate, schemaState } from "./adapters/postgres/migrate.ts";
import type { Database } from "./adapters/postgres/database.ts";
import { serverFacts } from "./adapters/postgres/server-facts.ts";
import { type MasterKey, settleMasterKey } from "./adapters/vault/master-key.ts";
import { composeBotDetail } from "./bot-detail.ts";
import { composeBots } from "./bots.ts";
import { loadBundle } from "./bundle.ts";
import type { RunningDragon } from "./cli/command.ts";
import { parseMasterKey } from "./config.ts";
import { composeDemo } from "./demo.ts";
import { composeEmergency, type EmergencySide } from "./emergency.ts";
import { createDemoKeeper, type DemoKeeper, installationNumber } from "./demo-exchange.ts";
import { composeLive, type LiveSide } from "./live.ts";
import type { WorkspaceId } from "./ports/access-store.ts";
import type { Clock } from "./ports/clock.ts";
import type { Log } from "./ports/log.ts";
import { composePreflight, type PreflightSide } from "./preflight.ts";
import { createResearch, type Research } from "./research.ts";
import { createAccount } from "./services/desk/account.ts";
import { createHealth, type Health } from "./services/desk/health.ts";
import { createLoginThrottle } from "./services/desk/login-throttle.ts";
import { createMembers } from "./services/desk/members.ts";
import { verifyPassword } from "./services/desk/passwords.ts";
import { createSessions } from "./services/desk/sessions.ts";
import { createSetup } from "./services/desk/setup.ts";
import { createTokens } from "./services/desk/tokens.ts";
import { closingOnFailure, createStorage, type DeskStores, deskStores } from "./storage.ts";
import { composeTradingAccounts } from "./trading-accounts.ts";
import { createApp } from "./web/app.tsx";
import { createAssets } from "./web/assets.ts";
import { createOnlookers, type Onlookers } from "./services/desk/onlookers.ts";
import { createEventStreams, type EventStreams, type IsSignedIn } from "./web/event-stream.ts";
import { listen, type WebServer } from "./web/server.ts";
import {
  databaseName,
  keepLog,
  processName,
  signalOrDefect,
  startUpkeep,
  type Upkeep,
  type WorkerDeps,
} from "./worker-process.ts";

/** What a start needs. */
export type ServeDeps = WorkerDeps & {
  /** False leaves trading and computing to workers. */
  readonly isWorking: boolean;
};

const DRAIN_MS = 5000;
const HEALTH_LIMIT_MS = 5000;

/**
 * Starts everything.
 * @throws DatabaseError, MasterKeyError or ListenError with a sentence; nothing stays running then
 */
export async function startDragon(deps: ServeDeps): Promise<RunningDragon> {
  const { config, log, clock, signal } = deps;
  const database = await createStorage({ config, log, clock }).openRaw("serve");
  return closingOnFailure(database, async () => {
    signal.throwIfAborted();
    keepLog(log, config.dataDir, clock);
    const migrated = await migrate(database.sql);
    if (migrated.applied.length > 0) log.debug("schema migrated", { ...migrated });
    const { settings } = deskStores(database);
    const key = await settleMasterKey(
      { dataDir: config.dataDir, fromEnvironment: config.masterKey(), parse: parseMasterKey },
      settings,
      clock.now(),
    );
    return running(deps, { database, key, ...(await startWeb(deps, database, key)) });
  });
}

async function startWeb(deps: ServeDeps, database: Database, key: MasterKey) {
  const { config, info, log, clock, workerUrl, signal } = deps;
  const { sql } = database;
  const name = processName(clock);
  const stores = deskStores(database);
  const keeper = createDemoKeeper({ settings: stores.settings, url: deps.venueUrl, clock, log });
  const { loopbackUrls } = keeper;
  const market = createMarketData({ clock, log: log.child("market-data"), loopbackUrls });
  const instance = await installationNumber(stores.settings, "instance.number", 100, clock.now());
  const live = composeLive({
    ...{ sql, target: database.target, key: key.bytes, clock, log, loopbackUrls, instance },
    demo: () => keeper.open(),
    name,
    lease: { ttlMs: config.jobLeaseMs, renewEveryMs: config.jobLeaseRenewEveryMs },
  });
  const hands = { holder: name, ttlMs: config.jobLeaseMs, isWorking: deps.isWorking };
  const research = createResearch({ sql, workerUrl, market, clock, log, hands });
  const tradingAccounts = composeTradingAccounts({ sql, key: key.bytes, clock, log });
  const { demo } = composeDemo({ sql, keeper, research, tradingAccounts, clock, log });
  const told = { name, role: "serve", version: info.version } as const;
  const upkeep = startUpkeep({ sql, live, clock, log, ...told });
  const emergency = composeEmergency({
    ...{ sql, key: key.bytes, clock, log, version: info.version },
  });
  const preflight = composePreflight({
    ...{ sql, key: key.bytes, dataDir: config.dataDir, instance, clock, log },
    open: live.openForChecks,
  });
  const setup = createSetup({ ...stores, clock });
  const databaseText = await databaseName(database);
  const setupToken = (await setup.hasOwner()) ? undefined : await setup.issueLink();
  const health = healthOf(database, clock, log);
  const access = accessServices(stores, clock);
  const { streams, onlookers } = pageStreams(deps, sql, access.sessions.isOpen);
  const app = createApp({
    about: aboutOf(info, databaseText, demo.isPresent),
    health,
    setup,
    ...access,
    tradingAccounts,
    demo,
    ...composeBots({ sql, research, clock, log }),
    botDetail: composeBotDetail({ sql, market, clock, log }),
    emergency: emergency.emergency,
    alarms: emergency.alarms,
    accountLive: preflight.accountLive,
    ...research,
    jobs: upkeep.jobs,
    retention: upkeep.retention,
    streams,
    assets: createAssets((await loadBundle())?.assets),
    log: log.child("web"),
    trust: config,
  });
  signal.throwIfAborted();
  const web = listen(app, { host: config.host, port: config.port });
  research
    .resume()
    .catch((error: unknown) => log.error("unfinished runs could not go on", { error }));
  demo.resume().catch((error: unknown) => log.error("the demo exchange did not start", { error }));
  live.start(deps.isWorking);
  emergency.start();
  const running = { web, research, live, keeper, emergency, preflight, streams, onlookers };
  return { ...running, setupToken, databaseText, upkeep };
}

/** Live updates of pages; workers hear that somebody looks. */
function pageStreams({ log, clock }: ServeDeps, sql: Database["sql"], isOpen: IsSignedIn) {
  const web = log.child("web");
  const streams = createEventStreams(web, isOpen, () => onlookers.opened());
  const onlookers = createOnlookers({
    ...{ bus: createBus(sql), clock, log: web, count: streams.count },
  });
  return { streams, onlookers };
}

function aboutOf(
  { version, invocation }: ServeDeps["info"],
  database: string,
  hasDemo: (id: WorkspaceId) => boolean,
) {
  const timeZone = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
  return { version, program: invocation, database, timeZone, hasDemo };
}

/** Services behind signing in, accounts and users. */
function accessServices(stores: DeskStores, clock: Clock) {
  const deps = { ...stores, clock };
  const sessions = createSessions({ ...deps, throttle: createLoginThrottle(), verifyPassword });
  return {
    sessions,
    account: createAccount({ ...deps, sessions }),
    members: createMembers(deps),
    tokens: createTokens(deps),
  };
}

function healthOf(database: Database, clock: Clock, log: Log): Health {
  return createHealth({
    checks: [
      { name: "database", run: async () => (await serverFacts(database.sql)) && "answers" },
      { name: "migrations", run: () => migrationsCheck(database) },
    ],
    clock,
    log: log.child("health"),
    limitMs: HEALTH_LIMIT_MS,
  });
}

async function migrationsCheck(database: Database): Promise<string> {
  const { current, pending } = await schemaState(database.sql);
  if (pending.length > 0) throw new Error(`${pending.length} migrations are pending`);
  return `version ${current}`;
}

type Parts = {
  database: Database;
  key: MasterKey;
  web: WebServer;
  research: Research;
  live: LiveSide;
  keeper: DemoKeeper;
  emergency: EmergencySide;
  preflight: PreflightSide;
  streams: EventStreams;
  onlookers: Onlookers;
  setupToken: string | undefined;
  databaseText: string;
  upkeep: Upkeep;
};

function running(deps: ServeDeps, parts: Parts): RunningDragon {
  const { config } = deps;
  const { web, key, setupToken, databaseText } = parts;
  const url = config.publicUrl ?? localUrl(web.host, web.port);
  return {
    url,
    setupUrl: setupToken === undefined ? undefined : `${url}/setup/${setupToken}`,
    database: databaseText,
    dataDir: config.dataDir,
    key: { from: key.from, path: key.path },
    isExposed: !isLoopback(web.host),
    stopped: untilStopped(deps, parts),
  };
}

/** Waits for a signal or a defect, then stops web first, the runs next and the database last. */
async function untilStopped(deps: ServeDeps, parts: Parts): Promise<number> {
  const { log, signal } = deps;
  const { web, research, live, keeper, emergency, preflight, upkeep, database } = parts;
  const exitCode = await signalOrDefect(log, signal);
  parts.onlookers.stop();
  parts.streams.closeAll();
  await web.stop(DRAIN_MS);
  await preflight.stop();
  await emergency.stop();
  await live.stop();
  await keeper.stop();
  await research.stop();
  await upkeep.stop();
  await database.close();
  return exitCode;
}

/** The address to type on this machine. */
function localUrl(host: string, port: number): string {
  const shown = host === "0.0.0.0" || host === "::" ? "localhost" : host;
  return `http://${isIP(shown) === 6 ? `[${shown}]` : shown}:${port}`;
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\./.test(host);
}
