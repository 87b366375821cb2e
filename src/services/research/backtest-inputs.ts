// The documents a backtest is asked with: instrument and run settings, parsed once into domain values.
// Used by the command line, the pages and sweeps; every refusal names field, value and range.
import { z } from "zod";
import type { RunSettings } from "../../engine/run-settings.ts";
import { gridOf, type Instrument } from "../../model/instrument.ts";
import { InputError } from "../../model/result.ts";
import { schemaSentence } from "../../strategy/schema-sentence.ts";

const notNegative = (value: number) => z.number().min(0).default(value);

const instrumentSchema = z.strictObject({
  symbol: z.string().default(""),
  price_tick: z.number().gt(0),
  qty_step: z.number().gt(0),
  min_qty: notNegative(0),
  min_notional: notNegative(0),
  contract_size: z.number().gt(0).default(1),
});

const runSchema = z.strictObject({
  timeframe_min: z.number().int().min(1).max(1440),
  from: z.number().int(),
  to: z.number().int(),
  initial_balance: z.number().gt(0).default(1000),
  fill_model: z.enum(["path", "pessimistic"]).default("path"),
  entry_fill: z.enum(["next_open", "close"]).default("next_open"),
  touch_fills: z.boolean().default(true),
  maker_fee: z.number().gt(-1).lt(1).default(0.0002),
  taker_fee: z.number().gt(-1).lt(1).default(0.0005),
  slippage_bps: z.number().min(0).lt(10_000).default(0),
  leverage: z.number().min(1).max(200).default(1),
  maintenance_margin_rate: z.number().min(0).lt(1).default(0.005),
  indicator_set: z.literal("tv").default("tv"),
  htf_mode: z.literal("confirmed").default("confirmed"),
});

/** The run document with every default filled in, as it is stored. */
export type RunDocument = z.infer<typeof runSchema>;
/** The instrument document with every default filled in. */
export type InstrumentDocument = z.infer<typeof instrumentSchema>;

function parse<T>(schema: z.ZodType<T>, raw: unknown, document: string): T {
  const parsed = schema.safeParse(raw);
  if (!parsed.success) throw new InputError(schemaSentence(schema, parsed.error, raw, document));
  return parsed.data;
}

/**
 * Parses an instrument document.
 * @throws InputError naming the first field that is not allowed
 */
export function parseInstrument(raw: unknown): Instrument {
  const doc = parse(instrumentSchema, raw, "instrument");
  gridOf(doc.price_tick, "instrument: price_tick");
  gridOf(doc.qty_step, "instrument: qty_step");
  return {
    symbol: doc.symbol,
    priceTick: doc.price_tick,
    qtyStep: doc.qty_step,
    minQty: doc.min_qty,
    minNotional: doc.min_notional,
    contractSize: doc.contract_size,
  };
}

/**
 * Parses a run document.
 * @throws InputError naming the first field that is not allowed
 */
export function parseRun(raw: unknown): RunSettings {
  const doc = parse(runSchema, raw, "run");
  if (1440 % doc.timeframe_min !== 0) {
    throw new InputError(`run: timeframe_min is ${doc.timeframe_min}; it must divide 1440`);
  }
  if (doc.to <= doc.from) {
    throw new InputError(`run: to is ${doc.to}; it must be after from (${doc.from})`);
  }
  if (doc.maintenance_margin_rate * doc.leverage >= 1) {
    throw new InputError(
      `run: maintenance_margin_rate ${doc.maintenance_margin_rate} times leverage ` +
        `${doc.leverage} must be below 1`,
    );
  }
  return {
    timeframeMin: doc.timeframe_min,
    from: doc.from,
    to: doc.to,
    initialBalance: doc.initial_balance,
    fillModel: doc.fill_model,
    entryFill: doc.entry_fill,
    touchFills: doc.touch_fills,
    makerFee: doc.maker_fee,
    takerFee: doc.taker_fee,
    slippageBps: doc.slippage_bps,
    leverage: doc.leverage,
    maintenanceMarginRate: doc.maintenance_margin_rate,
  };
}
