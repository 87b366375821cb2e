// A stored series, a period and a form that can run, for the tests of the backtest form.
import { InputError } from "../../src/model/result.ts";
import type { Id } from "../../src/ports/access-store.ts";
import type { CandleSummary } from "../../src/ports/candle-store.ts";
import type { Market } from "../../src/ports/market-data.ts";
import { DEFAULT_VALUES, type FormValues } from "../../src/web/forms/backtest-values.ts";
import type { FormFacts } from "../../src/web/forms/backtest-window.ts";

const NOW = Date.UTC(2024, 5, 15, 10, 7);

/** A year of candles. */
export const SERIES: CandleSummary = {
  id: 7 as Id<"series">,
  exchangeId: "binance",
  symbol: "BTC/USDT:USDT",
  kind: "perps",
  timeframeMin: 5,
  items: 105_120,
  firstAt: Date.UTC(2023, 5, 1),
  lastAt: Date.UTC(2024, 5, 1) - 300_000,
  bytes: 1,
  updatedAt: 0,
  gapCount: 0,
  missingBars: 0,
  coverageRatio: 1,
};

/** A saved period. */
export const PERIOD = {
  id: 3 as Id<"period">,
  name: "crash",
  fromAt: Date.UTC(2024, 2, 1),
  toAt: Date.UTC(2024, 3, 1),
};

/** What the form is judged against. */
export const FACTS: FormFacts = {
  series: [SERIES],
  periods: [PERIOD],
  now: NOW,
  normalise(exchangeId, symbol, kind): Market {
    if (symbol === "??") throw new InputError(`symbol: "${symbol}" is not understood`);
    return { exchangeId, symbol, kind: kind ?? "spot" };
  },
};

/** A form that can run, with changes. */
export const form = (changes: FormValues = {}): FormValues => ({
  ...DEFAULT_VALUES,
  series: "7",
  "run.timeframe_min": "5",
  "instrument.price_tick": "0.1",
  "instrument.qty_step": "0.001",
  ...changes,
});
