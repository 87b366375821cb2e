// The configuration of the DCA-ATR strategy: one schema, the single source of defaults for command line, pages,
// sweeps and live bots. Zero is a value; unknown keys are refused; groups starting with `_` are carried, not read.
import { z } from "zod";
import { InputError } from "../../model/result.ts";
import { formatTimeframe } from "../../model/time.ts";
import { schemaSentence } from "../schema-sentence.ts";
import { LEGACY_ALIASES } from "./legacy-names.ts";

const style = z.enum(["market", "limit", "maker_or_cancel"]);
const average = z.enum(["Sma", "Ema"]);
const mode = z.enum(["PCT", "ATR"]);
const flag = (value: boolean) => z.boolean().default(value);
const amount = (value: number, min = 0, max?: number) => {
  const range = z.number().min(min);
  return (max === undefined ? range : range.max(max)).default(value);
};
const whole = (value: number, min: number, max?: number) => {
  const range = z.number().int().min(min);
  return (max === undefined ? range : range.max(max)).default(value);
};

const activation = z
  .strictObject({ entry_pct: amount(0, 0, 5), dca_pct: amount(0, 0, 5), tp_pct: amount(0, 0, 5) })
  .prefault({});

const general = z
  .strictObject({
    max_entries: whole(5, 1, 50),
    initial_entry_sizing_mode: z.enum(["pct_balance", "fixed_usd"]).default("pct_balance"),
    initial_entry_balance_pct: amount(10, 0, 100),
    initial_entry_fixed_usd: amount(100),
    use_indicator_consensus: flag(true),
    entry_order_style: style.default("maker_or_cancel"),
    exit_order_style: style.default("maker_or_cancel"),
    entry_timeout_min: amount(10),
    exit_timeout_min: amount(10),
    entry_cooldown_min: amount(10),
    dca_cooldown_min: amount(0),
    allow_long: flag(true),
    allow_short: flag(false),
    lock_atr_on_entry_for_dca: flag(false),
    use_avg_entry_for_dca_base: flag(true),
    plot_dca_levels: flag(false),
    dynamic_activation: activation,
    prefer_bbo_maker: flag(true),
    bbo_queue_level: whole(1, 0),
    use_ma_direction: flag(false),
    ma_type: average.default("Ema"),
    ma_length: whole(200, 1),
    ma_source: z.enum(["open", "high", "low", "close", "hl2", "hlc3", "ohlc4"]).default("close"),
    ma_interval_min: whole(0, 0),
  })
  .prefault({});

const exits = z
  .strictObject({
    sl_mode: mode.default("PCT"),
    sl_pct: amount(5),
    trail_activation_pct: amount(5),
    trail_distance_pct: amount(7),
    atr_period: whole(14, 1),
    sl_atr_mult: amount(3),
    sl_atr_lock: flag(false),
    trail_activation_atr_mult: amount(1),
    trail_distance_atr_mult: amount(2),
    tp_mode: mode.default("ATR"),
    tp_pct: amount(1),
    tp_atr_mult: amount(10),
    tp_replace_threshold_pct: amount(0.05),
    on_opposite_signal: z.enum(["ignore", "close"]).default("ignore"),
  })
  .prefault({});

const dca = z
  .strictObject({
    deviation_mode: mode.default("PCT"),
    base_deviation_pct: amount(1, 0.1),
    base_deviation_atr_mult: amount(1, 0.05),
    deviation_multiplier: amount(2, 1),
    volume_multiplier: amount(2, 1),
  })
  .prefault({});

const trend = z
  .strictObject({
    enabled: flag(true),
    ma_interval_min: whole(120, 1),
    ma_len: whole(200, 1),
    ma_type: average.default("Sma"),
  })
  .prefault({});

const bbands = z
  .strictObject({
    interval_min: whole(60, 1),
    length: whole(20, 1),
    dev_up: amount(2, 0.1),
    dev_down: amount(2, 0.1),
    ma_type: average.default("Sma"),
    deviation: amount(0.2),
    require_fcc: flag(false),
    reset_middle: flag(false),
    allow_mid_sells: flag(false),
  })
  .prefault({});

const macd = z
  .strictObject({
    interval_min: whole(360, 1),
    fast: whole(12, 1),
    slow: whole(26, 1),
    signal: whole(7, 1),
  })
  .prefault({});

const rsi = z
  .strictObject({
    interval_min: whole(1440, 1),
    length: whole(14, 1),
    buy_level: amount(30, 0, 100),
    sell_level: amount(70, 0, 100),
  })
  .prefault({});

/** The schema; parse through {@link parseConfig}, which also does the cross checks. */
export const dcaAtrSchema = z.strictObject({ general, exits, dca, trend, bbands, macd, rsi });

/** A complete configuration: every parameter present. */
export type DcaAtrConfig = z.infer<typeof dcaAtrSchema>;

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function refuseIf(failed: boolean, sentence: string): void {
  if (failed) throw new InputError(sentence);
}

function crossChecks(config: DcaAtrConfig): void {
  const { general: g, macd: m, rsi: r } = config;
  refuseIf(
    !g.allow_long && !g.allow_short,
    "config: general.allow_long and general.allow_short are both false; at least one must be true",
  );
  refuseIf(
    m.fast >= m.slow,
    `config: macd.fast is ${m.fast}; it must be below macd.slow (${m.slow})`,
  );
  refuseIf(
    r.buy_level >= r.sell_level,
    `config: rsi.buy_level is ${r.buy_level}; it must be below rsi.sell_level (${r.sell_level})`,
  );
}

/** Names an old field's present name where there is one. */
function sentence(error: z.ZodError, own: unknown): string {
  const text = schemaSentence(dcaAtrSchema, error, own, "config");
  const unknown = /unknown key ([\w.]+)/.exec(text)?.[1] ?? "";
  const now = LEGACY_ALIASES[unknown] ?? LEGACY_ALIASES[unknown.split(".").at(-1) ?? ""];
  return now ? `${text}, an old name of ${now.join(".")} (import it as a legacy file)` : text;
}

/**
 * Parses a strategy configuration: defaults for missing keys, groups starting with `_` left aside.
 * @throws InputError with one sentence naming the first field that is not allowed
 */
export function parseConfig(raw: unknown): DcaAtrConfig {
  if (!isRecord(raw)) throw new InputError("config: must be a JSON object");
  const own = Object.fromEntries(Object.entries(raw).filter(([key]) => !key.startsWith("_")));
  const parsed = dcaAtrSchema.safeParse(own);
  if (!parsed.success) throw new InputError(sentence(parsed.error, own));
  crossChecks(parsed.data);
  return parsed.data;
}

/** Every interval of the configuration with its field name, in minutes. */
export function intervalsOf(config: DcaAtrConfig): readonly (readonly [string, number])[] {
  return [
    ["trend.ma_interval_min", config.trend.ma_interval_min],
    ["bbands.interval_min", config.bbands.interval_min],
    ["macd.interval_min", config.macd.interval_min],
    ["rsi.interval_min", config.rsi.interval_min],
    ["general.ma_interval_min", config.general.ma_interval_min],
  ];
}

/**
 * Checks the intervals against the base timeframe: not smaller, a whole multiple, and above a day whole days.
 * @throws InputError naming the interval
 */
export function checkIntervals(config: DcaAtrConfig, timeframeMin: number): void {
  for (const [field, minutes] of intervalsOf(config)) {
    if (field === "general.ma_interval_min" && minutes === 0) continue;
    refuseIf(
      minutes < timeframeMin || minutes % timeframeMin !== 0,
      `config: ${field} is ${minutes}; it must be a whole multiple of the candle timeframe ` +
        `(${timeframeMin} minutes, ${formatTimeframe(timeframeMin)})`,
    );
    refuseIf(
      minutes > 1440 && minutes % 1440 !== 0,
      `config: ${field} is ${minutes}; above 1440 it must be a whole number of days`,
    );
  }
}
