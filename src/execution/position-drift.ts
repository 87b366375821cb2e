// Positions at the exchange against ours, and ours against the sum of the owners. Called by reconcile.ts.
// A difference is reported at the second look in a row, after trades were asked for at the first.
import { add, compare, type Decimal, multiply, subtract } from "../model/decimal.ts";
import type { Leg, Owner } from "../model/trade-record.ts";
import {
  type AccountView,
  type Draft,
  driftKey,
  driftOf,
  type SeenPosition,
} from "./reconcile-view.ts";

const ZERO = "0" as Decimal;
const NOBODY: HeldSum = { account: ZERO, owners: ZERO };
/** Differences up to this part of the position are rounding. */
const DRIFT_RATIO = "0.001" as Decimal;
const DRIFT_LOOKS = 2;

/** A position kept in another mode than ours is shown once, until it is gone. */
export function compareMode(view: AccountView, seen: readonly SeenPosition[], draft: Draft): void {
  const [first] = seen;
  if (!first) return;
  const other = seen.find(({ mode }) => mode !== view.mode);
  if (other && !draft.isModeReported) {
    draft.findings.push({ kind: "position_mode_changed", mode: other.mode });
  }
  draft.isModeReported = other !== undefined;
}

/**
 * What strangers took from what owners hold, from the trade records that belong to nobody: on a net
 * position what they hold against the owners, on a hedge leg what they closed without having it.
 * The first look only takes notice: it may have been told before a restart.
 */
export function compareStrangers(view: AccountView, draft: Draft): void {
  const sums = heldSums(view);
  const known = draft.taken;
  const taken: Record<string, Decimal> = {};
  for (const { holder, symbol, leg, signedQty, unmatchedQty } of view.held) {
    if (holder !== "foreign") continue;
    const key = legKey(symbol, leg);
    if (!view.qtySteps.has(symbol)) {
      // Not checked: an order in doubt may still turn out to be its owner's.
      const before = known?.[key];
      if (before !== undefined) taken[key] = before;
      continue;
    }
    const { owners } = sums.get(key) ?? NOBODY;
    const against = leg === "net" ? opposed(signedQty, owners) : unmatchedQty;
    if (compare(against, ZERO) <= 0) continue;
    taken[key] = against;
    const qty = subtract(against, known?.[key] ?? ZERO);
    if (known === null || compare(qty, ZERO) <= 0) continue;
    const affected = affectedBy(view, symbol, leg);
    draft.findings.push({ kind: "taken_away", symbol, leg, qty, affected });
  }
  draft.taken = taken;
}

/** The part of `mine` that stands against `others`; 0 when both point the same way. */
function opposed(mine: Decimal, others: Decimal): Decimal {
  if (compare(mine, ZERO) === compare(others, ZERO)) return ZERO;
  return smaller(magnitude(mine), magnitude(others));
}

/** What the exchange holds, what we hold and what owners hold must be one figure on every leg. */
export function comparePositions(
  view: AccountView,
  seen: readonly SeenPosition[],
  draft: Draft,
): void {
  const theirs = new Map<string, Decimal>();
  for (const { symbol, mode, positionSide, qty } of seen) {
    const leg: Leg = mode === "hedge" ? positionSide : "net";
    const signed = positionSide === "short" ? subtract(ZERO, qty) : qty;
    theirs.set(legKey(symbol, leg), add(theirs.get(legKey(symbol, leg)) ?? ZERO, signed));
  }
  const sums = heldSums(view);
  const drifts: Record<string, number> = {};
  for (const key of new Set([...theirs.keys(), ...sums.keys(), ...legsOf(draft)])) {
    const { account, owners } = sums.get(key) ?? NOBODY;
    const pairs = [
      ["exchange", account, theirs.get(key) ?? ZERO],
      ["owners", owners, account],
    ] as const;
    for (const [between, mine, other] of pairs) {
      noteDrift(view, draft, drifts, { ...legOf(key), between, ours: mine, theirs: other });
    }
  }
  draft.drifts = drifts;
}

/** What the account and its owners hold on a leg; strangers are no owners. */
type HeldSum = { readonly account: Decimal; readonly owners: Decimal };

function heldSums({ held }: AccountView): Map<string, HeldSum> {
  const sums = new Map<string, HeldSum>();
  for (const { symbol, leg, holder, signedQty } of held) {
    const key = legKey(symbol, leg);
    const { account, owners } = sums.get(key) ?? NOBODY;
    if (holder === "account") sums.set(key, { account: add(account, signedQty), owners });
    else if (holder === "foreign") sums.set(key, { account, owners });
    else sums.set(key, { account, owners: add(owners, signedQty) });
  }
  return sums;
}

type Drift = {
  readonly symbol: string;
  readonly leg: Leg;
  readonly between: "exchange" | "owners";
  readonly ours: Decimal;
  readonly theirs: Decimal;
};

function noteDrift(
  view: AccountView,
  draft: Draft,
  drifts: Record<string, number>,
  { symbol, leg, between, ours, theirs }: Drift,
): void {
  const step = view.qtySteps.get(symbol);
  const name = driftKey(between, symbol, leg);
  const known = draft.drifts[name] ?? 0;
  if (step === undefined) {
    // Not checked: what was known about it stays.
    if (known > 0) drifts[name] = known;
    return;
  }
  const tolerated = larger(step, multiply(magnitude(theirs), DRIFT_RATIO));
  if (compare(magnitude(subtract(ours, theirs)), tolerated) <= 0) {
    if (known >= DRIFT_LOOKS) {
      draft.findings.push({ kind: "position_drift_solved", between, symbol, leg });
    }
    return;
  }
  const looks = Math.min(known + 1, DRIFT_LOOKS + 1);
  drifts[name] = looks;
  if (looks <= DRIFT_LOOKS) draft.inquiries.push({ kind: "trades", symbol, sinceAt: null });
  if (looks !== DRIFT_LOOKS) return;
  const affected = affectedBy(view, symbol, leg);
  draft.findings.push({ kind: "position_drift", between, symbol, leg, ours, theirs, affected });
}

/** Owners who hold something on the leg. */
function affectedBy({ held }: AccountView, symbol: string, leg: Leg): Owner[] {
  return held.flatMap(({ holder, signedQty, ...where }) => {
    const isThere = where.symbol === symbol && where.leg === leg && compare(signedQty, ZERO) !== 0;
    return isThere && holder !== "account" && holder !== "foreign" ? [holder] : [];
  });
}

function legsOf({ drifts }: Draft): string[] {
  return Object.keys(drifts).map((name) => {
    const { symbol, leg } = driftOf(name);
    return legKey(symbol, leg);
  });
}

function legKey(symbol: string, leg: Leg): string {
  return `${leg} ${symbol}`;
}

function legOf(key: string): { readonly symbol: string; readonly leg: Leg } {
  const [leg, ...symbol] = key.split(" ");
  return { leg: leg as Leg, symbol: symbol.join(" ") };
}

function magnitude(value: Decimal): Decimal {
  return compare(value, ZERO) < 0 ? subtract(ZERO, value) : value;
}

function larger(a: Decimal, b: Decimal): Decimal {
  return compare(a, b) >= 0 ? a : b;
}

function smaller(a: Decimal, b: Decimal): Decimal {
  return compare(a, b) <= 0 ? a : b;
}
