// The price of a candle an indicator is fed with. Used for averages with a configurable source;
// volume is never a source.
import type { CandleSeries } from "../model/candle.ts";
import { InvariantError } from "../model/result.ts";

/** The sources a config may name; the composed ones are plain means. */
export type CandleSource = "open" | "high" | "low" | "close" | "hl2" | "hlc3" | "ohlc4";

/** The source price of one candle. */
export function sourceOf(
  source: CandleSource,
  open: number,
  high: number,
  low: number,
  close: number,
): number {
  switch (source) {
    case "open":
      return open;
    case "high":
      return high;
    case "low":
      return low;
    case "close":
      return close;
    case "hl2":
      return (high + low) / 2;
    case "hlc3":
      return (high + low + close) / 3;
    case "ohlc4":
      return (open + high + low + close) / 4;
    default:
      throw new InvariantError(`unknown candle source "${String(source)}"`);
  }
}

/** The source of every candle; for a plain price this is the candles' own column, not a copy. */
export function sourceColumn(
  source: CandleSource,
  candles: Pick<CandleSeries, "open" | "high" | "low" | "close">,
): Float64Array {
  if (source === "open" || source === "high" || source === "low" || source === "close") {
    return candles[source];
  }
  const { open, high, low, close } = candles;
  const out = new Float64Array(close.length);
  for (let i = 0; i < out.length; i++) {
    out[i] = sourceOf(source, open[i]!, high[i]!, low[i]!, close[i]!);
  }
  return out;
}
