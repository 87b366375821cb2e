// Market data of every exchange ccxt knows, behind ports/market-data.ts. Built by main.ts and
// tests; exchanges are loaded at their first use. Public data only: no key ever reaches this
// folder.
import { DEMO_EXCHANGE } from "../../model/demo-exchange.ts";
import { InputError } from "../../model/result.ts";
import { checkTimeframe } from "../../model/timeframe-grid.ts";
import type { InstrumentKind, NewInstrument } from "../../ports/instrument-store.ts";
import type { Market, MarketData } from "../../ports/market-data.ts";
import { candlePages } from "./candle-pages.ts";
import {
  type ConnectionDeps,
  createConnections,
  pageBarsOf,
  timeframeName,
} from "./connections.ts";
import { ccxtIds } from "./exchange.ts";
import { fundingPages } from "./funding-pages.ts";
import { instrumentOf } from "./instruments.ts";
import { exchangeIdsOf, normaliseExchange } from "./profiles.ts";
import { normaliseMarket } from "./symbols.ts";

/**
 * Market data over the network, or over loopback for exchanges the composition root has an address
 * for. The simulated exchange is listed when it has one.
 */
export function createMarketData(deps: ConnectionDeps): MarketData {
  const connections = createConnections(deps);
  const unlimited = new AbortController().signal;

  async function instruments(exchangeId: string, kind: InstrumentKind): Promise<NewInstrument[]> {
    const { markets, exchange } = await connections.open(exchangeId, kind, unlimited);
    return [...markets].flatMap(
      ([symbol, market]) =>
        instrumentOf(exchangeId, symbol, kind, market, exchange.precisionMode) ?? [],
    );
  }

  async function instrument(market: Market, signal = unlimited): Promise<NewInstrument> {
    const { exchangeId, symbol, kind } = market;
    const { listed, exchange } = await connections.find(market, signal);
    const found = instrumentOf(exchangeId, symbol, kind, listed, exchange.precisionMode);
    if (found !== null) return found;
    throw new InputError(`symbol: ${exchangeId} does not state the trading rules of ${symbol}`);
  }

  return {
    exchangeIds: () => {
      const ids = exchangeIdsOf(ccxtIds());
      const isRunning = deps.loopbackUrls?.[DEMO_EXCHANGE] !== undefined;
      return isRunning ? [...ids, DEMO_EXCHANGE].sort() : ids;
    },
    normaliseExchange,
    normaliseMarket,
    instruments,
    instrument,
    async exchangeTime(market, signal = unlimited) {
      const connection = await connections.open(market.exchangeId, market.kind, signal);
      return connections.exchangeTime(connection, signal);
    },
    async *candles(request) {
      checkTimeframe(request.timeframeMin);
      const connection = await connections.find(request.market, request.signal);
      const now = await connections.exchangeTime(connection, request.signal);
      yield* candlePages({ deps, connection, request, now });
    },
    async *funding(request) {
      const connection = await connections.find(request.market, request.signal);
      const now = await connections.exchangeTime(connection, request.signal);
      yield* fundingPages({ deps, connection, request, now });
    },
    async pageBars(market, timeframeMin, signal = unlimited) {
      const connection = await connections.find(market, signal);
      timeframeName(connection, timeframeMin);
      return pageBarsOf(connection);
    },
  };
}
