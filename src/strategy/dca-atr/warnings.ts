// Settings that are allowed but can hardly ever trade (rule E67). Pages and the command line show these
// sentences; nothing is refused because of them.
import type { DcaAtrConfig } from "./config.ts";

/** Warm-up wanted and history at hand, in minutes; null when no history is known yet. */
export type History = { readonly wantedMin: number; readonly presentMin: number } | null;

function entryWarnings(config: DcaAtrConfig): string[] {
  const { general, trend, bbands } = config;
  const found: string[] = [];
  const trendSpan = trend.ma_len * trend.ma_interval_min;
  const bandSpan = bbands.length * bbands.interval_min;
  const bothSimple = trend.ma_type === "Sma" && bbands.ma_type === "Sma";
  if (trend.enabled && bothSimple && trendSpan === bandSpan) {
    found.push(
      "trend and bbands look at the same span of time with simple averages: a close below the lower " +
        "band is then always below the trend average, so this vote and the trend filter exclude each other",
    );
  }
  const isPct = general.initial_entry_sizing_mode === "pct_balance";
  const field = isPct ? "initial_entry_balance_pct" : "initial_entry_fixed_usd";
  if (general[field] === 0) found.push(`general.${field} is 0: no entry can ever be sized`);
  return found;
}

function exitWarnings(config: DcaAtrConfig): string[] {
  const { exits } = config;
  const isPct = exits.sl_mode === "PCT";
  const stop = isPct ? exits.sl_pct : exits.sl_atr_mult;
  const trail = isPct ? exits.trail_distance_pct : exits.trail_distance_atr_mult;
  const target = exits.tp_mode === "PCT" ? exits.tp_pct : exits.tp_atr_mult;
  const found: string[] = [];
  if (stop === 0 && trail === 0) {
    found.push("exits: no stop is set; a position can only end by profit or liquidation");
  }
  if (stop === 0 && trail === 0 && target === 0 && exits.on_opposite_signal === "ignore") {
    found.push("exits: nothing ever closes a position");
  }
  return found;
}

/** Sentences for a person about settings that can hardly trade; empty when there is nothing to say. */
export function configWarnings(config: DcaAtrConfig, history: History): string[] {
  const found = [...entryWarnings(config), ...exitWarnings(config)];
  if (history && history.wantedMin > history.presentMin) {
    const days = (minutes: number) => (minutes / 1440).toFixed(1);
    found.push(
      `the indicators want ${days(history.wantedMin)} days of history before the window; ` +
        `${days(history.presentMin)} days are there`,
    );
  }
  return found;
}
