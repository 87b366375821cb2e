// The ways an order meant to rest looks for its place: a level of its own side of the book, then post-only
// at the best price, then, where the bot allows it, a plain limit. Used by the order dispatcher; it
// decides the ways and their prices, it never sends.
import {
  atPrice,
  atQueueLevel,
  type ExactOrder,
  type OrderSituation,
} from "../../execution/exact-order.ts";
import { compare, type Decimal, decimal, multiply } from "../../model/decimal.ts";
import type { RefusalReason, TopOfBook } from "../../ports/broker.ts";
import type { StoredIntent } from "../../ports/trading-store.ts";
import type { LiveDeps, PlaceOrder } from "./live-types.ts";
import { askFor, tellReport } from "./order-news.ts";
import type { Closed } from "./order-sending.ts";

/** One way of resting; `take` may take as well. */
export type MakerWay = "queue" | "top" | "take";

/** The order of a way, or why there is none. */
export type WayOrder = { readonly exact: ExactOrder } | { readonly withheld: Closed };

/** An entry whose price is within this of the market's is meant to execute now. */
const NEAR = { buy: decimal("0.998"), sell: decimal("1.002") } as const;
/** An order that would take is ended by the exchange a moment after it was accepted. */
const LOOK_AFTER_MS = 150;

/** Refusals after which the next way is tried; an order that is not found is a level that is not there. */
const NEXT_WAY: ReadonlySet<RefusalReason> = new Set<RefusalReason>([
  "WOULD_TAKE",
  "NOT_SUPPORTED",
  "ORDER_NOT_FOUND",
]);

/** Whether a refusal means that this way of resting is not open. */
export function isNoWay(refusal: RefusalReason | null): boolean {
  return refusal !== null && NEXT_WAY.has(refusal);
}

/** The ways to try, in order; none for an order that is placed as it was decided. */
export function waysOf(deps: Pick<LiveDeps, "broker">, order: PlaceOrder): readonly MakerWay[] {
  const { maker } = order.market;
  if (!isAtMarket(order)) return [];
  const hasLevels = maker.queueLevel !== null && deps.broker.capabilities.queueLevels;
  const ways: MakerWay[] = hasLevels ? ["queue", "top"] : ["top"];
  return maker.mayTake ? [...ways, "take"] : ways;
}

/** Entries about to execute and take-profits the price has reached; all others wait at their price. */
function isAtMarket({ approved, market, referencePrice }: PlaceOrder): boolean {
  const { kind, purpose, side, priceTicks } = approved.target;
  if (kind !== "post_only" || (purpose !== "entry" && purpose !== "take_profit")) return false;
  if (referencePrice === null) return purpose === "entry";
  const price = multiply(decimal(priceTicks), market.rules.priceTick);
  const bound = purpose === "entry" ? multiply(referencePrice, NEAR[side]) : referencePrice;
  return compare(price, bound) * (side === "buy" ? 1 : -1) >= 0;
}

/** The order for a way. The price of the book is read anew for each. */
export async function wayOrder(
  deps: Pick<LiveDeps, "broker" | "log">,
  order: PlaceOrder,
  exact: ExactOrder,
  way: MakerWay,
): Promise<WayOrder> {
  const { maker } = order.market;
  if (way === "queue" && maker.queueLevel !== null) {
    return { exact: atQueueLevel(exact, maker.queueLevel) };
  }
  const top = await readTop(deps, exact.symbol);
  if (top === null) {
    const sentence = `the book of ${exact.symbol} could not be read`;
    return { withheld: { reason: "NO_BOOK", sentence } };
  }
  const price = restingPrice(order, exact, top);
  const situation: Pick<OrderSituation, "rules" | "referencePrice"> = {
    rules: order.market.rules,
    referencePrice: order.referencePrice,
  };
  const mayAdjust = deps.broker.capabilities.postOnlyAdjust;
  const terms =
    way === "take"
      ? ({ kind: "limit", price } as const)
      : ({ kind: "post_only", price, mayAdjust } as const);
  const made = atPrice(exact, terms, situation);
  if (made.ok) return { exact: made.value };
  return { withheld: { reason: "RULES", sentence: made.detail } };
}

/** The best price of the own side; a take-profit is never worth less than it was decided at. */
function restingPrice(
  { approved, market }: PlaceOrder,
  exact: ExactOrder,
  top: TopOfBook,
): Decimal {
  const best = exact.side === "buy" ? top.bid : top.ask;
  if (exact.purpose !== "take_profit") return best;
  const target = multiply(decimal(approved.target.priceTicks), market.rules.priceTick);
  const isWorse = compare(best, target) === (exact.side === "buy" ? 1 : -1);
  return isWorse ? target : best;
}

/** Null when it was not answered or its sides cross. */
async function readTop(
  { broker, log }: Pick<LiveDeps, "broker" | "log">,
  symbol: string,
): Promise<TopOfBook | null> {
  try {
    const top = await broker.topOfBook(symbol, { signal: new AbortController().signal });
    return compare(top.bid, top.ask) < 0 ? top : null;
  } catch (error) {
    log.warn(`the book of ${symbol} could not be read: ${String(error)}`);
    return null;
  }
}

/**
 * The row of an order that was accepted, after a look whether the exchange ended it at once because it
 * would have taken. A look that fails leaves it to the reconciler.
 */
export async function lookedAt(deps: LiveDeps, intent: StoredIntent): Promise<StoredIntent> {
  await deps.clock.sleep(LOOK_AFTER_MS);
  try {
    const report = await askFor(deps, intent, { signal: new AbortController().signal });
    return report === null ? intent : await tellReport(deps, intent, report);
  } catch (error) {
    const { clientOrderId } = intent;
    deps.log.warn(`an order just placed could not be asked about: ${String(error)}`, {
      clientOrderId,
    });
    return intent;
  }
}

/** Whether the exchange ended the order before any of it was executed. */
export function wasTurnedAway({ status, filledQty, reportedFilledQty }: StoredIntent): boolean {
  const isEnded = status === "cancelled" || status === "refused" || status === "expired";
  return isEnded && Number(filledQty) === 0 && Number(reportedFilledQty ?? 0) === 0;
}
