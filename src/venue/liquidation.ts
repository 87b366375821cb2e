// Takes over accounts whose equity no longer covers the maintenance margin. Called after every change
// of a mark price or a position; also does the exchange's own interventions (liquidation, ADL).
import { type Account, legSides } from "./account.ts";
import { marginFigures } from "./margin.ts";
import { fill, finish } from "./matching.ts";
import type { Draft } from "./order-rules.ts";
import { opposite, type Side } from "./order.ts";
import type { Leg } from "./position.ts";
import { credit, type Exchange, marketFor, record } from "./state.ts";
import { houseOrder, openOrder } from "./trading.ts";

/** Liquidates every account that is under water. @returns true when one was */
export function tendLiquidations(x: Exchange): boolean {
  let hasActed = false;
  for (const account of x.accounts.values()) {
    const { equity, maintenance } = marginFigures(x, account);
    if (maintenance === 0n || equity > maintenance) continue;
    liquidate(x, account);
    hasActed = true;
  }
  return hasActed;
}

/** Cancels all orders, closes all positions at the mark price; the insurance fund pays what is missing. */
export function liquidate(x: Exchange, account: Account): void {
  record(x, "liquidation", { account: account.name, wallet: account.wallet.toString() });
  for (const order of [...account.open]) {
    finish(x, marketFor(x, order.instrument), order, "CANCELLED", "liquidation");
  }
  for (const leg of account.legs.values()) closeByExchange(x, account, leg, "liquidation");
  if (account.wallet >= 0n) return;
  x.insurance += account.wallet;
  credit(x, account, -account.wallet);
}

/** The exchange closes (part of) a leg against the house at the mark price. */
export function closeByExchange(
  x: Exchange,
  account: Account,
  leg: Leg,
  tag: string,
  lotsMax = Number.POSITIVE_INFINITY,
): void {
  const lots = Math.min(Math.abs(leg.lots), lotsMax);
  if (lots === 0) return;
  const side: Side = leg.lots > 0 ? "SELL" : "BUY";
  const ticks = marketFor(x, leg.instrument).markTicks;
  tradeByExchange(x, account, { leg, side, lots, ticks, tag, isClosing: true });
}

/** A trade of an account that its client did not send, at a price, against the house. */
export function tradeByExchange(
  x: Exchange,
  account: Account,
  trade: {
    readonly leg: Leg;
    readonly side: Side;
    readonly lots: number;
    readonly ticks: number;
    readonly tag: string;
    readonly isClosing: boolean;
  },
): void {
  const market = marketFor(x, trade.leg.instrument);
  const draft: Draft = {
    market,
    side: trade.side,
    type: "MARKET",
    positionSide: trade.leg.side,
    clientOrderId: "0",
    tag: trade.tag,
    ticks: null,
    lots: trade.lots,
    amount: null,
    displayLots: null,
    reduceOnly: trade.isClosing,
    isClosing: trade.isClosing,
    isAdjusted: false,
    bidAskLevel: null,
  };
  const taker = openOrder(x, account, draft, null);
  const { ticks, lots } = trade;
  const maker = houseOrder(x, market, { side: opposite(trade.side), ticks, lots });
  fill(x, market, { maker, taker, ticks, lots });
}

/** The legs an account has under its mode, also empty ones. */
export function openLegs(account: Account): Leg[] {
  const sides = legSides(account.mode);
  return [...account.legs.values()].filter((leg) => leg.lots !== 0 && sides.includes(leg.side));
}
