// Position, orders and entry as cards of the backtest form, and the list of all cards of the strategy. Ranges and
// defaults come from the schema, explanations from the manual.
import { EXITS, LADDER } from "./backtest-exit-fields.ts";
import {
  AVERAGES,
  choiceField as choice,
  type Choice,
  type FieldCard,
  numberField as number,
  ON,
  switchField as toggle,
  whenIs,
} from "./backtest-field-kinds.ts";

const STYLES: readonly Choice[] = [
  ["maker_or_cancel", "Maker only"],
  ["limit", "Limit"],
  ["market", "Market"],
];
const SOURCES: readonly Choice[] = [
  ["close", "Close"],
  ["open", "Open"],
  ["high", "High"],
  ["low", "Low"],
  ["hl2", "HL2"],
  ["hlc3", "HLC3"],
  ["ohlc4", "OHLC4"],
];

const minutes = (name: string, label: string, more = {}) => number(name, label, "min", more);
const candles = (name: string, label: string, more = {}) =>
  number(name, label, "candles", { step: 1, ...more });
const percent = (name: string, label: string, more = {}) =>
  number(name, label, "%", { step: 0.1, ...more });

/** Radio buttons for the two switches of the document. */
export const DIRECTIONS: readonly Choice[] = [
  ["long", "Long only"],
  ["short", "Short only"],
  ["both", "Both"],
];

const CORE: FieldCard = {
  id: "core",
  title: "Position",
  groups: [
    {
      fields: [
        choice("config.general.initial_entry_sizing_mode", "Sized by", [
          ["pct_balance", "Balance share"],
          ["fixed_usd", "Fixed amount"],
        ]),
        percent("config.general.initial_entry_balance_pct", "First entry", {
          step: 1,
          when: whenIs("general.initial_entry_sizing_mode", "pct_balance"),
        }),
        number("config.general.initial_entry_fixed_usd", "First entry", "quote", {
          step: 10,
          when: whenIs("general.initial_entry_sizing_mode", "fixed_usd"),
        }),
        number("config.general.max_entries", "Max entries", "entries", { step: 1 }),
        minutes("config.general.entry_cooldown_min", "Cooldown", { step: 5 }),
      ],
    },
  ],
};

const ORDERS: FieldCard = {
  id: "orders",
  title: "Orders",
  groups: [
    {
      fields: [
        choice("config.general.entry_order_style", "Entry, rungs", STYLES),
        minutes("config.general.entry_timeout_min", "Entry timeout", { step: 5 }),
        choice("config.general.exit_order_style", "Take-profit", STYLES),
        minutes("config.general.exit_timeout_min", "TP timeout", {
          step: 5,
          when: whenIs("general.exit_order_style", "maker_or_cancel"),
        }),
      ],
    },
    {
      title: "Dynamic activation",
      note: "Orders rest at the exchange only while the price is this near. 0 always.",
      fields: [
        percent("config.general.dynamic_activation.entry_pct", "Entry", { step: 0.05 }),
        percent("config.general.dynamic_activation.dca_pct", "Rungs", { step: 0.05 }),
        percent("config.general.dynamic_activation.tp_pct", "Take-profit", { step: 0.05 }),
      ],
    },
  ],
};

const TREND_ON = whenIs("trend.enabled", ON);
const GATE_ON = whenIs("general.use_ma_direction", ON);

const ENTRY: FieldCard = {
  id: "entry",
  title: "Entry and indicators",
  groups: [
    { fields: [toggle("config.general.use_indicator_consensus", "Two of three votes must agree")] },
    {
      title: "Trend filter",
      fields: [
        toggle("config.trend.enabled", "Enter with the trend only"),
        minutes("config.trend.ma_interval_min", "Interval", { when: TREND_ON }),
        candles("config.trend.ma_len", "Length", { when: TREND_ON }),
        choice("config.trend.ma_type", "Average", AVERAGES, { when: TREND_ON }),
      ],
    },
    {
      title: "MA gate",
      fields: [
        toggle("config.general.use_ma_direction", "Price on the right side of a second average"),
        minutes("config.general.ma_interval_min", "Interval", { when: GATE_ON }),
        candles("config.general.ma_length", "Length", { when: GATE_ON }),
        choice("config.general.ma_type", "Average", AVERAGES, { when: GATE_ON }),
        choice("config.general.ma_source", "Source", SOURCES, { when: GATE_ON }),
      ],
    },
    {
      title: "Bollinger bands",
      fields: [
        minutes("config.bbands.interval_min", "Interval"),
        candles("config.bbands.length", "Length"),
        number("config.bbands.dev_up", "Upper band", "σ", { step: 0.1 }),
        number("config.bbands.dev_down", "Lower band", "σ", { step: 0.1 }),
      ],
      advanced: [
        choice("config.bbands.ma_type", "Middle line", AVERAGES),
        toggle("config.bbands.require_fcc", "Full candle cross"),
        toggle("config.bbands.reset_middle", "Vote lasts until the middle line"),
      ],
    },
    {
      title: "MACD",
      fields: [minutes("config.macd.interval_min", "Interval")],
      advanced: [
        candles("config.macd.fast", "Fast"),
        candles("config.macd.slow", "Slow"),
        candles("config.macd.signal", "Signal"),
      ],
    },
    {
      title: "RSI",
      fields: [
        minutes("config.rsi.interval_min", "Interval"),
        number("config.rsi.buy_level", "Buy level", "", { step: 1 }),
        number("config.rsi.sell_level", "Sell level", "", { step: 1 }),
      ],
      advanced: [candles("config.rsi.length", "Length")],
    },
  ],
};

/** The cards of the left column, in the order of the page. */
export const STRATEGY_CARDS: readonly FieldCard[] = [CORE, ORDERS, ENTRY, LADDER, EXITS];

/** Parameters that change no backtest: carried along unseen, so that nothing of a run is lost. */
export const UNSEEN_PARAMETERS: readonly string[] = [
  "general.plot_dca_levels",
  "general.prefer_bbo_maker",
  "general.bbo_queue_level",
  "exits.tp_replace_threshold_pct",
  "bbands.deviation",
  "bbands.allow_mid_sells",
];
