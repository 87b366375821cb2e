// What closing everything came to: one row per holding, and one sentence for the event and the page. Pure; used by
// flatten.ts alone. A rest below the smallest order is told and counts as closed.
import { add, compare, type Decimal, subtract } from "../../model/decimal.ts";
import type { PositionSide } from "../../model/order.ts";
import type { StoredIntent } from "../../ports/trading-store.ts";
import { type BotHolding, type FlattenLook, holdingKey, isClose } from "./flatten-look.ts";

/** One holding and what became of it. */
export type FlattenRow = {
  readonly symbol: string;
  readonly owner: string;
  readonly side: PositionSide;
  readonly beforeQty: Decimal;
  readonly closedQty: Decimal;
  readonly remainingQty: Decimal;
  readonly sentence: string;
};

/** What came of it. */
export type FlattenReport = {
  /** Nothing is held but dust, no order can open anything any more, and every record was read. */
  readonly isDone: boolean;
  readonly sentence: string;
  readonly rows: readonly FlattenRow[];
};

/** What the report is made from. */
export type FlattenFacts = {
  readonly before: readonly BotHolding[];
  readonly look: FlattenLook;
  /** The closing orders with what was executed of them. */
  readonly placed: readonly StoredIntent[];
  readonly refusals: ReadonlyMap<string, string>;
  /** Why it ended before its time; null when it did not. */
  readonly end: string | null;
  readonly isDust: (holding: BotHolding) => boolean;
};

const ZERO = "0" as Decimal;

/** Orders that may still open or enlarge something, or that are not proven gone. */
export function working({ unsettled }: FlattenLook): readonly StoredIntent[] {
  // A closing order nobody is sure of can only make a position smaller that is not there any more.
  return unsettled.filter((intent) => !isClose(intent) || intent.status !== "unverified");
}

/** Whether it is over: proven by the records, dust apart. */
export function isFlat(look: FlattenLook, isDust: FlattenFacts["isDust"]): boolean {
  return look.isSynced && working(look).length === 0 && look.holdings.every(isDust);
}

/** Puts it into rows and words. */
export function reportOf(facts: FlattenFacts): FlattenReport {
  const { look, isDust, end } = facts;
  const rows = facts.before.map((holding) => rowOf(facts, holding));
  const isDone = isFlat(look, isDust);
  const dust = look.holdings.filter(isDust);
  const left = look.holdings.filter((holding) => !isDust(holding));
  const alive = working(look).length;
  const parts = [
    ...(end === null ? [] : [`${end}.`]),
    ...(isDone ? ["Nothing is held and nothing works any more."] : []),
    ...(alive === 0
      ? []
      : [`${alive} ${alive === 1 ? "order is" : "orders are"} not proven gone.`]),
    ...(left.length === 0 ? [] : [`Still held: ${listOf(left)}.`]),
    ...(dust.length === 0 ? [] : [`Too small to be closed by an order: ${listOf(dust)}.`]),
    ...(look.isSynced ? [] : ["Not every trade record could be read."]),
  ];
  return { isDone, sentence: parts.join(" "), rows };
}

function listOf(holdings: readonly BotHolding[]): string {
  return holdings.map(({ qty, symbol, side }) => `${qty} ${symbol} ${side}`).join(", ");
}

function rowOf(facts: FlattenFacts, holding: BotHolding): FlattenRow {
  const { look, placed, refusals, isDust } = facts;
  const { symbol, owner, side } = holding;
  const key = holdingKey(holding);
  const left = look.holdings.find((each) => holdingKey(each) === key);
  const remainingQty = left?.qty ?? ZERO;
  const closedQty = placed
    .filter((intent) => holdingKey({ ...intent, side: intent.positionSide, owner }) === key)
    .filter((intent) => intent.owner === owner)
    .reduce((sum, { filledQty }) => add(sum, filledQty), ZERO);
  const refusal = refusals.get(key);
  const sentence =
    left === undefined
      ? "closed"
      : isDust(left)
        ? `${remainingQty} is below the smallest order and stays`
        : `${remainingQty} is still open${refusal === undefined ? "" : `: ${refusal}`}`;
  const beforeQty = most(holding.qty, add(closedQty, remainingQty));
  return { symbol, owner, side, beforeQty, closedQty, remainingQty, sentence };
}

function most(a: Decimal, b: Decimal): Decimal {
  return compare(subtract(a, b), ZERO) >= 0 ? a : b;
}
