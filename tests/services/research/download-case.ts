// A download against a fake exchange over loopback: the real ccxt client, the real store on a real
// database. Used by the download tests.
import { createMarketData } from "../../../src/adapters/ccxt/market-data.ts";
import { createCandleRepository } from "../../../src/adapters/postgres/candle-repository.ts";
import { type Candle, CANDLE_COLUMNS, type CandleSeries } from "../../../src/model/candle.ts";
import type { Scope } from "../../../src/ports/access-store.ts";
import type { CandleStore } from "../../../src/ports/candle-store.ts";
import type { Market } from "../../../src/ports/market-data.ts";
import {
  type CandleDownloadReport,
  type DownloadDeps,
  downloadCandles,
} from "../../../src/services/research/candle-download.ts";
import { startBinance } from "../../support/fake-exchange/binance.ts";
import { type TestClock, testClock } from "../../support/fake-exchange/clock.ts";
import { startOkx } from "../../support/fake-exchange/okx.ts";
import type { FakeExchange } from "../../support/fake-exchange/server.ts";
import { startWoo } from "../../support/fake-exchange/woo.ts";
import type { World } from "../../support/fake-exchange/world.ts";
import { silentLog, type TestDatabase, testScope } from "../../support/test-database.ts";

export const FROM = Date.UTC(2024, 0, 1);
export const MINUTE = 60_000;

/**
 * The three dialects; `start` is the parameter that says where a page begins, `first` undoes its
 * offset.
 */
export const DIALECTS = {
  woox: { start: startWoo, symbol: "PERP_BTC_USDT", cursor: "after", offset: 1, page: 1000 },
  binance: {
    start: startBinance,
    symbol: "BTC/USDT:USDT",
    cursor: "startTime",
    offset: 0,
    page: 500,
  },
  okx: { start: startOkx, symbol: "BTC/USDT:USDT", cursor: "before", offset: 1, page: 300 },
} as const;

export type ExchangeName = keyof typeof DIALECTS;
export const EXCHANGES = Object.keys(DIALECTS) as ExchangeName[];

/** Everything a download test touches. */
export type DownloadCase = {
  readonly exchange: FakeExchange;
  readonly clock: TestClock;
  readonly store: CandleStore;
  readonly scope: Scope;
  readonly deps: DownloadDeps;
  readonly market: Market;
  /** Downloads 1m candles; from the start of the world to its end when not said. */
  download(
    range?: { from: number; to: number },
    options?: { signal?: AbortSignal; onProgress?: (at: { done: number; bars: number }) => void },
  ): Promise<CandleDownloadReport>;
  stored(): Promise<CandleSeries>;
  /** Open time each history request begins with. */
  starts(): number[];
  /** The same store seen by a program that was just started. */
  restart(): DownloadCase;
};

let scopes = 0;

/** A fresh workspace, a fresh exchange, a fresh client. */
export async function downloadCase(
  database: TestDatabase,
  name: ExchangeName,
  world: World,
  start: (world: World) => FakeExchange = DIALECTS[name].start,
): Promise<DownloadCase> {
  scopes += 1;
  const scope = await testScope(database.sql, `download-${scopes}`);
  return build(database, name, world, start(world), scope);
}

function build(
  database: TestDatabase,
  name: ExchangeName,
  world: World,
  exchange: FakeExchange,
  scope: Scope,
): DownloadCase {
  const dialect = DIALECTS[name];
  const clock = testClock(world.now);
  const store = createCandleRepository(database.sql);
  const marketData = createMarketData({
    clock,
    log: silentLog,
    loopbackUrls: { [name]: exchange.url },
  });
  const market: Market = { exchangeId: name, symbol: dialect.symbol, kind: "perps" };
  const deps = { store, market: marketData, clock };
  const end = FROM + 1e9;
  return {
    exchange,
    clock,
    store,
    scope,
    deps,
    market,
    download: (range = { from: FROM, to: end }, options = {}) =>
      downloadCandles(deps, {
        scope,
        market,
        range,
        timeframeMin: 1,
        signal: options.signal ?? new AbortController().signal,
        ...(options.onProgress ? { onProgress: options.onProgress } : {}),
      }),
    async stored() {
      const id = await store.findCandles(scope, { ...market, timeframeMin: 1 });
      if (id === null) throw new Error("nothing is stored");
      return store.loadSeries(scope, id);
    },
    starts: () =>
      exchange.history().map(({ params }) => Number(params[dialect.cursor]) + dialect.offset),
    restart: () => build(database, name, world, exchange, scope),
  };
}

/** Rows of a series as candles, so that a difference is readable. */
export function candlesIn(series: CandleSeries): Candle[] {
  return Array.from({ length: series.length }, (_, i) => {
    const values = CANDLE_COLUMNS.map((column) => [column, series[column][i]]);
    return Object.fromEntries(values) as Candle;
  });
}
