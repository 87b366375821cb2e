// Indicator columns kept between runs over the same candles: changing an exit, the ladder or the costs computes
// no indicator anew. Held by whoever runs many backtests; bounded, and it never changes a result.
import type { CandleSeries } from "../model/candle.ts";
import { InputError } from "../model/result.ts";
import { isoUtc, MINUTE_MS } from "../model/time.ts";
import type { DcaAtrConfig } from "../strategy/dca-atr/config.ts";
import { EntryBits } from "../strategy/dca-atr/signal-bits.ts";
import { SignalColumns, usesAtr } from "../strategy/dca-atr/signal-columns.ts";

/** Columns and entry bits of one configuration over one series. */
export type Columns = { readonly columns: SignalColumns; readonly bits: EntryBits };

/** Everything of a configuration that columns or bits depend on. */
function keyOf(config: DcaAtrConfig, timeframeMin: number, start: number, end: number): string {
  const { general, exits, trend, bbands, macd, rsi } = config;
  const { allow_long, allow_short, use_indicator_consensus, use_ma_direction } = general;
  const gate = use_ma_direction
    ? [general.ma_type, general.ma_length, general.ma_source, general.ma_interval_min]
    : [];
  const atr = usesAtr(config) ? exits.atr_period : 0;
  const parts = [timeframeMin, start, end, trend, bbands, macd, rsi, gate, atr];
  return JSON.stringify([...parts, allow_long, allow_short, use_indicator_consensus]);
}

/** Columns of the last few configurations, per whole candle series. */
export class ColumnCache {
  private readonly max: number;
  private readonly known = new WeakMap<CandleSeries, Map<string, Columns>>();

  /** @param max configurations kept per series; each costs up to 60 bytes a candle */
  constructor(max: number) {
    this.max = max;
  }

  /** The columns of `candles`, which are candles `start` to `end` of `whole`. */
  get(
    whole: CandleSeries,
    candles: CandleSeries,
    start: number,
    end: number,
    config: DcaAtrConfig,
    timeframeMin: number,
  ): Columns {
    const entries = this.known.get(whole) ?? new Map<string, Columns>();
    this.known.set(whole, entries);
    const key = keyOf(config, timeframeMin, start, end);
    const found = entries.get(key) ?? makeColumns(config, candles, timeframeMin);
    entries.delete(key);
    entries.set(key, found);
    const oldest = entries.keys().next().value;
    if (entries.size > this.max && oldest !== undefined) entries.delete(oldest);
    return found;
  }
}

function checkOnGrid(candles: CandleSeries, timeframeMin: number): void {
  const timeframeMs = timeframeMin * MINUTE_MS;
  const { openAt } = candles;
  let expected = Number.NaN;
  for (let i = 0; i < openAt.length; i++) {
    const at = openAt[i]!;
    // A remainder of doubles is a slow call, so only the first candle and those after gaps pay for it.
    const isNext = at === expected;
    expected = at + timeframeMs;
    if (isNext || at % timeframeMs === 0) continue;
    throw new InputError(
      `candles: the candle opened ${isoUtc(at)} does not lie on the ` +
        `${timeframeMin}-minute grid of run: timeframe_min`,
    );
  }
}

/**
 * Computes columns and bits of one configuration.
 * @throws InputError when a candle does not lie on the grid of the timeframe
 */
export function makeColumns(
  config: DcaAtrConfig,
  candles: CandleSeries,
  timeframeMin: number,
): Columns {
  checkOnGrid(candles, timeframeMin);
  const columns = new SignalColumns(config, candles, timeframeMin);
  return { columns, bits: new EntryBits(columns) };
}
