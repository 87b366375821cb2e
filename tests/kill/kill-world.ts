// What the tests of real processes stand on: a database that outlives the program, a simulated exchange in a
// process of its own, demo accounts with eager bots, and programs that are started, killed and frozen.
import { join } from "node:path";
import { createAccountRepository } from "../../src/adapters/postgres/account-repository.ts";
import { createBotRepository } from "../../src/adapters/postgres/bot-repository.ts";
import type { ConnectTarget } from "../../src/adapters/postgres/connect.ts";
import { createTradingRepository } from "../../src/adapters/postgres/trading-repository.ts";
import { nextStatus } from "../../src/execution/order-machine.ts";
import { decimal } from "../../src/model/decimal.ts";
import type { AccountId } from "../../src/ports/account-store.ts";
import type { Bot } from "../../src/ports/bot-store.ts";
import type { Json } from "../../src/ports/settings-store.ts";
import { type ChildProgram, startProgram } from "../support/child-program.ts";
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
  /** One bot for each, on a contract of its own. */
  readonly botsPerAccount: number;
  readonly volatilityPpm: number;
  readonly strategy?: Json;
  readonly hasDeadMan?: boolean;
  readonly database?: TestDatabase;
  /** Where the program finds the database when not where the test does. */
  readonly programTarget?: ConnectTarget;
  readonly lease?: LiveTask["lease"];
};

/** A running world. */
export type World = Awaited<ReturnType<typeof openWorld>>;

/** The lease of the product, in the exchange's time. */
export const LEASE = { ttlMs: 30_000, renewEveryMs: 10_000 };
const START_LIMIT_MS = 60_000;
const ANSWER_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 15_000;

const file = (name: string) => join(import.meta.dir, "../support", name);

/** Opens everything; no program trades yet. */
export async function openWorld(options: WorldOptions) {
  const { seed, speed, volatilityPpm, hasDeadMan = false } = options;
  const database = options.database ?? (await testDatabase());
  const scope = await testScope(database.sql, "ann");
  const names = Array.from({ length: options.accounts }, (_, n) => `Demo ${n + 1}`);
  const task: VenueTask = {
    ...{ seed, speed, volatilityPpm, hasDeadMan, markets: options.botsPerAccount },
    accounts: names,
  };
  const venue = startProgram(file("venue-process.ts"), task);
  const address = (await venue.next("venue", START_LIMIT_MS)) as unknown as VenueAddress;
  const bots = createBotRepository(database.sql);
  const trading = createTradingRepository(database.sql, nextStatus);
  const accountIds: AccountId[] = [];
  const made: Bot[] = [];
  const now = () => Math.floor(address.at + (Date.now() - address.wallAt) * speed);
  for (const name of names) {
    const accounts = createAccountRepository(database.sql);
    const wish = { name, exchangeId: "woox", mode: "demo" } as const;
    const account = await accounts.create(scope, wish, null, now());
    if (!account.ok) throw new Error(account.detail);
    accountIds.push(account.value.id);
    for (let n = 0; n < options.botsPerAccount; n++) {
      const strategy = options.strategy ?? (demoConfig() as unknown as Json);
      const config = botConfig(strategy, { allocation: decimal("900") });
      const wanted = {
        ...{ accountId: account.value.id, name: `${name}, bot ${n}`, symbol: symbolOf(n) },
        ...{ timeframeMin: 1, strategyName: "dca-atr", strategyVersion: "1.0.0" },
        ...{ config, runId: null, sides: ["long", "short"] as const },
      };
      const bot = await bots.create(scope, wanted, "ann@example.org", now());
      if (!bot.ok) throw new Error(bot.detail);
      await bots.wish(scope, bot.value.id, { status: "running" }, now());
      made.push(bot.value);
    }
  }
  const programs = new Set<ChildProgram>();
  let started = 0;

  async function ask(line: string, question: VenueQuestion) {
    venue.tell(question);
    return venue.next(line, ANSWER_LIMIT_MS);
  }

  return {
    ...{ database, scope, bots, trading, accountIds, made, address, now, speed },
    /** Starts the trading program; it is not asked whether it trades yet. */
    startLive(): ChildProgram {
      started += 1;
      const live: LiveTask = {
        ...{ target: options.programTarget ?? database.target, venue: address, speed, accountIds },
        ...{ name: `program-${seed}-${started}`, lease: options.lease ?? LEASE },
      };
      const program = startProgram(file("live-process.ts"), live);
      programs.add(program);
      void program.ended.then(() => programs.delete(program));
      return program;
    },
    /** Ends a program the way it is asked to. */
    async stopLive(program: ChildProgram): Promise<void> {
      program.tell({ tell: "stop" } satisfies LiveOrder);
      await Promise.race([program.ended, Bun.sleep(STOP_LIMIT_MS)]);
      if (!program.isAlive()) return;
      program.signal("SIGKILL");
      await program.ended;
    },
    /** Arms a fault of the exchange. */
    async fault(name: string, rest: object = {}): Promise<void> {
      await admin(address, "POST", { name, ...rest });
    },
    clearFaults: () => admin(address, "DELETE", {}),
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
      for (const program of programs) {
        program.signal("SIGCONT");
        program.signal("SIGKILL");
        await program.ended;
      }
      venue.signal("SIGKILL");
      await venue.ended;
      if (!options.database) await database.drop();
    },
  };
}

async function admin(address: VenueAddress, method: string, body: object): Promise<void> {
  const answer = await fetch(`${address.url}/__venue__/faults`, {
    method,
    headers: { "x-venue-token": address.adminToken },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
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
