// The contract and its rules, and the one bridge between floats and the exchange's grid.
// Prices become integer ticks and quantities integer lots here and nowhere else.
import { InputError } from "./result.ts";

/** Trading rules of one symbol; prices in quote units, quantities in contracts. */
export type Instrument = {
  readonly symbol: string;
  readonly priceTick: number;
  readonly qtyStep: number;
  readonly minQty: number;
  readonly minNotional: number;
  readonly contractSize: number;
};

/** Rounding tolerance in units of one tick or step (rule E1): a value on the grid never moves. */
const GRID_TOLERANCE = 1e-6;

/**
 * A decimal grid: `units / 10^decimals` is one step. Turning a count of steps into a price is exact:
 * the product is an integer below 2^53, and one division rounds to the nearest double.
 */
export type Grid = {
  readonly step: number;
  readonly units: number;
  readonly scale: number;
  readonly decimals: number;
};

/**
 * Reads a tick or lot size as a decimal grid.
 * @throws InputError naming the field when the size is not a positive decimal of at most 15 places
 */
export function gridOf(step: number, field: string): Grid {
  if (!Number.isFinite(step) || step <= 0) {
    throw new InputError(`${field}: ${step} must be a number above 0`);
  }
  for (let decimals = 0; decimals <= 15; decimals++) {
    const scale = 10 ** decimals;
    const units = Math.round(step * scale);
    if (units > 0 && units / scale === step) return { step, units, scale, decimals };
  }
  throw new InputError(`${field}: ${step} must be a decimal with at most 15 places`);
}

/** Steps at or below the value (rule E1 "down"). */
export function stepsDown(grid: Grid, value: number): number {
  return Math.floor(value / grid.step + GRID_TOLERANCE);
}

/** Steps at or above the value (rule E1 "up"). */
export function stepsUp(grid: Grid, value: number): number {
  return Math.ceil(value / grid.step - GRID_TOLERANCE);
}

/** The double nearest to the decimal `steps * step`. */
export function gridValue(grid: Grid, steps: number): number {
  return (steps * grid.units) / grid.scale;
}

/** The decimal `steps * step` as text with exactly the grid's decimals: 100 steps of 0.01 → `1.00`. */
export function gridText(grid: Grid, steps: number): string {
  return gridValue(grid, steps).toFixed(grid.decimals);
}

const NATIVE_WOOX = /^(?:PERP|SPOT)_[^_]+_([^_]+)$/;

/**
 * The currency profits and costs of a symbol are counted in: `BTC/USDT:USDT`, `BTC/USDT` and
 * `PERP_BTC_USDT` → `USDT`.
 */
export function settleAssetOf(symbol: string): string {
  const native = NATIVE_WOOX.exec(symbol)?.[1];
  if (native !== undefined) return native;
  const [pair = symbol, settle] = symbol.split(":");
  return settle ?? pair.split("/")[1] ?? pair;
}
