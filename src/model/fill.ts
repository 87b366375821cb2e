// Executions and round trips as the engine reports them; float64, used by results, pages and tests.
import type { Liquidity, OrderSide, PositionSide } from "./order.ts";
import type { EpochMs } from "./time.ts";

/** One execution; `fee` is a positive cost, `pathPrice` the market price before slippage and rounding. */
export type Fill = {
  readonly at: EpochMs;
  readonly candleOpenAt: EpochMs;
  readonly side: OrderSide;
  readonly positionSide: PositionSide;
  readonly priceTicks: number;
  readonly qtyLots: number;
  readonly price: number;
  readonly qty: number;
  readonly pathPrice: number;
  readonly fee: number;
  readonly liquidity: Liquidity;
  readonly reason: string;
  readonly cycle: number;
};

/** From flat to flat. `closedAt` null: still open at the end of the data (rule E56). */
export type Cycle = {
  readonly cycle: number;
  readonly positionSide: PositionSide;
  readonly openedAt: EpochMs;
  readonly closedAt: EpochMs | null;
  readonly entries: number;
  readonly qty: number;
  readonly averageEntry: number;
  readonly exitPrice: number | null;
  readonly exitReason: string;
  readonly net: number;
  readonly fees: number;
  readonly funding: number;
  readonly mae: number;
  readonly mfe: number;
};
