// A bot that has traded, as its page meets it: two cycles with fees and funding, one still open, with events,
// versions, equity and candles. Used by the tests and the walk of the page of a bot.
import { createCandleRepository } from "../../src/adapters/postgres/candle-repository.ts";
import type { Sql } from "../../src/adapters/postgres/connect.ts";
import { createTradingRepository } from "../../src/adapters/postgres/trading-repository.ts";
import { nextStatus } from "../../src/execution/order-machine.ts";
import { decimal } from "../../src/model/decimal.ts";
import { GATE_KEYS, type OrderView } from "../../src/model/live-figures.ts";
import { MINUTE_MS } from "../../src/model/time.ts";
import { gridFloor } from "../../src/model/timeframe-grid.ts";
import type { Scope } from "../../src/ports/access-store.ts";
import type { AccountId } from "../../src/ports/account-store.ts";
import type { Bot, NewBot } from "../../src/ports/bot-store.ts";
import type { Market } from "../../src/ports/market-data.ts";
import type { Json } from "../../src/ports/settings-store.ts";
import type { IntentId, Lease, NewIntent, TradingStore } from "../../src/ports/trading-store.ts";
import { CHART_CANDLES } from "../../src/services/desk/bot-chart.ts";
import { parseConfig } from "../../src/strategy/dca-atr/config.ts";
import { type BotSeed, botSeeder, someFigures } from "./bot-desk.ts";
import { aConfig } from "./bots.ts";
import { walkCandles } from "./research-case.ts";
import { aFill, anIntent, arrive, type Arrival, idOf } from "./trading.ts";

/** The market of the bot as candles are kept under. */
export const TRADED_MARKET: Market = {
  ...{ exchangeId: "demo", symbol: "PERP_BTC_USDT", kind: "perps" },
};
/** The price its worker saw last. */
export const TRADED_PRICE = decimal("2043.21");
const TIMEFRAME_MIN = 15;
const STEP_MS = TIMEFRAME_MIN * MINUTE_MS;
const HOURS_MS = 3_600_000;
const LEASE_MS = 600_000;

/** A configuration as bots keep it: every parameter of the strategy present. */
export function tradedConfig(): NewBot["config"] {
  const strategy = parseConfig({ exits: { tp_mode: "PCT", tp_pct: 1.5, sl_pct: 4 } });
  return aConfig({ strategy: strategy as unknown as Json, allocation: decimal("1000") });
}

type Deal = {
  readonly order: Partial<NewIntent>;
  readonly fills: readonly (readonly [price: string, qty: string, fee: string])[];
  readonly atMs: number;
};

const SELL = { side: "sell", isReduceOnly: true } as const;
const EXIT = { ...SELL, purpose: "take_profit", reason: "TP_PCT", targetKey: "tp" } as const;
const RUNG = { purpose: "rung", reason: "DCA_1", targetKey: "dca:1" } as const;
const DEALS: readonly Deal[] = [
  { order: {}, fills: [["2010.37", "0.111", "0.111577"]], atMs: -30 * HOURS_MS },
  {
    order: RUNG,
    fills: [
      ["1990.13", "0.2", "0.199013"],
      ["1990.12", "0.022", "0.02189132"],
    ],
    atMs: -28 * HOURS_MS,
  },
  { order: EXIT, fills: [["2026.9", "0.333", "0.33747885"]], atMs: -20 * HOURS_MS },
  { order: {}, fills: [["2051.07", "0.113", "0.115885455"]], atMs: -6 * HOURS_MS },
  { order: RUNG, fills: [["2030.56", "0.226", "0.22945328"]], atMs: -3 * HOURS_MS },
];

/** Writes the deals, and funding of both signs. @returns the orders */
async function trade(
  store: TradingStore,
  scope: Scope,
  lease: Lease,
  bot: Bot,
  now: number,
): Promise<IntentId[]> {
  const owner = `bot:${bot.id}` as const;
  const place = DEALS.map(({ order, fills, atMs }, n) =>
    anIntent({
      ...{ owner, symbol: bot.symbol, decidedAt: now + atMs - 1000, ...order },
      qty: fills.reduce((sum, [, qty]) => decimal(String(Number(sum) + Number(qty))), decimal("0")),
      clientOrderId: idOf(lease, n, bot.id),
    }),
  );
  const epoch = await store.epoch(scope);
  const made = await store.commitIntents(scope, lease, epoch, { place, send: [] }, now);
  if (!made.ok) throw new Error(made.detail);
  const ids = made.value.map(({ id }) => id);
  await arrive(store, scope, lease, ids, arrivalsOf(bot, now));
  return ids;
}

function arrivalsOf(bot: Bot, now: number): Arrival[] {
  const { symbol, id } = bot;
  return DEALS.flatMap(({ order, fills, atMs }, n) => {
    const exchangeOrderId = `x${id}-${n}`;
    const at = now + atMs;
    const accepted: Arrival = {
      ...{ kind: "news", order: n },
      news: { event: "accepted", exchangeOrderId },
    };
    const executed = fills.map(([price, qty, cost], part): Arrival => {
      const fee = {
        ...{ amount: decimal(cost), asset: "USDT", settleAmount: decimal(cost) },
        isEstimated: false,
      };
      const fill = aFill({
        ...{ symbol, exchangeOrderId, fee, side: order.side ?? "buy", at: at + part },
        ...{ price: decimal(price), qty: decimal(qty), tradeId: `${id}${n}${part}` },
      });
      return { kind: "fill", fill };
    });
    const amount = decimal(n % 2 === 0 ? "-0.0123457" : "0.004");
    const paid = { symbol, paymentId: `f${id}-${n}`, amount, asset: "USDT", at: at + HOURS_MS };
    return [accepted, ...executed, { kind: "funding", funding: paid }];
  });
}

const ORDERS: readonly OrderView[] = [
  anOrder(9001, "take_profit", "2072.1", null),
  anOrder(9002, "protective_stop", null, "1955"),
  anOrder(9003, "rung", "1989.4", null),
];

function anOrder(
  intentId: number,
  purpose: OrderView["purpose"],
  price: string | null,
  trigger: string | null,
): OrderView {
  return {
    ...{ intentId, purpose, targetKey: purpose, positionSide: "long", status: "open" },
    side: purpose === "rung" ? "buy" : "sell",
    price: price === null ? null : decimal(price),
    triggerPrice: trigger === null ? null : decimal(trigger),
    ...{ qty: decimal("0.339"), filledQty: decimal("0"), decidedAt: 1_764_000_000_000 },
    ...{ clientOrderId: `${1_000_000_000_000_000_000n + BigInt(intentId)}` },
    exchangeOrderId: `e${intentId}`,
  };
}

/** The figures its worker showed last. */
function figuresOf(bot: Bot, now: number): BotSeed["figures"] {
  const gates = GATE_KEYS.map((key) => {
    const isOpen = key !== "fresh_prices";
    const sentence = isOpen ? "nothing speaks against it" : "the last price is 31 s old";
    return { key, isOpen, sentence, since: now - 31_000 };
  });
  return {
    ...{ health: "warning", nextAction: "Opens nothing: the last price is 31 s old", gates },
    price: { price: TRADED_PRICE, at: now - 31_000, source: "mark" },
    position: {
      ...{ positionSide: "long", qty: decimal("0.339"), averageEntry: decimal("2037.39") },
      ...{ openedAt: now - 6 * HOURS_MS, unrealised: decimal("1.96"), notional: decimal("692.6") },
      ...{ liquidationPrice: null, stopPrice: decimal("1955") },
      ...{ takeProfitPrice: decimal("2072.1"), nextRungPrice: decimal("1989.4") },
      ...{ rungsFilled: 1, rungsMax: 5 },
    },
    ...{ orders: ORDERS, lastDecision: "no_signal", leverage: bot.config.leverage },
    ...{ lastCandleAt: now - STEP_MS, nextCandleAt: now + STEP_MS },
  };
}

async function addCandles(sql: Sql, scope: Scope, now: number): Promise<void> {
  const candles = createCandleRepository(sql);
  const to = gridFloor(now, TIMEFRAME_MIN);
  // A few more on both sides: the clock may pass the next candle during a test.
  const range = { from: to - (CHART_CANDLES + 4) * STEP_MS, to: to + 4 * STEP_MS };
  const count = CHART_CANDLES + 8;
  const series = walkCandles(count, { timeframeMin: TIMEFRAME_MIN, from: range.from });
  const key = { ...TRADED_MARKET, timeframeMin: TIMEFRAME_MIN };
  const id = await candles.openCandles(scope, key, now);
  await candles.mergeCandles(scope, id, { series, fetched: range }, now);
}

/** Makes the bot on a demo account of its own. */
export async function tradedBot(
  sql: Sql,
  scope: Scope,
  now: () => number,
  change: BotSeed = {},
): Promise<{ readonly bot: Bot; readonly accountId: AccountId; readonly lease: Lease }> {
  const seeder = botSeeder(sql, scope, now);
  const accountId = await seeder.account(`Demo of ${change.name ?? "the bot"}`, "demo");
  const named = { name: "Trader", sides: ["long"], config: tradedConfig() } as const;
  const running = { status: "running", desiredStatus: "running" } as const;
  const bot = await seeder.bot(accountId, {
    ...{ ...named, ...running, events: ["bot_started", "stale_data_block", "bot_error"] },
    ...change,
  });
  const store = createTradingRepository(sql, nextStatus);
  const taken = await store.takeLease(scope, accountId, "worker-1", LEASE_MS, true);
  if (!taken.ok) throw new Error(taken.detail);
  const lease = taken.value;
  await trade(store, scope, lease, bot, now());
  await seeder.show(accountId, { leaseUntil: now() + 30_000 });
  const body: Json = someFigures(now(), figuresOf(bot, now()));
  const shown = { accountId, botId: bot.id, worker: "worker-1", at: now(), body };
  const samples = Array.from({ length: 200 }, (_, n) => ({
    ...{ accountId, botId: bot.id, at: bot.createdAt + n * 1000 },
    equity: decimal((1000 + Math.sin(n / 9) * 12 + n / 20).toFixed(6)),
  }));
  await seeder.bots.saveFigures(scope, [shown], samples);
  await addCandles(sql, scope, now());
  return { bot, accountId, lease };
}
