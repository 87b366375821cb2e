// Positions at the exchange against ours, and ours against the sum of the owners. Called by reconcile.ts.
// A difference is reported at the second look in a row, after trades were asked for at the first.
import { add, compare, type Decimal, multiply, subtract } from "../model/decimal.ts";
import type { Leg } from "../model/trade-record.ts";
import type { AccountView, Draft, SeenPosition } from "./reconcile-view.ts";

const ZERO = "0" as Decimal;
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
  const accounts = new Map<string, Decimal>();
  const owners = new Map<string, Decimal>();
  for (const { symbol, leg, holder, signedQty } of view.held) {
    const sums = holder === "account" ? accounts : owners;
    sums.set(legKey(symbol, leg), add(sums.get(legKey(symbol, leg)) ?? ZERO, signedQty));
  }
  const drifts: Record<string, number> = {};
  for (const key of new Set([...theirs.keys(), ...accounts.keys(), ...owners.keys()])) {
    const ours = accounts.get(key) ?? ZERO;
    const pairs = [
      ["exchange", ours, theirs.get(key) ?? ZERO],
      ["owners", owners.get(key) ?? ZERO, ours],
    ] as const;
    for (const [between, mine, other] of pairs) {
      noteDrift(view, draft, drifts, { key, between, ours: mine, theirs: other });
    }
  }
  draft.drifts = drifts;
}

type Drift = {
  readonly key: string;
  readonly between: "exchange" | "owners";
  readonly ours: Decimal;
  readonly theirs: Decimal;
};

function noteDrift(
  view: AccountView,
  draft: Draft,
  drifts: Record<string, number>,
  { key, between, ours, theirs }: Drift,
): void {
  const { symbol, leg } = legOf(key);
  const step = view.qtySteps.get(symbol);
  const name = `${between} ${key}`;
  if (step === undefined) {
    // Not checked: what was known about it stays.
    const known = draft.drifts[name];
    if (known !== undefined) drifts[name] = known;
    return;
  }
  const tolerated = larger(step, multiply(magnitude(theirs), DRIFT_RATIO));
  if (compare(magnitude(subtract(ours, theirs)), tolerated) <= 0) return;
  const looks = (draft.drifts[name] ?? 0) + 1;
  drifts[name] = Math.min(looks, DRIFT_LOOKS + 1);
  if (looks === 1) draft.inquiries.push({ kind: "trades", symbol, sinceAt: null });
  if (looks === DRIFT_LOOKS) {
    draft.findings.push({ kind: "position_drift", between, symbol, leg, ours, theirs });
  }
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
