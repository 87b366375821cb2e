// What a run is asked with beside the strategy, as cards of the backtest form: market, range and name, and the
// list of all cards of the right column. Plain data.
import { CAPITAL_CARD, EXECUTION_CARD, INSTRUMENT_CARD } from "./backtest-account-fields.ts";
import {
  choiceField as choice,
  type FieldCard,
  numberField as number,
  switchField as toggle,
  type When,
} from "./backtest-field-kinds.ts";

/** Value of the series field for a market that is not stored. */
export const OTHER_SERIES = "other";

const IS_OTHER: When = [["series", OTHER_SERIES]];

/** The market and its timeframe; the series are filled in by the page. */
export const DATA_CARD: FieldCard = {
  id: "data",
  title: "Data",
  groups: [
    {
      fields: [
        choice("series", "Candles", [], {
          isWide: true,
          help: "Stored history of a market. Another market can be downloaded before the run.",
        }),
        {
          name: "market.exchange",
          label: "Exchange",
          kind: "text",
          list: "exchange-ids",
          when: IS_OTHER,
          help: "Id of the exchange, e.g. woox or binance.",
        },
        {
          name: "market.symbol",
          label: "Symbol",
          kind: "text",
          when: IS_OTHER,
          help: "BTC/USDT for spot, BTC/USDT:USDT for a perpetual, PERP_BTC_USDT on woox.",
        },
        choice(
          "market.kind",
          "Market",
          [
            ["perps", "Perpetual"],
            ["spot", "Spot"],
          ],
          { when: IS_OTHER, help: "Perpetuals can be shorted, leveraged, and pay funding." },
        ),
        choice("run.timeframe_min", "Timeframe", [], {
          help: "Candles the strategy decides on: any multiple of the stored timeframe.",
        }),
      ],
    },
  ],
};

/** How the window is given. */
export const RANGE_MODES = [
  ["duration", "Duration"],
  ["bars", "Bars"],
  ["dates", "Start and end"],
  ["period", "Saved period"],
] as const;

/** Days of the durations on offer. */
export const DURATION_DAYS: Readonly<Record<string, number>> = {
  "1w": 7,
  "1m": 30,
  "3m": 90,
  "6m": 180,
  "12m": 365,
};

const inMode = (mode: string): When => [["range.mode", mode]];

/** The traded window; the saved periods are filled in by the page. */
export const RANGE_CARD: FieldCard = {
  id: "range",
  title: "Range",
  groups: [
    {
      fields: [
        choice(
          "range.duration",
          "Duration",
          [
            ["1w", "1 week"],
            ["1m", "1 month (30 days)"],
            ["3m", "3 months (90 days)"],
            ["6m", "6 months (180 days)"],
            ["12m", "12 months (365 days)"],
          ],
          {
            isWide: true,
            when: inMode("duration"),
            help: "Ends at the last stored candle; with missing history fetched, now.",
          },
        ),
        number("range.bars", "Bars", "candles", {
          step: 10,
          min: 10,
          max: 1_000_000,
          when: inMode("bars"),
          help: "The last candles of the history; with missing history fetched, up to now.",
        }),
        {
          name: "range.from",
          label: "Start (UTC)",
          kind: "moment",
          isWide: true,
          when: inMode("dates"),
        },
        {
          name: "range.to",
          label: "End (UTC)",
          kind: "moment",
          isWide: true,
          when: inMode("dates"),
        },
        choice("range.period", "Saved period", [], { isWide: true, when: inMode("period") }),
      ],
    },
  ],
};

/** Name of the run, and whether history is downloaded first. */
export const RUN_CARD: FieldCard = {
  id: "run",
  title: "Run",
  groups: [
    {
      fields: [
        {
          name: "name",
          label: "Name",
          kind: "text",
          isWide: true,
          help: "Optional; up to 200 characters.",
        },
        toggle("fetch", "Fetch missing history first", {
          help: "Asks the exchange for candles and funding that are not stored.",
        }),
      ],
    },
  ],
};

/** The price the preview starts from. */
export const PREVIEW_PRICE = number("preview.price", "From price", "quote", {
  help: "Empty: the last stored close.",
});

/** The cards of the right column, in the order of the page. */
export const RUN_CARDS: readonly FieldCard[] = [
  DATA_CARD,
  RANGE_CARD,
  INSTRUMENT_CARD,
  CAPITAL_CARD,
  EXECUTION_CARD,
  RUN_CARD,
];
