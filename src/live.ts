// Composition of the live side over an open database: trading states, worker, and the way to each account's
// exchange. Called by serve.ts and worker commands; the exchange side is loaded when the first account is
// opened. Nothing is sent before `start`.
import { createMarketData } from "./adapters/ccxt/market-data.ts";
import { createPriceFeeds, type PriceFeeds } from "./adapters/ccxt/price-feed.ts";
import { createFundingSource } from "./adapters/paper/funding-source.ts";
import { createPaperBroker } from "./adapters/paper/paper-broker.ts";
import { paperSeed } from "./adapters/paper/paper-seed.ts";
import { createAccountLocks } from "./adapters/postgres/account-locks.ts";
import { createAccountRepository } from "./adapters/postgres/account-repository.ts";
import { createBotRepository } from "./adapters/postgres/bot-repository.ts";
import { createBus } from "./adapters/postgres/bus.ts";
import { createCandleRepository } from "./adapters/postgres/candle-repository.ts";
import { createCommandRepository } from "./adapters/postgres/command-repository.ts";
import type { ConnectTarget, Sql } from "./adapters/postgres/connect.ts";
import { createControlRepository } from "./adapters/postgres/control-repository.ts";
import { createSettingsRepository } from "./adapters/postgres/settings-repository.ts";
import { createTradingRepository } from "./adapters/postgres/trading-repository.ts";
import { createRateLimiter } from "./adapters/resilience/rate-limiter.ts";
import {
  createResilientBroker,
  type ResilientBroker,
} from "./adapters/resilience/resilient-broker.ts";
import { createSecret } from "./adapters/vault/secret.ts";
import { createVault } from "./adapters/vault/vault.ts";
import { nextStatus } from "./execution/order-machine.ts";
import { decimal } from "./model/decimal.ts";
import { DEMO_EXCHANGE } from "./model/demo-exchange.ts";
import type { OrderRules } from "./model/order-rules.ts";
import type { Scope } from "./ports/access-store.ts";
import type { AccountStore, TradingAccount } from "./ports/account-store.ts";
import type { BotStore } from "./ports/bot-store.ts";
import type { Broker, PositionMode } from "./ports/broker.ts";
import type { Clock } from "./ports/clock.ts";
import type { DemoExchange } from "./ports/demo-venue.ts";
import type { InstrumentKind, NewInstrument } from "./ports/instrument-store.ts";
import type { Log } from "./ports/log.ts";
import type { MarketData } from "./ports/market-data.ts";
import type { LeaseGuard, TradingStore } from "./ports/trading-store.ts";
import { openCredentials } from "./services/desk/credential-seal.ts";
import type { BotRecording } from "./services/live/account-loop.ts";
import { createCandleFeed } from "./services/live/candle-feed.ts";
import { createControl, type Control } from "./services/live/control.ts";
import {
  bookLostFills,
  demoAccount,
  giveOpeningDeposit,
  type TakeOver,
} from "./services/live/demo-opening.ts";
import { createFiguresWriter } from "./services/live/figures-writer.ts";
import { flattening } from "./services/live/flatten.ts";
import type { PreflightSources } from "./services/live/preflight-facts.ts";
import type { LeaseTiming } from "./services/live/lease-keeper.ts";
import { createWorker, type LiveWorker, type OpenedAccount } from "./services/live/worker.ts";

/** What the live side is built from. */
export type LiveSideDeps = {
  readonly sql: Sql;
  readonly target: ConnectTarget;
  /** The master key's bytes. */
  readonly key: Uint8Array;
  readonly clock: Clock;
  readonly log: Log;
  /** 0..99: this installation. */
  readonly instance: number;
  /** Names this process, differently after every start. */
  readonly name: string;
  readonly lease: LeaseTiming;
  /** The exchange of demo accounts; starts at the first call. */
  readonly demo: () => Promise<DemoExchange>;
  /** Where the inputs of bots are written down, for tests that replay them. */
  readonly record?: BotRecording;
  /** Addresses that replace those of exchanges; the demo exchange writes its own in here. */
  readonly loopbackUrls: Readonly<Record<string, string>>;
};

/** The live side. */
export type LiveSide = {
  readonly bots: BotStore;
  readonly trading: TradingStore;
  readonly control: Control;
  readonly worker: LiveWorker;
  /** Opens a live account for questions alone, within the limits of what trades it. */
  readonly openForChecks: PreflightSources["open"];
  /** Keeps the trading states at hand, and begins to trade unless told not to. */
  start(isTrading?: boolean): void;
  /** Gives every lease back and ends. */
  stop(): Promise<void>;
};

/** One request to an exchange including its answer. */
const REQUEST_MS = 10_000;
const MODE_KEPT_MS = 120_000;
const PAPER_TERMS = {
  settleAsset: "USDT",
  slippageBps: 2,
  leverage: 10,
  maintenanceRate: 0.005,
} as const;
/** What paper accounts and the demo exchange take. */
const SIMULATED_FEES = { makerRatio: decimal("0.0002"), takerRatio: decimal("0.0005") };

/** Builds the live side; nothing runs yet. */
export function composeLive(deps: LiveSideDeps): LiveSide {
  const { sql, clock, log } = deps;
  const bots = createBotRepository(sql);
  const trading = createTradingRepository(sql, nextStatus);
  const bus = createBus(sql);
  const locks = createAccountLocks(deps.target);
  const control = createControl({
    store: createControlRepository(sql),
    ...{ bus, clock, log: log.child("control") },
  });
  const accounts = createAccountRepository(sql);
  const limiter = createRateLimiter({ clock });
  const { loopbackUrls } = deps;
  const market = createMarketData({ clock, log: log.child("market-data"), loopbackUrls });
  const feeds = createPriceFeeds({ clock, log: log.child("prices"), limiter, loopbackUrls });
  const stopped = new AbortController();
  const candles = createCandleFeed({
    ...{ store: createCandleRepository(sql), market, clock, signal: stopped.signal },
    log: log.child("candles"),
  });
  const openerDeps = { ...deps, accounts, bots, trading, limiter, market, feeds, candles };
  const open = opener(openerDeps);
  const worker = createWorker({
    ...{ trading, bots, accounts, locks, bus, clock, open },
    cells: control,
    commands: createCommandRepository(sql),
    settings: createSettingsRepository(sql),
    figures: createFiguresWriter({ bots, clock, log: log.child("figures") }),
    log: log.child("worker"),
    ...{ instance: deps.instance, name: deps.name, lease: deps.lease, record: deps.record },
  });
  let running: Promise<unknown> = Promise.resolve();
  return {
    ...{ bots, trading, control, worker, openForChecks: checksOpener(openerDeps) },
    start(isTrading = true) {
      const { signal } = stopped;
      const trading = isTrading ? worker.run(signal) : undefined;
      running = Promise.all([control.start(signal), trading]);
    },
    async stop() {
      stopped.abort(new Error("Dragon stops"));
      await running;
      await locks.close();
    },
  };
}

type OpenerDeps = LiveSideDeps & {
  readonly accounts: AccountStore;
  readonly bots: BotStore;
  readonly trading: TradingStore;
  readonly limiter: ReturnType<typeof createRateLimiter>;
  readonly market: MarketData;
  readonly feeds: PriceFeeds;
  readonly candles: OpenedAccount["candles"];
};

type Opened = {
  readonly broker: Broker;
  readonly exchangeId: string;
  readonly kind: InstrumentKind;
};

/** Opens accounts by their mode. */
function opener(deps: OpenerDeps) {
  return async (
    scope: Scope,
    account: TradingAccount,
    guard: LeaseGuard,
    signal: AbortSignal,
  ): Promise<OpenedAccount> => {
    const place = await openBroker(deps, scope, account, guard, signal);
    const { broker: inner, exchangeId, kind } = place;
    const broker = withOneMode(resilient(deps, account, inner), deps.clock);
    const marketOf = (symbol: string) => deps.market.normaliseMarket(exchangeId, symbol, kind);
    return {
      broker,
      marketOf,
      prices: deps.feeds(exchangeId, kind),
      candles: deps.candles,
      positionMode: await modeOf(deps, scope, account, broker, signal),
      exchangeTrouble: () => {
        const { account: breaker } = broker.breakers;
        return breaker.state() === "closed" ? null : `the exchange does not answer well`;
      },
      flattening,
      close: async () => undefined,
    };
  };
}

/** Opens live accounts for questions; needs no lease, and nothing is written. */
function checksOpener(deps: OpenerDeps): PreflightSources["open"] {
  return async (scope, account) => {
    const kind = kindOf(account);
    const inner = await liveBroker(deps, scope, account, kind);
    return {
      broker: resilient(deps, account, inner),
      candles: deps.candles,
      marketOf: (symbol) => deps.market.normaliseMarket(account.exchangeId, symbol, kind),
      close: async () => undefined,
    };
  };
}

function resilient({ clock, log, limiter }: OpenerDeps, { id }: TradingAccount, inner: Broker) {
  const accountKey = `account-${id}`;
  const deps = { clock, log: log.child("broker"), limiter, accountKey, random: Math.random };
  return createResilientBroker(deps, inner);
}

/** WOO X keeps one mode for the whole account and answers the question ten times a minute at most. */
function withOneMode(broker: ResilientBroker, clock: Clock): ResilientBroker {
  if (broker.exchangeId !== "woox") return broker;
  let known: { readonly mode: PositionMode; readonly atMs: number } | null = null;
  return {
    ...broker,
    async positionMode(symbol, options) {
      const isKnown = known !== null && clock.monotonicMs() - known.atMs < MODE_KEPT_MS;
      if (known !== null && isKnown) return known.mode;
      const mode = await broker.positionMode(symbol, options);
      known = { mode, atMs: clock.monotonicMs() };
      return mode;
    },
  };
}

function kindOf({ exchangeId }: TradingAccount): InstrumentKind {
  return exchangeId === "upbit" ? "spot" : "perps";
}

/** Told by the exchange, for a market the account trades. */
async function modeOf(
  { bots }: OpenerDeps,
  scope: Scope,
  { id, name }: TradingAccount,
  broker: Broker,
  signal: AbortSignal,
): Promise<PositionMode> {
  if (!broker.capabilities.positionMode) return "one_way";
  const [first] = await bots.list(scope, id);
  if (!first) throw new Error(`account ${name} has no bot any more`);
  return broker.positionMode(first.symbol, { signal });
}

async function openBroker(
  deps: OpenerDeps,
  scope: Scope,
  account: TradingAccount,
  guard: LeaseGuard,
  signal: AbortSignal,
): Promise<Opened> {
  const kind = kindOf(account);
  const { exchangeId } = account;
  if (account.mode === "live") {
    return { broker: await liveBroker(deps, scope, account, kind), exchangeId, kind };
  }
  await giveOpeningDeposit(deps.trading, scope, guard, account.createdAt);
  const found = simulatedMarket(deps, account, kind, signal);
  const takeOver = { ...found, store: deps.trading, scope, guard, fees: SIMULATED_FEES };
  if (account.mode === "paper") {
    return { broker: await paperBroker(deps, account, kind, takeOver), exchangeId, kind };
  }
  return { broker: await demoBroker(deps, takeOver), exchangeId: DEMO_EXCHANGE, kind };
}

/** What public data says of the markets of an account that is simulated. */
function simulatedMarket(
  { market }: OpenerDeps,
  { mode, exchangeId }: TradingAccount,
  kind: InstrumentKind,
  signal: AbortSignal,
) {
  const place = mode === "demo" ? DEMO_EXCHANGE : exchangeId;
  const marketOf = (symbol: string) => market.normaliseMarket(place, symbol, kind);
  const source = createFundingSource({ data: market, marketOf });
  const instrumentOf = (symbol: string) => market.instrument(marketOf(symbol), signal);
  return {
    funding: kind === "perps" ? source : null,
    priceAt: (symbol: string, at: number) => source.priceAt(symbol, at, signal),
    contractSizeOf: async (symbol: string) => decimal((await instrumentOf(symbol)).contractSize),
  };
}

type SimulatedTakeOver = TakeOver & Pick<ReturnType<typeof simulatedMarket>, "funding">;

async function liveBroker(
  { accounts, clock, log, key }: OpenerDeps,
  scope: Scope,
  account: TradingAccount,
  kind: InstrumentKind,
): Promise<Broker> {
  const sealed = await accounts.useCredential(scope, account.id, clock.now());
  if (sealed === null) throw new Error(`account ${account.name} has no credentials`);
  const credentials = openCredentials(createVault(key), sealed);
  const client = { clock, log: log.child("broker"), loopbackUrl: null, timeoutMs: REQUEST_MS };
  const { exchangeId, mode } = account;
  const { createCcxtBroker } = await import("./adapters/ccxt/broker.ts");
  return createCcxtBroker(client, { exchangeId, kind, mode, credentials, isTestnet: false });
}

async function paperBroker(
  deps: OpenerDeps,
  { id, exchangeId }: TradingAccount,
  kind: InstrumentKind,
  takeOver: SimulatedTakeOver,
): Promise<Broker> {
  const { clock, log, market, feeds, trading } = deps;
  const { scope, funding } = takeOver;
  const marketOf = (symbol: string) => market.normaliseMarket(exchangeId, symbol, kind);
  const rules = async (symbol: string, signal: AbortSignal) =>
    rulesOf(await market.instrument(marketOf(symbol), signal));
  const terms = { ...PAPER_TERMS, fees: SIMULATED_FEES, positionMode: "one_way" as const };
  const prices = feeds(exchangeId, kind);
  await bookLostFills(takeOver);
  const seed = await paperSeed(trading, scope, id, decimal("0"));
  return createPaperBroker({ clock, log, prices, rules, funding, terms }, seed);
}

/** Public rules as orders are checked by; what the public does not tell is no rule. */
function rulesOf(instrument: NewInstrument): OrderRules {
  const { symbol, priceTick, qtyStep, minQty, minNotional, contractSize, isActive } = instrument;
  return {
    symbol,
    priceTick: decimal(priceTick),
    priceMin: null,
    priceMax: null,
    qtyStep: decimal(qtyStep),
    qtyMin: decimal(minQty),
    qtyMax: null,
    minNotional: minNotional > 0 ? decimal(minNotional) : null,
    contractSize: decimal(contractSize),
    bidCapRatio: null,
    askFloorRatio: null,
    isTrading: isActive,
  };
}

async function demoBroker({ demo, clock, log }: OpenerDeps, takeOver: TakeOver): Promise<Broker> {
  const exchange = await demo();
  const isLasting = exchange.isLasting === true;
  const account = await demoAccount({ ...takeOver, isLasting }, "one_way", clock.now());
  const { apiKey, apiSecret } = await exchange.openAccount(account);
  const client = {
    ...{ clock, log: log.child("broker"), timeoutMs: REQUEST_MS },
    loopbackUrl: exchange.url,
  };
  const uid = createSecret(account.name);
  const credentials = { apiKey, apiSecret, passphrase: null, uid };
  const named = { exchangeId: "woox", kind: "perps", mode: "demo" } as const;
  const { createCcxtBroker } = await import("./adapters/ccxt/broker.ts");
  return createCcxtBroker(client, { ...named, credentials, isTestnet: false });
}
