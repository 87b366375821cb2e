// An account on the simulated exchange with real rows, whose worker dies at a write of the test's choice, before or
// after it was carried out, and is followed by another one. Used by the tests of decisions that were interrupted.
import { createCcxtBroker } from "../../../src/adapters/ccxt/broker.ts";
import { createAccountRepository } from "../../../src/adapters/postgres/account-repository.ts";
import { createCommandRepository } from "../../../src/adapters/postgres/command-repository.ts";
import { createSettingsRepository } from "../../../src/adapters/postgres/settings-repository.ts";
import { createTradingRepository } from "../../../src/adapters/postgres/trading-repository.ts";
import { nextStatus } from "../../../src/execution/order-machine.ts";
import { decimal } from "../../../src/model/decimal.ts";
import type { Scope } from "../../../src/ports/access-store.ts";
import type { AccountId } from "../../../src/ports/account-store.ts";
import type { NewEvent } from "../../../src/ports/bot-store.ts";
import type { Clock } from "../../../src/ports/clock.ts";
import type { Command, StoredCommand } from "../../../src/ports/command-store.ts";
import type { TradingState } from "../../../src/risk/trading-state.ts";
import { createAccountParts } from "../../../src/services/live/account-parts.ts";
import { createFindings, type Settled } from "../../../src/services/live/findings.ts";
import type { LiveDeps } from "../../../src/services/live/live-types.ts";
import { addAccount } from "../../../src/venue/exchange.ts";
import type { Account } from "../../../src/venue/account.ts";
import { brokerAccount, fillResting } from "../../contract/broker-lab.ts";
import { silentLog } from "../../support/silent-log.ts";
import { type TestDatabase, testDatabase, testScope } from "../../support/test-database.ts";
import { type Lab, START, startLab } from "../../venue/lab.ts";

export const SYMBOL = "PERP_BTC_USDT";

/** Where a worker dies: at the so-many-th write of the decision, before it is carried out or after. */
export type Death = {
  readonly at: number;
  readonly isAfter: boolean;
  /** Only this write fails, and the worker lives on. */
  readonly isMoment?: boolean;
};

/** The writes a worker can die at. */
const WRITES: ReadonlySet<string> = new Set([
  ...["commitIntents", "recordNews", "recordFill", "freshStamp"],
  ...["waiting", "finish", "write", "place", "cancel"],
]);
const LEASE_MS = 3_600_000;
const TICK_MS = 3000;
const DEAD = "the worker is dead";

/** Counts writes once it is armed, and lets nothing through after the death. */
function createReaper(death: Death | null) {
  let isArmed = false;
  let isDead = false;
  let count = 0;
  const names: string[] = [];
  function fail(): Promise<never> {
    isDead = death?.isMoment !== true;
    return Promise.reject(new Error(DEAD));
  }
  return {
    arm: () => {
      isArmed = true;
    },
    isDead: () => isDead,
    names,
    /** The same thing, which dies with its worker. */
    around<T extends object>(thing: T): T {
      return new Proxy(thing, {
        get(target, name, receiver) {
          const value: unknown = Reflect.get(target, name, receiver);
          if (typeof value !== "function") return value;
          return (...args: unknown[]) => {
            if (isDead) return Promise.reject(new Error(DEAD));
            const call = () => Reflect.apply(value, target, args) as unknown;
            if (!isArmed || !WRITES.has(String(name))) return call();
            count += 1;
            names.push(String(name));
            if (death?.at !== count) return call();
            return death.isAfter ? Promise.resolve(call()).then(fail) : fail();
          };
        },
      });
    },
  };
}

/** The world of a file: one database and one exchange. */
export type CrashWorld = Awaited<ReturnType<typeof openCrashWorld>>;

/** Opens database and exchange. */
export async function openCrashWorld() {
  const database: TestDatabase = await testDatabase();
  const lab: Lab = startLab({ house: { levelLotsMax: 1000 } });
  const scope = await testScope(database.sql, "ann");
  let accounts = 0;
  return {
    lab,
    /** An account that holds nothing. */
    async account() {
      accounts += 1;
      const named = { name: `Account ${accounts}`, exchangeId: "woox", mode: "demo" } as const;
      const repository = createAccountRepository(database.sql);
      const made = await repository.create(scope, named, null, START);
      if (!made.ok) throw new Error(made.detail);
      const account = addAccount(lab.x, { name: `stranger ${accounts}`, deposit: "10000" });
      return createCase({ database, lab, scope, accountId: made.value.id, account });
    },
    close: () => database.drop(),
  };
}

type CaseDeps = {
  readonly database: TestDatabase;
  readonly lab: Lab;
  readonly scope: Scope;
  readonly accountId: AccountId;
  readonly account: Account;
};

/** One account and its workers. */
export type CrashCase = ReturnType<typeof createCase>;

function createCase(deps: CaseDeps) {
  const { database, lab, scope, accountId, account } = deps;
  const trading = createTradingRepository(database.sql, nextStatus);
  const commands = createCommandRepository(database.sql);
  let calls = 0;
  const clock: Clock = {
    now: () => lab.x.now,
    // The machine's counts parts of a millisecond.
    monotonicMs: () => lab.x.now - START + ++calls * 1e-3,
    async sleep(ms, signal) {
      signal?.throwIfAborted();
      await lab.step(ms);
    },
  };
  return {
    ...{ account, trading, commands, clock },
    /** A worker that holds the lease; the one before it is gone. */
    worker: (death: Death | null = null) =>
      startWorker({ ...deps, trading, commands, clock }, death),
    /** Asks for a decision. */
    async ask(command: Command): Promise<StoredCommand> {
      const wish = { accountId, botId: null, command, actor: "ann@example.org" };
      const asked = await commands.ask(scope, wish, clock.now());
      if (!asked.ok) throw new Error(asked.detail);
      return asked.value;
    },
    /** The command as it is kept. */
    async told({ id }: StoredCommand): Promise<StoredCommand | undefined> {
      const recent = await commands.recent(scope, { accountId, botId: null, limit: 20 });
      return recent.find((one) => one.id === id);
    },
    /** Rows of orders, newest first. */
    intents: () => trading.recentIntents(scope, accountId, { owner: null, limit: 1000 }),
    /** What is held, by holder. */
    async held(): Promise<Record<string, string>> {
      const holdings = await trading.holdings(scope, accountId);
      return Object.fromEntries(holdings.map(({ holder, position }) => [holder, position.qty]));
    },
    /** Lots the exchange says the account holds. */
    lots: () => [...account.legs.values()].reduce((sum, { lots }) => sum + lots, 0),
    /** Lots the account ever sold. */
    sold: () =>
      account.trades
        .filter(({ order }) => order.side === "SELL")
        .reduce((sum, { lots }) => sum + lots, 0),
    /** Somebody takes so much of a resting order. */
    executes: (orderId: string, qty: string) =>
      fillResting({ ...lab, account }, orderId, decimal(qty)),
    /** An order of another program. @returns its id */
    async stranger(order: Readonly<Record<string, string>>): Promise<string> {
      const sent = { symbol: SYMBOL, side: "BUY", quantity: "0.5", ...order };
      const reply = await lab.callAs(account, "POST", "/v3/trade/order", sent);
      if (reply.status !== 200) throw new Error(reply.text);
      return String(reply.json.data?.orderId);
    },
  };
}

type WorkerDeps = CaseDeps & Pick<CrashCase, "trading" | "commands" | "clock">;

/** A worker: what the loop of an account does about findings and commands. */
export type CrashWorker = Awaited<ReturnType<typeof startWorker>>;

async function startWorker(
  { database, lab, scope, accountId, account, trading, commands: asked, clock }: WorkerDeps,
  death: Death | null,
) {
  const lease = await trading.takeLease(scope, accountId, `worker ${clock.now()}`, LEASE_MS, true);
  if (!lease.ok) throw new Error(lease.detail);
  const taken = lease.value;
  const reaper = createReaper(death);
  const epoch = await trading.epoch(scope);
  const broker = await createCcxtBroker(
    { clock, log: silentLog, loopbackUrl: lab.venue.url, timeoutMs: 2000 },
    brokerAccount({ ...lab, account }),
  );
  const store = reaper.around(trading);
  const commands = reaper.around(asked);
  const events: NewEvent[] = [];
  let state: TradingState = "active";
  const live: LiveDeps = {
    account: { scope, accountId, mode: "demo", positionMode: "one_way", instance: 7 },
    lease: {
      guard: taken,
      stampS: () => taken.stampS,
      freshStamp: () => store.freshStamp(scope, taken),
      remainingMs: () => 30_000,
    },
    cells: { cell: () => ({ epoch, state, reason: "a test", since: START }) },
    ...{ store, broker: reaper.around(broker), clock, log: silentLog },
    note: (event) => void events.push(event),
  };
  const parts = createAccountParts(live);
  const settings = reaper.around(createSettingsRepository(database.sql));
  const findings = createFindings({ live, parts, settings, commands, running: () => [] });
  const signal = new AbortController().signal;
  const unknown: Settled = { outcome: "It is not known how far it came.", isRefused: true };

  /** What a tick of the account's loop begins with. */
  async function look(): Promise<void> {
    await parts.resolver.settle(signal);
    await parts.reconciler.pass(signal);
    await findings.look();
  }

  /** One tick of the account's loop. @throws when the worker is dead */
  async function tick(): Promise<void> {
    await look();
    for (const { id, command, actor } of await commands.waiting(scope, taken, clock.now())) {
      if (command.kind !== "settle_finding") throw new Error("nothing else is asked here");
      const { findingKey: key, choice } = command;
      const end = await findings.settle({ id, key, choice, actor }).catch(() => unknown);
      await commands.finish(scope, taken, id, end, clock.now());
    }
    if (reaper.isDead()) throw new Error(DEAD);
  }

  await parts.openMarket(SYMBOL, signal);
  return {
    ...{ events, look, tick, arm: reaper.arm, writes: reaper.names },
    found: () => findings.now(clock.now()),
    freeze() {
      state = "frozen";
    },
    /** Ticks until it is so. */
    async until(what: string, isTrue: () => Promise<boolean> | boolean, ticksMax = 60) {
      for (let n = 0; n < ticksMax; n++) {
        if (await isTrue()) return;
        await lab.step(TICK_MS);
        await tick();
      }
      throw new Error(`not within ${ticksMax} ticks: ${what}`);
    },
  };
}
