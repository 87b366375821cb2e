// A configuration bound to an instrument: what every rule of the strategy reads, computed once.
import { type Grid, gridOf, type Instrument } from "../../model/instrument.ts";
import type { OrderKind } from "../../model/order.ts";
import { MINUTE_MS } from "../../model/time.ts";
import type { DcaAtrConfig } from "./config.ts";

/** Immutable inputs of the rules. Ratios are fractions, times milliseconds. */
export type RuleContext = {
  readonly config: DcaAtrConfig;
  readonly instrument: Instrument;
  readonly prices: Grid;
  readonly lots: Grid;
  readonly entryKind: OrderKind;
  readonly rungKind: OrderKind;
  readonly takeProfitKind: OrderKind;
  readonly entryTimeoutMs: number;
  readonly exitTimeoutMs: number;
  readonly entryCooldownMs: number;
  readonly dcaCooldownMs: number;
  readonly rungReasons: readonly string[];
};

type Style = DcaAtrConfig["general"]["entry_order_style"];

/** Order kind of a style; with an activation band every style rests as a limit (rules E18, E40). */
function kindOf(style: Style, bandPct: number, market: OrderKind): OrderKind {
  if (style === "maker_or_cancel") return "post_only";
  return style === "limit" || bandPct > 0 ? "limit" : market;
}

/**
 * Binds a configuration to an instrument.
 * @throws InputError when tick or step are not usable
 */
export function ruleContext(config: DcaAtrConfig, instrument: Instrument): RuleContext {
  const { general } = config;
  const bands = general.dynamic_activation;
  return {
    config,
    instrument,
    prices: gridOf(instrument.priceTick, "instrument: price_tick"),
    lots: gridOf(instrument.qtyStep, "instrument: qty_step"),
    entryKind: kindOf(general.entry_order_style, bands.entry_pct, "market"),
    rungKind: kindOf(general.entry_order_style, bands.dca_pct, "trigger_market"),
    takeProfitKind: kindOf(general.exit_order_style, bands.tp_pct, "trigger_market"),
    entryTimeoutMs: general.entry_timeout_min * MINUTE_MS,
    exitTimeoutMs: general.exit_timeout_min * MINUTE_MS,
    entryCooldownMs: general.entry_cooldown_min * MINUTE_MS,
    dcaCooldownMs: general.dca_cooldown_min * MINUTE_MS,
    rungReasons: Array.from({ length: general.max_entries }, (_, level) => `DCA_${level + 1}`),
  };
}
