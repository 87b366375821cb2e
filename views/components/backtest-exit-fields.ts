// Ladder and exits as cards of the backtest form. Ranges and defaults come from the strategy's schema,
// explanations from the manual.
import {
  choiceField as choice,
  type FieldCard,
  type FieldSpec,
  MODES,
  numberField as number,
  switchField as toggle,
  whenIs,
} from "./backtest-field-kinds.ts";

type More = Partial<FieldSpec>;
const percent = (name: string, label: string, more: More) => number(name, label, "%", more);
const atr = (name: string, label: string, more: More) =>
  number(name, label, "× ATR", { step: 0.25, ...more });

const LADDER_PCT = whenIs("dca.deviation_mode", "PCT");
const LADDER_ATR = whenIs("dca.deviation_mode", "ATR");

/** Distances and sizes of the rungs. */
export const LADDER: FieldCard = {
  id: "dca",
  title: "DCA ladder",
  groups: [
    {
      fields: [
        choice("config.dca.deviation_mode", "Distances in", MODES),
        percent("config.dca.base_deviation_pct", "First distance", {
          step: 0.1,
          when: LADDER_PCT,
        }),
        atr("config.dca.base_deviation_atr_mult", "First distance", {
          step: 0.05,
          when: LADDER_ATR,
        }),
        number("config.dca.deviation_multiplier", "Distance factor", "×", { step: 0.1 }),
        number("config.dca.volume_multiplier", "Size factor", "×", { step: 0.1 }),
        number("config.general.dca_cooldown_min", "Rung cooldown", "min", { step: 5 }),
        toggle("config.general.use_avg_entry_for_dca_base", "Measure from the average entry"),
        toggle("config.general.lock_atr_on_entry_for_dca", "Keep the ATR of the entry", {
          when: LADDER_ATR,
        }),
      ],
    },
  ],
};

const STOP_PCT = whenIs("exits.sl_mode", "PCT");
const STOP_ATR = whenIs("exits.sl_mode", "ATR");
const TARGET_ATR = whenIs("exits.tp_mode", "ATR");

/** Stop, trailing stop, take-profit. */
export const EXITS: FieldCard = {
  id: "exits",
  title: "Exits",
  groups: [
    {
      title: "Stop and trailing stop",
      fields: [
        choice("config.exits.sl_mode", "Distances in", MODES),
        percent("config.exits.sl_pct", "Stop", { step: 0.5, when: STOP_PCT }),
        percent("config.exits.trail_activation_pct", "Trail from", {
          step: 0.5,
          when: STOP_PCT,
        }),
        percent("config.exits.trail_distance_pct", "Trail by", {
          step: 0.5,
          when: STOP_PCT,
        }),
        atr("config.exits.sl_atr_mult", "Stop", { when: STOP_ATR }),
        atr("config.exits.trail_activation_atr_mult", "Trail from", {
          when: STOP_ATR,
        }),
        atr("config.exits.trail_distance_atr_mult", "Trail by", { when: STOP_ATR }),
        toggle("config.exits.sl_atr_lock", "Keep the ATR of the entry", { when: STOP_ATR }),
      ],
    },
    {
      title: "Take-profit",
      fields: [
        choice("config.exits.tp_mode", "Distance in", MODES),
        percent("config.exits.tp_pct", "Take-profit", {
          step: 0.5,
          when: whenIs("exits.tp_mode", "PCT"),
        }),
        atr("config.exits.tp_atr_mult", "Take-profit", { step: 0.5, when: TARGET_ATR }),
      ],
    },
    {
      title: "ATR and opposite signal",
      fields: [
        number("config.exits.atr_period", "ATR period", "candles", {
          step: 1,
          when: [...LADDER_ATR, ...STOP_ATR, ...TARGET_ATR],
        }),
        choice("config.exits.on_opposite_signal", "Opposite signal", [
          ["ignore", "Stay in"],
          ["close", "Close the position"],
        ]),
      ],
    },
  ],
};
