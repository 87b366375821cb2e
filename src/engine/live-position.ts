// What a bot holds, derived from its trade records alone: the same records give the same position in whatever order
// and pieces they arrived. Used by the live bot; the backtest books its fills one by one in accounting.ts.
import { type Grid, gridValue } from "../model/instrument.ts";
import type { OrderSide, PositionSide, Sign } from "../model/order.ts";
import type { EpochMs } from "../model/time.ts";
import { compareKeys } from "../model/trade-record.ts";

/** One trade record of the bot in lots. */
export type TradeFact = {
  readonly at: EpochMs;
  readonly tradeId: string;
  readonly side: OrderSide;
  readonly positionSide: PositionSide;
  readonly lots: number;
  readonly price: number;
  readonly intentId: number;
  /** one wish of the strategy, whatever intents it took */
  readonly wish: string;
};

/** What is held. `openedWith` is the index of the record that opened it, the number of records when flat. */
export type HeldPosition = {
  readonly sign: Sign;
  readonly lots: number;
  readonly average: number;
  readonly openedWith: number;
  /** reduced beyond what was held, or held on the other side as well: records are missing */
  readonly unexplainedLots: number;
};

type Leg = { sign: Sign; lots: number; qty: number; average: number; from: number; excess: number };

const keyOf = ({ at, tradeId, side }: Pick<TradeFact, "at" | "tradeId" | "side">) =>
  ({ at, rank: 0, id: tradeId, side }) as const;

/** The order in which records count. */
export function compareFacts(
  a: Pick<TradeFact, "at" | "tradeId" | "side">,
  b: Pick<TradeFact, "at" | "tradeId" | "side">,
): number {
  return compareKeys(keyOf(a), keyOf(b));
}

function expand(leg: Leg, fact: TradeFact, index: number, lots: Grid): void {
  const qty = gridValue(lots, fact.lots);
  if (leg.lots === 0) leg.from = index;
  const worth = leg.average * leg.qty + fact.price * qty;
  leg.average = leg.lots === 0 ? fact.price : worth / (leg.qty + qty);
  leg.lots += fact.lots;
  leg.qty = gridValue(lots, leg.lots);
}

function reduce(leg: Leg, fact: TradeFact, lots: Grid): void {
  const taken = Math.min(leg.lots, fact.lots);
  leg.excess += fact.lots - taken;
  leg.lots -= taken;
  leg.qty = gridValue(lots, leg.lots);
  if (leg.lots === 0) leg.average = 0;
}

/** What follows from the records, oldest first. */
export function heldBy(facts: readonly TradeFact[], lots: Grid): HeldPosition {
  const leg = (sign: Sign): Leg => ({ sign, lots: 0, qty: 0, average: 0, from: 0, excess: 0 });
  const long = leg(1);
  const short = leg(-1);
  facts.forEach((fact, index) => {
    const isLong = fact.positionSide === "long";
    const own = isLong ? long : short;
    if ((fact.side === "buy") === isLong) expand(own, fact, index, lots);
    else reduce(own, fact, lots);
  });
  const [held, other] = short.lots > long.lots ? [short, long] : [long, short];
  return {
    sign: held.lots === 0 ? 0 : held.sign,
    lots: held.lots,
    average: held.average,
    openedWith: held.lots === 0 ? facts.length : held.from,
    unexplainedLots: other.lots + long.excess + short.excess,
  };
}

/** What was executed of a wish since a record, and the average price; zeros for nothing. */
export function executedOf(
  facts: readonly TradeFact[],
  from: number,
  wish: string,
): { readonly lots: number; readonly price: number } {
  let lots = 0;
  let price = 0;
  for (let index = from; index < facts.length; index++) {
    const fact = facts[index];
    if (fact?.wish !== wish) continue;
    price = lots === 0 ? fact.price : (price * lots + fact.price * fact.lots) / (lots + fact.lots);
    lots += fact.lots;
  }
  return { lots, price };
}
