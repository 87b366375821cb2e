// ccxt markets as our instruments. Used by market-data.ts. A market whose rules are not stated
// yields none: a made-up tick or step would round orders wrongly.
import { gridOf } from "../../model/instrument.ts";
import { InputError } from "../../model/result.ts";
import type { InstrumentKind, NewInstrument } from "../../ports/instrument-store.ts";
import type { CcxtMarket } from "./exchange.ts";

/** ccxt's mode in which a precision counts decimals instead of naming the step. */
const DECIMAL_PLACES = 2;
const TICK_SIZE = 4;

/** The instrument of a market; null when price tick, quantity step or contract size is missing. */
export function instrumentOf(
  exchangeId: string,
  symbol: string,
  kind: InstrumentKind,
  market: CcxtMarket,
  precisionMode: number,
): NewInstrument | null {
  const priceTick = stepOf(market.precision.price, precisionMode);
  const qtyStep = stepOf(market.precision.amount, precisionMode);
  const contractSize = kind === "spot" ? 1 : market.contractSize;
  if (priceTick === null || qtyStep === null || !isPositive(contractSize)) return null;
  return {
    exchangeId,
    symbol,
    kind,
    base: market.base,
    quote: market.quote,
    settle: kind === "spot" ? null : (market.settle ?? null),
    priceTick,
    qtyStep,
    // An exchange that states no minimum has none.
    minQty: market.limits.amount?.min ?? 0,
    minNotional: market.limits.cost?.min ?? 0,
    contractSize,
    isLinear: kind === "spot" || market.linear === true,
    isActive: market.active !== false,
  };
}

function stepOf(precision: number | undefined, mode: number): number | null {
  if (precision === undefined || precision === null || !Number.isFinite(precision)) return null;
  if (mode !== TICK_SIZE && mode !== DECIMAL_PLACES) return null;
  const step = mode === TICK_SIZE ? precision : Number(`1e${-precision}`);
  return isGrid(step) ? step : null;
}

function isGrid(step: number): boolean {
  try {
    return gridOf(step, "step").units > 0;
  } catch (error) {
    if (error instanceof InputError) return false;
    throw error;
  }
}

function isPositive(value: number | undefined): value is number {
  return value !== undefined && Number.isFinite(value) && value > 0;
}
