// What both forms of the candles page have in common: the choices of markets and timeframes, and the
// exchanges. Used by candle-import-form.tsx and candle-download-form.tsx.
/** Our ids of all exchanges. */
export type ExchangeGroups = {
  /** Those we know well, in their order. */
  readonly first: readonly string[];
  readonly others: readonly string[];
};

/** Kinds of market as choices. */
export const MARKETS = [
  { value: "perps", label: "perpetual futures" },
  { value: "spot", label: "spot" },
  { value: "", label: "as the symbol says" },
];
/** Timeframes most exchanges have. */
export const TIMEFRAMES = "1m 3m 5m 15m 30m 1h 2h 4h 6h 8h 12h 1d 1w".split(" ");
