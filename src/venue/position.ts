// The position of one account in one contract, one leg per position side. Entry cost is kept as money,
// so realised plus unrealised profit is exact whatever the average entry rounds to.
import { type Money, unitsText } from "./decimal.ts";
import { type Instrument, notional } from "./instrument.ts";
import type { LegSide } from "./order.ts";

/** What a leg held at an instant, for lagging readers. */
export type LegView = { readonly at: number; readonly lots: number; readonly cost: Money };

/** One leg; `lots` is signed also for a SHORT leg. */
export type Leg = {
  readonly instrument: Instrument;
  readonly side: LegSide;
  lots: number;
  /** Signed entry value: lots times average entry price. */
  cost: Money;
  openedAt: number;
  version: number;
  /** Profit and fee of the last day, oldest first. */
  readonly day: { at: number; pnl: Money; fee: Money }[];
  readonly views: LegView[];
};

const DAY_MS = 86_400_000;
/** Views of a leg that are kept for lagging readers. */
const VIEWS_MAX = 500;

/** An empty leg. */
export function createLeg(instrument: Instrument, side: LegSide): Leg {
  return { instrument, side, lots: 0, cost: 0n, openedAt: 0, version: 0, day: [], views: [] };
}

/**
 * Adds signed lots at a price; what goes beyond flat opens the other way.
 * @returns profit realised by the closing part, null when nothing was closed
 */
export function applyToLeg(leg: Leg, lots: number, ticks: number, at: number): Money | null {
  const { instrument } = leg;
  const isClosing = leg.lots !== 0 && leg.lots > 0 !== lots > 0;
  let realized: Money | null = null;
  let opening = lots;
  if (isClosing) {
    const closed = Math.min(Math.abs(lots), Math.abs(leg.lots));
    const signed = leg.lots > 0 ? closed : -closed;
    const entry = (leg.cost * BigInt(closed)) / BigInt(Math.abs(leg.lots));
    realized = notional(instrument, ticks, signed) - entry;
    leg.lots -= signed;
    leg.cost -= entry;
    opening = lots + signed;
  }
  if (opening !== 0) {
    if (leg.lots === 0) leg.openedAt = at;
    leg.lots += opening;
    leg.cost += notional(instrument, ticks, opening);
  }
  rememberLeg(leg, at);
  return realized;
}

/** Keeps what the leg holds now. */
export function rememberLeg(leg: Leg, at: number): void {
  leg.version++;
  const view = { at, lots: leg.lots, cost: leg.cost };
  const last = leg.views.at(-1);
  if (last && last.at === at) leg.views[leg.views.length - 1] = view;
  else leg.views.push(view);
  if (leg.views.length > 2 * VIEWS_MAX) leg.views.splice(0, VIEWS_MAX);
}

/** What the leg held at an instant; null when it had never been touched. */
export function legAt(leg: Leg, at: number): LegView | null {
  return leg.views.findLast((view) => view.at <= at) ?? null;
}

/** Books profit and fee into the figures of the last day. */
export function addToDay(leg: Leg, at: number, pnl: Money, fee: Money): void {
  leg.day.push({ at, pnl, fee });
  while (leg.day[0] && leg.day[0].at <= at - DAY_MS) leg.day.shift();
}

/** Profit and fees of the last day. */
export function dayFigures(leg: Leg, at: number): { pnl: Money; fee: Money } {
  let pnl = 0n;
  let fee = 0n;
  for (const entry of leg.day) {
    if (entry.at <= at - DAY_MS) continue;
    pnl += entry.pnl;
    fee += entry.fee;
  }
  return { pnl, fee };
}

/** Profit that closing at `ticks` would realise. */
export function unrealized(leg: Leg, ticks: number): Money {
  return notional(leg.instrument, ticks, leg.lots) - leg.cost;
}

/** Average entry price as text with four decimals more than the tick; "0" when flat. */
export function averagePrice(instrument: Instrument, view: { lots: number; cost: Money }): string {
  return pricePerLot(instrument, view.cost, view.lots);
}

/** A value over a quantity as a price text, halves away from zero; "0" for no quantity. */
export function pricePerLot(instrument: Instrument, value: Money, lots: number): string {
  if (lots === 0) return "0";
  const decimals = instrument.price.decimals + 4;
  const scale = 10n ** 4n * instrument.price.units;
  const divisor = BigInt(Math.abs(lots)) * instrument.tickLot;
  const numerator = (value < 0n ? -value : value) * scale;
  return unitsText((2n * numerator + divisor) / (2n * divisor), decimals);
}
