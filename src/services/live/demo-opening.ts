// What a demo account holds, as its rows tell it, for the exchange inside the product: it keeps nothing itself,
// and what is not in the rows never happened. Called when a worker takes over a demo account.
import { isFinal } from "../../execution/order-machine.ts";
import { averageEntry } from "../../model/leg-position.ts";
import { add, type Decimal, decimal, subtract } from "../../model/decimal.ts";
import type { EpochMs } from "../../model/time.ts";
import type { Scope } from "../../ports/access-store.ts";
import type { PositionMode } from "../../ports/broker.ts";
import type {
  DemoAccount,
  DemoIds,
  DemoOrder,
  DemoPosition,
  DemoTrigger,
} from "../../ports/demo-venue.ts";
import type {
  LeaseGuard,
  StoredIntent,
  SymbolHolding,
  TradingStore,
} from "../../ports/trading-store.ts";

/** What every demo and paper account is given at its first start, in its settle asset. */
export const OPENING_DEPOSIT = decimal("10000");
const DEPOSIT_REF = "opening-deposit";
const SETTLE_ASSET = "USDT";
/** Ids of the demo exchange count from here, one a millisecond: faster than it ever gives them out. */
const IDS_SINCE = Date.UTC(2020, 0, 1);

/** Gives an account its first money, once. @param at when the account was made: always the same */
export async function giveOpeningDeposit(
  store: Pick<TradingStore, "recordTransfer">,
  scope: Scope,
  guard: LeaseGuard,
  at: EpochMs,
): Promise<void> {
  const amount = OPENING_DEPOSIT;
  const transfer = { ref: DEPOSIT_REF, amount, asset: SETTLE_ASSET, settleAmount: amount, at };
  const given = await store.recordTransfer(scope, guard, transfer);
  if (!given.ok) throw new Error(given.detail);
}

/** The account as the demo exchange is to open it. */
export async function demoAccount(
  store: TradingStore,
  scope: Scope,
  { accountId, token }: LeaseGuard,
  mode: PositionMode,
): Promise<DemoAccount> {
  const totals = await store.totals(scope, accountId, { sinceAt: 0, owner: null });
  const alive = await store.aliveIntents(scope, accountId);
  const resting = alive.filter((intent) => intent.exchangeOrderId !== null);
  const holdings = await store.holdings(scope, accountId);
  return {
    name: `account-${accountId}-${token}`,
    keys: null,
    mode,
    balance: add(totals.transfers, totals.net),
    feesPaid: subtract("0" as Decimal, totals.fees),
    fundingReceived: totals.funding,
    positions: holdings.flatMap((holding) => positionOf(holding) ?? []),
    orders: resting.flatMap((intent) => orderOf(intent) ?? []),
    triggers: resting.flatMap((intent) => triggerOf(intent) ?? []),
    leverages: [],
  };
}

/** Ids above all that the demo exchange ever gave out. */
export function demoIdsAbove(now: EpochMs): DemoIds {
  const above = now - IDS_SINCE;
  return { order: above, trade: above, trigger: above, funding: above };
}

function positionOf({ holder, symbol, position }: SymbolHolding): DemoPosition | null {
  const averagePrice = averageEntry(position);
  const { positionSide, qty } = position;
  if (holder !== "account" || positionSide === null || averagePrice === null) return null;
  return { symbol, positionSide, qty, averagePrice };
}

function commonOf(intent: StoredIntent) {
  const { exchangeOrderId, clientOrderId, symbol, side, leg, qty, isReduceOnly } = intent;
  if (exchangeOrderId === null || isFinal(intent.status)) return null;
  return {
    ...{ exchangeOrderId, clientOrderId, symbol, side, qty, isReduceOnly },
    positionSide: leg === "net" ? null : leg,
    createdAt: intent.sentAt ?? intent.decidedAt,
  };
}

function orderOf(intent: StoredIntent): DemoOrder | null {
  const common = commonOf(intent);
  const { terms, filledQty } = intent;
  if (common === null || (terms.kind !== "limit" && terms.kind !== "post_only")) return null;
  return { ...common, price: terms.price, filledQty, isPostOnly: terms.kind === "post_only" };
}

function triggerOf(intent: StoredIntent): DemoTrigger | null {
  const common = commonOf(intent);
  const { terms } = intent;
  if (common === null || terms.kind !== "trigger") return null;
  const { triggerPrice, direction, price } = terms;
  return { ...common, triggerPrice, direction, price };
}
