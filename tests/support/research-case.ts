// The real research side for tests: real threads, a real database, candles of a generated market. Used by
// the tests of the runs and of every page that shows one.
import { createMarketData } from "../../src/adapters/ccxt/market-data.ts";
import { createAccessRepository } from "../../src/adapters/postgres/access-repository.ts";
import { createCandleRepository } from "../../src/adapters/postgres/candle-repository.ts";
import type { Sql } from "../../src/adapters/postgres/connect.ts";
import { createClock } from "../../src/adapters/system/clock.ts";
import { type CandleSeries, emptySeries } from "../../src/model/candle.ts";
import { MINUTE_MS } from "../../src/model/time.ts";
import type { Scope, UserId } from "../../src/ports/access-store.ts";
import type { SeriesId } from "../../src/ports/candle-store.ts";
import type { Market } from "../../src/ports/market-data.ts";
import { createResearch, type Research, type ResearchDeps } from "../../src/research.ts";
import type { Actor } from "../../src/services/desk/actor.ts";
import type { RunRequest } from "../../src/services/research/runs.ts";
import { createRandom } from "../oracle/prng.ts";
import { silentLog } from "./silent-log.ts";

/** The program of a worker thread. */
const WORKER_URL = new URL("../../src/shard.worker.ts", import.meta.url);

/** A program that begins whatever it is asked and never ends. */
export const DEAF_WORKER_URL = new URL("./deaf.worker.ts", import.meta.url);

/** A market that the tests invent candles of. */
export const MARKET: Market = {
  exchangeId: "bitfinex",
  symbol: "ETH/USDT:USDT",
  kind: "perps",
};

let processes = 0;

/** The research side over a database; `stop` it before the database is dropped. */
export function testResearch(sql: Sql, deps: Partial<ResearchDeps> = {}): Research {
  processes += 1;
  const clock = createClock();
  return createResearch({
    sql,
    workerUrl: WORKER_URL,
    market: createMarketData({ clock, log: silentLog }),
    clock,
    log: silentLog,
    hands: { holder: `test-${processes}`, ttlMs: 30_000, isWorking: true },
    ...deps,
  });
}

/** The user of a scope as somebody who acts. */
export async function actorOf(
  sql: Sql,
  scope: Scope & { readonly userId: UserId },
): Promise<Actor> {
  const members = await createAccessRepository(sql).listMembers(scope);
  const user = members.find(({ id }) => id === scope.userId);
  if (!user) throw new Error("the scope's user is no member");
  return { scope, user };
}

/** A random walk that trades now and then: the same seed gives the same candles. */
export function walkCandles(
  count: number,
  { timeframeMin = 5, from = Date.UTC(2024, 0, 1), seed = 7 } = {},
): CandleSeries {
  const { unit: random } = createRandom(seed);
  const series = emptySeries(count);
  const cents = (value: number) => Math.round(value * 100) / 100;
  let price = 2000;
  for (let i = 0; i < count; i++) {
    const open = price;
    const swing = (random() - 0.5 + (2000 - price) / 4e5) * 0.01 * Math.sqrt(timeframeMin / 5);
    const close = cents(open * (1 + swing));
    series.openAt[i] = from + i * timeframeMin * MINUTE_MS;
    series.open[i] = open;
    series.close[i] = close;
    series.high[i] = cents(Math.max(open, close) * (1 + random() * 0.002));
    series.low[i] = cents(Math.min(open, close) * (1 - random() * 0.002));
    series.volume[i] = Math.round(random() * 1e4) / 100;
    price = close;
  }
  return series;
}

/** Stores candles of the market. */
export async function storeCandles(
  sql: Sql,
  scope: Scope,
  series: CandleSeries,
  timeframeMin = 5,
  market: Market = MARKET,
): Promise<SeriesId> {
  const store = createCandleRepository(sql);
  const id = await store.openCandles(scope, { ...market, timeframeMin }, Date.now());
  await store.mergeCandles(scope, id, { series }, Date.now());
  return id;
}

/** A request that trades often on the candles of {@link walkCandles} with 20,000 candles or more. */
export function aRequest(changes: Partial<RunRequest> = {}): RunRequest {
  return {
    name: null,
    market: MARKET,
    config: {
      general: { entry_order_style: "market", allow_short: true, entry_cooldown_min: 5 },
      exits: { tp_mode: "PCT", tp_pct: 1, sl_pct: 3 },
      trend: { ma_interval_min: 60, ma_len: 30 },
      bbands: { interval_min: 60, dev_up: 1, dev_down: 1 },
      macd: { interval_min: 60 },
      rsi: { interval_min: 60, buy_level: 48, sell_level: 52 },
    },
    instrument: { price_tick: 0.01, qty_step: 0.001, min_qty: 0.001, min_notional: 5 },
    run: {
      timeframe_min: 5,
      from: Date.UTC(2024, 0, 15),
      to: Date.UTC(2024, 2, 10),
      slippage_bps: 1,
      leverage: 3,
    },
    withFunding: false,
    fetchMissing: false,
    ...changes,
  };
}
