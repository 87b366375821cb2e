// What the charts of a bot's page are drawn from: the candles of its market with its fills, the levels of the open
// position, its open orders, and its equity curve. Used by bot-detail.ts. Candles come from the store, missing
// ones from the exchange; without them the rest is still drawn, and a sentence says why.
import { type CandleSeries, emptySeries } from "../../model/candle.ts";
import type { BotFigures } from "../../model/live-figures.ts";
import { type EpochMs, MINUTE_MS } from "../../model/time.ts";
import { gridFloor } from "../../model/timeframe-grid.ts";
import type { OwnedFill } from "../../model/trade-record.ts";
import type { Scope } from "../../ports/access-store.ts";
import type { Bot, BotStore } from "../../ports/bot-store.ts";
import type { CandleStore } from "../../ports/candle-store.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { Market, MarketData } from "../../ports/market-data.ts";
import type { TradingStore } from "../../ports/trading-store.ts";
import { downloadCandles } from "../research/candle-download.ts";
import type { ChartFill } from "../research/chart-data.ts";
import { ownerOfBot } from "./bot-pnl.ts";

/** Candles a chart shows, and marks of fills in them; together well below 300 kB of JSON. */
export const CHART_CANDLES = 720;
const MARKS_MAX = 700;
/** Points of an equity curve. */
export const EQUITY_POINTS_MAX = 2000;
const FETCH_LIMIT_MS = 15_000;
/** A chart waits so long for new candles; what comes later is there the next time. */
const FETCH_WAIT_MS = 3000;
const INCOMPLETE = "The newest candles are not here yet; those stored are shown.";

type Level = readonly (number | null)[];

/** Columns for the price plot, named as those of a run; every candle is a bucket. */
export type BotChart = {
  readonly timeframeMs: number;
  readonly bucketMs: number;
  readonly from: EpochMs;
  readonly to: EpochMs;
  readonly priceDecimals: number;
  readonly at: readonly number[];
  readonly open: readonly number[];
  readonly high: readonly number[];
  readonly low: readonly number[];
  readonly close: readonly number[];
  /** Nobody computes indicators for a page. */
  readonly trend: Level;
  /** Present levels, from the opening of the position on. */
  readonly averageEntry: Level;
  readonly nextDca: Level;
  readonly takeProfit: Level;
  readonly stop: Level;
  readonly fills: readonly ChartFill[];
  /** Working and parked orders at their price or trigger. */
  readonly orders: readonly { readonly price: number; readonly side: "buy" | "sell" }[];
  readonly equity: { readonly at: readonly number[]; readonly value: readonly number[] };
  /** Why candles are missing; null when they are all there. */
  readonly problem: string | null;
};

/** What a chart is made from. */
export type BotChartDeps = {
  readonly bots: Pick<BotStore, "equity">;
  readonly trading: Pick<TradingStore, "fills">;
  readonly candles: CandleStore;
  readonly market: MarketData;
  readonly marketOf: (bot: Bot) => Market;
  readonly clock: Clock;
  readonly log: Log;
};

/** The chart of a bot. @param figures null leaves levels and orders out */
export async function botChart(
  deps: BotChartDeps,
  scope: Scope,
  bot: Bot,
  figures: BotFigures | null,
): Promise<BotChart> {
  const timeframeMs = bot.timeframeMin * MINUTE_MS;
  const to = gridFloor(deps.clock.now(), bot.timeframeMin);
  const from = to - CHART_CANDLES * timeframeMs;
  const { accountId, createdAt: sinceAt } = bot;
  const curve = { accountId, botId: bot.id, sinceAt, limit: EQUITY_POINTS_MAX };
  const [{ series, problem }, fills, equity] = await Promise.all([
    readCandles(deps, scope, bot, { from, to }),
    deps.trading.fills(scope, accountId, bot.symbol),
    deps.bots.equity(scope, curve),
  ]);
  const owner = ownerOfBot(bot);
  const shown = fills.filter((fill) => fill.owner === owner && fill.at >= from);
  const columns = columnsOf(series);
  return {
    ...columns,
    ...levelsOf(columns.at, timeframeMs, figures),
    ...{ timeframeMs, bucketMs: timeframeMs, from, to: to + timeframeMs, problem },
    priceDecimals: decimalsOf([...columns.close.map(String), ...shown.map(({ price }) => price)]),
    fills: shown.slice(-MARKS_MAX).map(markOf),
    orders: ordersOf(figures),
    equity: {
      at: equity.map(({ at }) => at),
      value: equity.map((sample) => Number(sample.equity)),
    },
  };
}

type Range = { readonly from: EpochMs; readonly to: EpochMs };

async function readCandles(
  deps: BotChartDeps,
  scope: Scope,
  bot: Bot,
  range: Range,
): Promise<{ readonly series: CandleSeries; readonly problem: string | null }> {
  const market = deps.marketOf(bot);
  const fetched = fetchMissing(deps, scope, bot, market, range);
  const waited = deps.clock.sleep(FETCH_WAIT_MS).then(() => false);
  const isComplete = await Promise.race([fetched, waited]);
  const id = await deps.candles.findCandles(scope, { ...market, timeframeMin: bot.timeframeMin });
  const series = id === null ? emptySeries(0) : await deps.candles.loadSeries(scope, id, range);
  return { series, problem: isComplete ? null : INCOMPLETE };
}

/** Whether every candle of the range is stored now. */
async function fetchMissing(
  { candles: store, market: exchange, clock, log }: BotChartDeps,
  scope: Scope,
  { id, timeframeMin }: Bot,
  market: Market,
  range: Range,
): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(FETCH_LIMIT_MS);
    const request = { scope, market, timeframeMin, range, signal };
    await downloadCandles({ store, market: exchange, clock }, request);
    return true;
  } catch (error) {
    log.debug(`the candles of bot ${id} could not be completed`, { error });
    return false;
  }
}

function columnsOf(series: CandleSeries) {
  const column = (values: Float64Array) => Array.from(values.subarray(0, series.length));
  return {
    at: column(series.openAt),
    open: column(series.open),
    high: column(series.high),
    low: column(series.low),
    close: column(series.close),
  };
}

function levelsOf(at: readonly number[], timeframeMs: number, figures: BotFigures | null) {
  const position = figures?.position ?? null;
  const level = (price: string | null | undefined): Level =>
    at.map((openAt, n) => {
      // The last closed candle stands for the present one: a position may have been opened after it.
      const isNewest = n === at.length - 1;
      const isOpen = position !== null && (openAt + timeframeMs > position.openedAt || isNewest);
      return isOpen && price !== null && price !== undefined ? Number(price) : null;
    });
  return {
    trend: at.map(() => null),
    averageEntry: level(position?.averageEntry),
    nextDca: level(position?.nextRungPrice),
    takeProfit: level(position?.takeProfitPrice),
    stop: level(position?.stopPrice),
  };
}

function markOf(fill: OwnedFill): ChartFill {
  const { at, side, price, reason } = fill;
  return { at, side, price: Number(price), count: 1, reason: reason ?? "MANUAL", cycle: 0 };
}

function ordersOf(figures: BotFigures | null): BotChart["orders"] {
  return (figures?.orders ?? []).flatMap(({ side, price, triggerPrice }) => {
    const where = triggerPrice ?? price;
    return where === null ? [] : [{ price: Number(where), side }];
  });
}

const DECIMALS_MAX = 8;

/** As many as the prices have. */
function decimalsOf(prices: readonly string[]): number {
  const most = prices.reduce((best, text) => Math.max(best, text.split(".")[1]?.length ?? 0), 0);
  return Math.min(DECIMALS_MAX, most);
}
