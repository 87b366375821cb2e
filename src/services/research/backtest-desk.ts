// What the backtest form needs to know and to remember: stored series, the latest price and range of one, and the
// asking user's last inputs. Called by the backtest page; it changes nothing but those inputs.
import { atrColumn } from "../../indicators/atr.ts";
import { binColumn, resample } from "../../indicators/timeframe-bins.ts";
import { type EpochMs, MINUTE_MS } from "../../model/time.ts";
import type { Scope } from "../../ports/access-store.ts";
import type { CandleStore, CandleSummary } from "../../ports/candle-store.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Market } from "../../ports/market-data.ts";
import type { PreferenceStore } from "../../ports/preference-store.ts";
import type { Json } from "../../ports/settings-store.ts";

/** What the end of a series says; `atr` is null while the history is too short for it. */
export type LatestPrice = {
  readonly close: number;
  /** Close time of the last candle. */
  readonly at: EpochMs;
  readonly atr: number | null;
};

/** What the desk needs. */
export type BacktestDeskDeps = {
  readonly candles: Pick<CandleStore, "listSeries" | "loadSeries" | "findFunding">;
  readonly preferences: PreferenceStore;
  readonly clock: Clock;
};

/** The form's memory and eyes. */
export type BacktestDesk = {
  now(): EpochMs;
  /** By exchange, symbol, kind and timeframe. */
  series(scope: Scope): Promise<CandleSummary[]>;
  /** Null while the series is empty. The average true range is that of the given timeframe. */
  latest(
    scope: Scope,
    source: CandleSummary,
    timeframeMin: number,
    atrLength: number,
  ): Promise<LatestPrice | null>;
  /** Whether funding rates of the market are stored. */
  hasFunding(scope: Scope, market: Market): Promise<boolean>;
  /** Null when nothing was kept. */
  inputs(scope: Scope): Promise<Json>;
  /** Null forgets them. */
  keepInputs(scope: Scope, inputs: Json): Promise<void>;
};

const INPUTS_KEY = "backtest.inputs";
/** Lengths after which the start of a Wilder average no longer shows (rule E11). */
const ATR_LENGTHS = 9;
/** Candles of the base series that are looked at; a longer average is not previewed. */
const CANDLES_MAX = 200_000;

/** Builds the desk. */
export function createBacktestDesk(deps: BacktestDeskDeps): BacktestDesk {
  const { candles, preferences, clock } = deps;
  return {
    now: () => clock.now(),
    series: (scope) => candles.listSeries(scope),
    latest: (scope, source, timeframeMin, atrLength) =>
      latest(candles, scope, source, timeframeMin, atrLength),
    async hasFunding(scope, { exchangeId, symbol, kind }) {
      return (await candles.findFunding(scope, { exchangeId, symbol, kind })) !== null;
    },
    inputs: (scope) => preferences.read(scope, INPUTS_KEY),
    keepInputs: (scope, inputs) => preferences.write(scope, INPUTS_KEY, inputs, clock.now()),
  };
}

async function latest(
  candles: BacktestDeskDeps["candles"],
  scope: Scope,
  source: CandleSummary,
  timeframeMin: number,
  atrLength: number,
): Promise<LatestPrice | null> {
  if (source.lastAt === null) return null;
  const baseMs = source.timeframeMin * MINUTE_MS;
  const timeframeMs = timeframeMin * MINUTE_MS;
  const wanted = (atrLength + 1) * ATR_LENGTHS * (timeframeMs / baseMs);
  const back = Math.min(wanted, CANDLES_MAX) * baseMs;
  const range = { from: source.lastAt - back, to: source.lastAt + 1 };
  const series = await candles.loadSeries(scope, source.id, range);
  const last = series.length - 1;
  const close = series.close[last];
  const openAt = series.openAt[last];
  if (close === undefined || openAt === undefined) return null;
  const plan = resample(series.openAt, baseMs, timeframeMs);
  const high = binColumn(plan, series.high, "max");
  const low = binColumn(plan, series.low, "min");
  const closes = binColumn(plan, series.close, "last");
  const atr = atrColumn(high, low, closes, atrLength).at(-1) ?? Number.NaN;
  return { close, at: openAt + baseMs, atr: Number.isFinite(atr) ? atr : null };
}
