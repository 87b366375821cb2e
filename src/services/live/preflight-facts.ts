// Finds out what a pre-flight rests on: asks the exchange, the rows and this machine, every question with its own limit
// of time. Used by preflight.ts alone; nothing is changed anywhere, and nothing is judged here.
import { add, compare, type Decimal, multiply } from "../../model/decimal.ts";
import { settleAssetOf } from "../../model/instrument.ts";
import { parseClientOrderId } from "../../model/client-order-id.ts";
import type { EpochMs } from "../../model/time.ts";
import type { Scope } from "../../ports/access-store.ts";
import type { AccountId, TradingAccount } from "../../ports/account-store.ts";
import type { Bot } from "../../ports/bot-store.ts";
import type { Broker, OrderReport, PositionReport } from "../../ports/broker.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { Market } from "../../ports/market-data.ts";
import type { StoredIntent, SymbolHolding, TradingStore } from "../../ports/trading-store.ts";
import { marginOf } from "../../risk/headroom.ts";
import type { PreflightFacts, PreflightMoney } from "../../risk/preflight.ts";
import { type Fact, known } from "../../risk/preflight-check.ts";
import { createFactFinder, type FactFinder, mapFact } from "./bounded-facts.ts";
import type { CandleFeed } from "./candle-feed.ts";
import { type BotFindings, findOutBot } from "./preflight-bot-facts.ts";
import { assetsOf, readMoney } from "./risk-reads.ts";

/** An account whose exchange may be asked. */
export type OpenedForChecks = {
  readonly broker: Broker;
  readonly candles: Pick<CandleFeed, "history">;
  readonly marketOf: (symbol: string) => Market;
  close(): Promise<void>;
};

/** What the questions are asked with. */
export type PreflightSources = {
  readonly trading: Pick<TradingStore, "holdings" | "aliveIntents" | "totals">;
  /** @throws when there are no credentials or the exchange is not known */
  readonly open: (
    scope: Scope,
    account: TradingAccount,
    signal: AbortSignal,
  ) => Promise<OpenedForChecks>;
  readonly freeBytes: () => Promise<number>;
  readonly schema: () => Promise<{ readonly current: number; readonly latest: number }>;
  /** Whether alarms of the workspace go anywhere. */
  readonly hasAlarm: (scope: Scope) => Promise<boolean>;
  /** 0..99: this installation. */
  readonly instance: number;
  readonly clock: Clock;
  readonly log: Log;
};

/** Who is checked. */
export type PreflightSubject = {
  readonly scope: Scope;
  readonly account: TradingAccount;
  /** Bots that are not deleted. */
  readonly bots: readonly Bot[];
  readonly keyBackupAt: EpochMs | null;
};

const ZERO = "0" as Decimal;

/**
 * Everything the verdict needs; what could not be found out says why.
 * @throws when the signal is aborted
 */
export async function findOut(
  sources: PreflightSources,
  subject: PreflightSubject,
  signal: AbortSignal,
): Promise<PreflightFacts> {
  const finder = createFactFinder(sources, signal);
  const { scope, account } = subject;
  const [opened, freeBytes, schema, hasAlarm] = await Promise.all([
    finder.learn((each) => sources.open(scope, account, each)),
    finder.learn(sources.freeBytes),
    finder.learn(sources.schema),
    finder.learn(() => sources.hasAlarm(scope)),
  ]);
  const { limits } = account;
  const here = { limits, freeBytes, schema, hasAlarm, keyBackupAt: subject.keyBackupAt };
  if (!opened.isKnown) return { ...here, ...nothingThere(opened.why) };
  try {
    return { ...here, ...(await askExchange(sources, subject, opened.value, finder)) };
  } finally {
    await opened.value.close().catch((error: unknown) => {
      sources.log.warn("the exchange of a pre-flight was not closed", { error });
    });
  }
}

type There = Omit<PreflightFacts, "limits" | "freeBytes" | "schema" | "hasAlarm" | "keyBackupAt">;

function nothingThere(why: string): There {
  const unknown = { isKnown: false, why } as const;
  return {
    ...{ credentials: unknown, mayWithdraw: unknown, clockOffsetMs: unknown, money: unknown },
    ...{ unexplained: unknown, foreignInstanceOrders: unknown },
    ...{ bots: [], hasTriggerOrders: false },
  };
}

async function askExchange(
  sources: PreflightSources,
  { scope, account, bots: all }: PreflightSubject,
  opened: OpenedForChecks,
  finder: FactFinder,
): Promise<There> {
  const { broker } = opened;
  const [permissions, clockOffsetMs, listed, rows] = await Promise.all([
    finder.learn((signal) => broker.permissions({ signal })),
    finder.learn((signal) => clockOffset(sources.clock, broker, signal)),
    finder.learn((signal) => listWhatIsThere(broker, signal)),
    finder.learn(() => readRows(sources, scope, account.id)),
  ]);
  const markets = new Map(
    all.map(({ symbol }) => [symbol, { settleAsset: settleAssetOf(symbol) }]),
  );
  const balance = await finder.learn((signal) =>
    readMoney({ broker, ...sources }, markets, signal),
  );
  const bots: BotFindings[] = [];
  // One after the other: exchanges answer few such questions a minute.
  for (const bot of all) bots.push(await findOutBot({ sources, opened, scope, finder }, bot, all));
  return {
    credentials: mapFact(both(balance, permissions), ([, { mayTrade }]) => ({ mayTrade })),
    mayWithdraw: mapFact(permissions, ({ mayWithdraw }) => mayWithdraw),
    clockOffsetMs,
    bots: bots.map(({ facts }) => facts),
    money: moneyOf(balance, rows, bots, assetsOf(markets)),
    unexplained: mapFact(both(listed, rows), ([there, ours]) => strangers(there, ours)),
    foreignInstanceOrders: mapFact(
      listed,
      ({ orders }) => orders.filter((order) => isOfAnother(order, sources.instance)).length,
    ),
    hasTriggerOrders: broker.capabilities.triggerOrders,
  };
}

/** Half of the way there and back is taken off. */
async function clockOffset(clock: Clock, broker: Broker, signal: AbortSignal): Promise<number> {
  const [before, beforeMs] = [clock.now(), clock.monotonicMs()];
  const there = await broker.serverTime({ signal });
  return there - (before + (clock.monotonicMs() - beforeMs) / 2);
}

type Listed = {
  readonly orders: readonly OrderReport[];
  readonly positions: readonly PositionReport[];
};

async function listWhatIsThere(broker: Broker, signal: AbortSignal): Promise<Listed> {
  const orders = await broker.openOrders(null, { signal });
  const { leverage } = broker.capabilities;
  return { orders, positions: leverage ? await broker.positions(null, { signal }) : [] };
}

type Rows = {
  readonly holdings: readonly SymbolHolding[];
  readonly intents: readonly StoredIntent[];
};

async function readRows(
  { trading }: PreflightSources,
  scope: Scope,
  accountId: AccountId,
): Promise<Rows> {
  const [holdings, intents] = await Promise.all([
    trading.holdings(scope, accountId),
    trading.aliveIntents(scope, accountId),
  ]);
  return { holdings, intents };
}

/** One sentence per order or position that our rows do not explain, and per position that is not there. */
function strangers({ orders, positions }: Listed, { holdings, intents }: Rows): readonly string[] {
  const ids = new Set(intents.map(({ clientOrderId }) => clientOrderId as string | null));
  const unknown = orders.filter(({ clientOrderId }) => !ids.has(clientOrderId));
  const ours = new Map<string, Decimal>();
  for (const { holder, symbol, position } of holdings) {
    if (holder === "account" && position.positionSide !== null) {
      ours.set(`${position.positionSide} of ${symbol}`, position.qty);
    }
  }
  const found = unknown.map(
    ({ symbol, side, qty }) => `A ${side} order of ${qty ?? "?"} ${symbol} is not ours`,
  );
  const there = new Map(
    positions.map(({ symbol, positionSide, qty }) => [`${positionSide} of ${symbol}`, qty]),
  );
  for (const name of new Set([...ours.keys(), ...there.keys()])) {
    const [here, thereQty] = [ours.get(name) ?? ZERO, there.get(name) ?? ZERO];
    if (compare(here, thereQty) === 0) continue;
    found.push(`The exchange holds ${thereQty} ${name}, our books say ${here}`);
  }
  return found;
}

function isOfAnother({ clientOrderId }: OrderReport, instance: number): boolean {
  const parts = clientOrderId === null ? null : parseClientOrderId(clientOrderId);
  return parts !== null && parts.instance !== instance;
}

type Balance = Awaited<ReturnType<typeof readMoney>>;

function moneyOf(
  balance: Fact<Balance>,
  rows: Fact<Rows>,
  bots: readonly BotFindings[],
  [asset]: readonly string[],
): Fact<PreflightMoney> {
  const all = both(balance, rows);
  if (!all.isKnown) return all;
  const [money, { holdings }] = all.value;
  if (money === null || asset === undefined) return { isKnown: false, why: "there is no bot" };
  let [inUse, allocated]: [Decimal, Decimal] = [ZERO, ZERO];
  let needed: Decimal | null = ZERO;
  for (const { bot, contractSize, ladderMargin, sizingBalance } of bots) {
    allocated = add(allocated, sizingBalance);
    needed = needed === null || ladderMargin === null ? null : add(needed, ladderMargin);
    for (const { holder, symbol, position } of holdings) {
      if (holder !== `bot:${bot.id}` || symbol !== bot.symbol || contractSize === null) continue;
      inUse = add(inUse, marginOf(multiply(position.cost, contractSize), bot.config.leverage));
    }
  }
  const { wallet: total, free } = money;
  return known({ asset, total, free, inUse, needed, allocated });
}

function both<A, B>(a: Fact<A>, b: Fact<B>): Fact<readonly [A, B]> {
  if (!a.isKnown) return a;
  return b.isKnown ? known([a.value, b.value] as const) : b;
}
