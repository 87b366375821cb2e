// Candle columns in memory that all threads share: made once by the candle cache, read by the workers
// without copying. Also makes the candles of a higher timeframe out of those of a lower one.
import { binColumn, binStart, resample } from "../../indicators/timeframe-bins.ts";
import { CANDLE_COLUMNS, type CandleSeries } from "../../model/candle.ts";
import { MINUTE_MS } from "../../model/time.ts";

/** A whole series as it is handed to a thread. */
export type SharedCandles = {
  /** Differs for every state of every series. */
  readonly key: string;
  readonly length: number;
  /** The columns of CANDLE_COLUMNS one after the other, doubles. */
  readonly memory: SharedArrayBuffer;
};

/** The columns as views; nothing is copied. */
export function seriesIn({ length, memory }: SharedCandles): CandleSeries {
  const column = (k: number) => new Float64Array(memory, k * length * 8, length);
  return {
    length,
    openAt: column(0),
    open: column(1),
    high: column(2),
    low: column(3),
    close: column(4),
    volume: column(5),
  };
}

/** Copies a series into shared memory. */
export function shareCandles(key: string, series: CandleSeries): SharedCandles {
  const { length } = series;
  const memory = new SharedArrayBuffer(CANDLE_COLUMNS.length * length * 8);
  const shared = { key, length, memory };
  const columns = seriesIn(shared);
  for (const name of CANDLE_COLUMNS) columns[name].set(series[name]);
  return shared;
}

/**
 * Candles of a higher timeframe by UTC day (rule E7). The bins at both ends count only when all of
 * their span lies within the series; a bin with missing candles in its middle is made of the others.
 * @param fromMin timeframe of the series, a divisor of `toMin`, which divides a day
 */
export function aggregateCandles(
  series: CandleSeries,
  fromMin: number,
  toMin: number,
): CandleSeries {
  const { openAt } = series;
  const intervalMs = toMin * MINUTE_MS;
  const plan = resample(openAt, fromMin * MINUTE_MS, intervalMs);
  const starts = Float64Array.from(plan.firstBar, (bar) => binStart(openAt[bar]!, intervalMs));
  const skip = plan.count > 0 && starts[0]! < openAt[0]! ? 1 : 0;
  const column = (name: "open" | "high" | "low" | "close", how: "first" | "max" | "min" | "last") =>
    binColumn(plan, series[name], how).subarray(skip);
  return {
    length: plan.count - skip,
    openAt: starts.subarray(skip),
    open: column("open", "first"),
    high: column("high", "max"),
    low: column("low", "min"),
    close: column("close", "last"),
    volume: volumes(series.volume, plan.firstBar, plan.lastBar).subarray(skip),
  };
}

function volumes(volume: Float64Array, firstBar: Int32Array, lastBar: Int32Array): Float64Array {
  return Float64Array.from(firstBar, (first, k) => {
    let sum = 0;
    for (let i = first; i <= lastBar[k]!; i++) sum += volume[i]!;
    return sum;
  });
}
