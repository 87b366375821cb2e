// Whether an order found under one of our client ids can be the one we sent. Pure; asked before an
// answer is believed where an exchange lets ids be used again.
import { compare, type Decimal } from "../model/decimal.ts";
import type { OrderSide, PositionSide } from "../model/order.ts";
import type { EpochMs } from "../model/time.ts";
import type { Leg } from "../model/trade-record.ts";

/** What we sent. */
export type SentOrder = {
  readonly symbol: string;
  readonly side: OrderSide;
  readonly leg: Leg;
  readonly qty: Decimal;
  readonly isReduceOnly: boolean;
  readonly sentAt: EpochMs | null;
};

/** What the exchange shows. */
export type FoundOrder = {
  readonly symbol: string;
  readonly side: OrderSide;
  readonly positionSide: PositionSide | null;
  readonly qty: Decimal | null;
  readonly createdAt: EpochMs | null;
};

/** Two clocks, one of them set wrong, are believed to differ by less. */
const CLOCKS_APART_MS = 6 * 3_600_000;

/**
 * False when symbol, side, leg, quantity or age prove that somebody else placed it. An exchange may
 * have made a reduce-only order smaller; it never makes one larger.
 */
export function isOwnReport(sent: SentOrder, found: FoundOrder): boolean {
  if (found.symbol !== sent.symbol || found.side !== sent.side) return false;
  const isOtherLeg =
    sent.leg !== "net" && found.positionSide !== null && found.positionSide !== sent.leg;
  if (isOtherLeg) return false;
  if (found.qty !== null) {
    const order = compare(found.qty, sent.qty);
    if (order > 0 || (order < 0 && !sent.isReduceOnly)) return false;
  }
  if (found.createdAt === null || sent.sentAt === null) return true;
  return found.createdAt >= sent.sentAt - CLOCKS_APART_MS;
}
