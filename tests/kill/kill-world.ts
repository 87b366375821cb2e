// What the tests of real processes stand on: a database that outlives the program, a simulated exchange in a
// process of its own, demo accounts with eager bots, and programs that are started, killed and frozen.
import { join } from "node:path";
import { createBotRepository } from "../../src/adapters/postgres/bot-repository.ts";
import type { ConnectTarget } from "../../src/adapters/postgres/connect.ts";
import { createTradingRepository } from "../../src/adapters/postgres/trading-repository.ts";
import { nextStatus } from "../../src/execution/order-machine.ts";
import { decimal } from "../../src/model/decimal.ts";
import type { AccountId } from "../../src/ports/account-store.ts";
import type { Bot, BotStore, NewBot } from "../../src/ports/bot-store.ts";
import type { Json } from "../../src/ports/settings-store.ts";
import { type ChildProgram, startProgram } from "../support/child-program.ts";
import { openDoor } from "./exchange-door.ts";
import { startLedProgram } from "./led-program.ts";
import { type AccountPlace, openDemo, openLive } from "./live-account.ts";
import { putOnTime, venueDeeds } from "./venue-admin.ts";
import type { LiveOrder, LiveTask } from "../support/live-process.ts";
import { demoConfig } from "../../src/strategy/dca-atr/demo-config.ts";
import { botConfig } from "../support/live-session.ts";
import { testDatabase, type TestDatabase, testScope } from "../support/test-database.ts";
import {
  symbolOf,
  type VenueAddress,
  type VenueFacts,
  type VenueQuestion,
  type VenueTask,
} from "../support/venue-process.ts";

/** What a world may choose. */
export type WorldOptions = {
  readonly seed: number;
  readonly speed: number;
  readonly accounts: number;
  /** On contracts of their own, as far as there are enough. */
  readonly botsPerAccount: number;
  /** Contracts of the exchange; one for each bot of an account when absent. */
  readonly markets?: number;
  readonly volatilityPpm: number;
  readonly strategy?: Json;
  readonly hasDeadMan?: boolean;
  readonly database?: TestDatabase;
  /** Where the program finds the database when not where the test does. */
  readonly programTarget?: ConnectTarget;
  readonly lease?: LiveTask["lease"];
  /** The exchange's clock is the machine's: for programs whose clock is not ours; speed is 1 then. */
  readonly isOnTime?: boolean;
  /** Accounts are live ones then, their keys sealed under it; programs are led to the exchange. */
  readonly masterKey?: Uint8Array;
};

/** A running world. */
export type World = Awaited<ReturnType<typeof openWorld>>;

/** The lease of the product, in the exchange's time. */
export const LEASE = { ttlMs: 30_000, renewEveryMs: 10_000 };
/** At this pace an exchange begins a minute before the last full one; see venue-process.ts. */
const FROM_THE_PAST = 24;
const START_LIMIT_MS = 60_000;
const ANSWER_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 15_000;

const file = (name: string) => join(import.meta.dir, "../support", name);

/** Opens everything; no program trades yet. */
export async function openWorld(options: WorldOptions) {
  const { seed, masterKey } = options;
  const speed = options.isOnTime ? 1 : options.speed;
  const database = options.database ?? (await testDatabase());
  const scope = await testScope(database.sql, "ann");
  const bots = createBotRepository(database.sql);
  const trading = createTradingRepository(database.sql, nextStatus);
  const { venue, address } = await openVenue(options);
  const door = masterKey ? await openDoor(address.url) : null;
  const now = () => Math.floor(address.at + (Date.now() - address.wallAt) * speed);
  const places = address.accounts.map((keys, index) => ({
    ...{ sql: database.sql, scope, name: nameOf(index), keys, at: now() },
  }));
  const { accountIds, made } = await openAccounts(options, bots, places);
  const task: Omit<LiveTask, "name"> = {
    ...{ target: options.programTarget ?? database.target, venue: address, speed, accountIds },
    lease: options.lease ?? LEASE,
  };
  const programs = programsOf(task, `program-${seed}`, door?.port ?? null);

  async function ask(line: string, question: VenueQuestion) {
    venue.tell(question);
    return venue.next(line, ANSWER_LIMIT_MS);
  }

  return {
    ...{ database, scope, bots, trading, accountIds, made, address, door, now, speed },
    ...{ startLive: programs.start, stopLive: programs.stop },
    ...venueDeeds(address),
    /** Wishes that every bot runs. */
    async runAgain(): Promise<void> {
      for (const { id } of made) await bots.wish(scope, id, { status: "running" }, now());
    },
    async facts(account = 0): Promise<VenueFacts> {
      return (await ask("facts", { ask: "facts", account })) as unknown as VenueFacts;
    },
    /** Spans of real ms in which a position had less stop than it holds, since the last start. */
    async uncovered(starts = false): Promise<number[]> {
      const { spans } = await ask("uncovered", { ask: "uncovered", starts });
      return spans as number[];
    },
    /** Differences between the exchange's books and ours, an account at rest. */
    async differences(account = 0): Promise<string[]> {
      const accountId = accountIds[account];
      if (accountId === undefined) throw new Error(`there is no account ${account}`);
      const { target } = database;
      const question = { ask: "differences", account, target, scope, accountId } as const;
      return (await ask("differences", question)).found as string[];
    },
    /** Waits by the machine's clock. @throws when it does not come true in time */
    async until(what: string, limitMs: number, isTrue: () => Promise<boolean>): Promise<void> {
      const endMs = performance.now() + limitMs;
      while (!(await isTrue())) {
        if (performance.now() > endMs) throw new Error(`not within ${limitMs} ms: ${what}`);
        await Bun.sleep(50);
      }
    },
    async close(): Promise<void> {
      await programs.killAll();
      door?.stop();
      venue.signal("SIGKILL");
      await venue.ended;
      if (!options.database) await database.drop();
    },
  };
}

/** Programs on the accounts of a world; `doorPort` is where their exchange is led to, null for demo accounts. */
function programsOf(task: Omit<LiveTask, "name">, name: string, doorPort: number | null) {
  const alive = new Set<ChildProgram>();
  let started = 0;
  return {
    /** Starts the trading program; it is not asked whether it trades yet. */
    start(): ChildProgram {
      started += 1;
      const live: LiveTask = { ...task, name: `${name}-${started}` };
      const path = file("live-process.ts");
      const isLed = doorPort !== null;
      const program = isLed ? startLedProgram(path, live, doorPort) : startProgram(path, live);
      alive.add(program);
      void program.ended.then(() => alive.delete(program));
      return program;
    },
    /** Ends a program the way it is asked to. */
    async stop(program: ChildProgram): Promise<void> {
      program.tell({ tell: "stop" } satisfies LiveOrder);
      await Promise.race([program.ended, Bun.sleep(STOP_LIMIT_MS)]);
      if (!program.isAlive()) return;
      program.signal("SIGKILL");
      await program.ended;
    },
    async killAll(): Promise<void> {
      for (const program of alive) {
        program.signal("SIGCONT");
        program.signal("SIGKILL");
        await program.ended;
      }
    },
  };
}

const nameOf = (account: number) => `Account ${account + 1}`;

/** The exchange in a process of its own. */
async function openVenue(options: WorldOptions) {
  const { seed, volatilityPpm, hasDeadMan = false, isOnTime = false } = options;
  const task: VenueTask = {
    ...{ seed, volatilityPpm, hasDeadMan, markets: options.markets ?? options.botsPerAccount },
    speed: isOnTime ? FROM_THE_PAST : options.speed,
    accounts: Array.from({ length: options.accounts }, (_, account) => nameOf(account)),
  };
  const venue = startProgram(file("venue-process.ts"), task);
  const begun = (await venue.next("venue", START_LIMIT_MS)) as unknown as VenueAddress;
  return { venue, address: isOnTime ? await putOnTime(begun) : begun };
}

/** Our side of the accounts, with bots that are to run. */
async function openAccounts(
  { botsPerAccount, markets = botsPerAccount, strategy, masterKey }: WorldOptions,
  bots: BotStore,
  places: readonly AccountPlace[],
) {
  const accountIds: AccountId[] = [];
  const made: Bot[] = [];
  for (const place of places) {
    const accountId = masterKey ? await openLive(place, masterKey) : await openDemo(place);
    accountIds.push(accountId);
    for (let n = 0; n < botsPerAccount; n++) {
      const symbol = symbolOf(made.length % markets);
      const wish = { accountId, name: `${place.name}, bot ${n}`, symbol, strategy };
      made.push(await makeBot(bots, place, wish));
    }
  }
  return { accountIds, made };
}

/** A bot that is to run. */
async function makeBot(
  bots: BotStore,
  { scope, at }: AccountPlace,
  wish: Pick<NewBot, "accountId" | "name" | "symbol"> & { readonly strategy: Json | undefined },
): Promise<Bot> {
  const { strategy = demoConfig() as unknown as Json, ...named } = wish;
  const wanted = {
    ...{ ...named, timeframeMin: 1, runId: null, sides: ["long", "short"] as const },
    ...{ strategyName: "dca-atr", strategyVersion: "1.0.0" },
    config: botConfig(strategy, { allocation: decimal("900") }),
  };
  const bot = await bots.create(scope, wanted, "ann@example.org", at);
  if (!bot.ok) throw new Error(bot.detail);
  await bots.wish(scope, bot.value.id, { status: "running" }, at);
  return bot.value;
}

/**
 * Closes everything and waits until both sides have nothing left to say.
 * @throws when it does not come to rest in time
 */
export async function comesToRest(world: World, limitMs: number): Promise<void> {
  const { bots, trading, scope, accountIds, made } = world;
  for (const { id } of made) await bots.wish(scope, id, { action: "flatten" }, world.now());
  for (const [account, accountId] of accountIds.entries()) {
    await world.until("every bot is flat, paused and sure of its orders", limitMs, async () => {
      const rows = await bots.list(scope, accountId);
      const alive = await trading.aliveIntents(scope, accountId);
      const { openLegs, workingOrders } = await world.facts(account);
      const arePaused = rows.every(({ status }) => status === "paused");
      return arePaused && alive.length + openLegs + workingOrders === 0;
    });
  }
}

/** Orders in the instant they are written down. */
export type Commits = {
  /** The next order that is committed to be sent; false when patience ends before. */
  next(patienceMs: number): Promise<boolean>;
};

/** Watches the rows of a world from now on. */
export async function watchCommits({ database: { sql } }: World): Promise<Commits> {
  await sql`
    create function tell_sending() returns trigger language plpgsql as $$
    begin perform pg_notify('sending', new.id::text); return null; end $$`;
  await sql`
    create trigger tell_sending after insert or update of status on order_intents
    for each row when (new.status = 'sending') execute function tell_sending()`;
  let hear: () => void = () => undefined;
  await sql.listen("sending", () => hear());
  return {
    next: (patienceMs) => {
      const heard = new Promise<boolean>((resolve) => {
        hear = () => resolve(true);
      });
      return Promise.race([heard, Bun.sleep(patienceMs).then(() => false)]);
    },
  };
}
