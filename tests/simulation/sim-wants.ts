// What the trader of a simulation wants from one look at its rows: drawn by chance, or read from a script.
// Called by sim-trader.ts; it fills a plan and sends nothing.
import { compare, decimal, multiply, subtract } from "../../src/model/decimal.ts";
import type { OrderKind, OrderPurpose, PositionSide, TargetOrder } from "../../src/model/order.ts";
import type { OrderRules } from "../../src/model/order-rules.ts";
import type { StoredIntent, SymbolHolding } from "../../src/ports/trading-store.ts";
import { between, type Random } from "../../src/venue/random.ts";
import { pick, type Want } from "./schedule.ts";

/** What a look makes of the world, in a plan to be filled. */
export type Mind = {
  readonly symbol: string;
  readonly rules: OrderRules;
  readonly random: Random;
  /** The last price in ticks. */
  readonly lastTicks: number;
  readonly now: number;
  /** Orders of the bot that are not final. */
  readonly own: readonly StoredIntent[];
  readonly held: SymbolHolding | null;
  readonly mayEnter: boolean;
  /** Decisions made before. */
  readonly decisions: number;
  readonly plan: Plan;
};

/** What is wanted. */
export type Plan = {
  readonly cancel: StoredIntent[];
  readonly place: TargetOrder[];
  readonly park: TargetOrder[];
  readonly send: StoredIntent[];
};

const OPENING: ReadonlySet<OrderPurpose> = new Set<OrderPurpose>(["entry", "rung"]);
const LOT_CHOICES: Readonly<Record<string, readonly number[]>> = {
  PERP_BTC_USDT: [20, 55, 130],
  PERP_ETH_USDT: [30, 110, 400],
};
/** What a script sends when it opens. */
const SCRIPT_LOTS = 20;

/** Orders whose fate is known well enough to be taken back. */
export function isKnown({ status }: StoredIntent): boolean {
  return ["open", "partly_filled", "parked", "planned"].includes(status);
}

/** Wants an entry, or not any more. */
export function wantWhenFlat(mind: Mind): void {
  const { own, mayEnter } = mind;
  takeBack(
    mind,
    own.filter(({ targetKey }) => targetKey !== "entry"),
  );
  const there = slotOf(mind, "entry");
  if (there.length === 0) {
    if (mayEnter && chance(mind, 0.6)) enter(mind);
    return;
  }
  const isTired = !mayEnter || chance(mind, 0.2);
  if (isTired) takeBack(mind, there);
  else if (chance(mind, 0.2) && clear(mind, "entry")) enter(mind);
}

/** Keeps stop and take-profit for what is held, adds rungs, gets out now and then. */
export function wantWhenHolding(mind: Mind): void {
  const { own, mayEnter } = mind;
  if (!mayEnter) {
    takeBack(
      mind,
      own.filter(({ purpose }) => OPENING.has(purpose)),
    );
  }
  keep(mind, "stop", { share: 1, whim: 0.03 });
  if (chance(mind, 0.08)) {
    wantOut(mind, "exit");
    return;
  }
  keep(mind, "tp", { share: 0.7, whim: 0.08 });
  if (chance(mind, 0.1)) takeBack(mind, slotOf(mind, "entry"));
  for (const n of [1, 2]) rung(mind, n);
}

/** Wants everything closed at the market; the stop stays until there is nothing left. */
export function wantOut(mind: Mind, purpose: "exit" | "flatten"): void {
  const { own, held, plan } = mind;
  takeBack(
    mind,
    own.filter((intent) => intent.purpose !== "protective_stop"),
  );
  if (held === null || !clear(mind, "exit")) return;
  const wish = { key: "exit", kind: "market", positionSide: sideOf(mind), purpose } as const;
  plan.place.push(target(mind, { ...wish, qtyLots: heldLots(mind), offsetTicks: 0 }));
}

/** Wants what is written next. */
export function wantByScript(mind: Mind, script: readonly Want[], step: number): void {
  const { decisions, held, plan } = mind;
  const want = script[decisions];
  if (want === undefined || step < want.step || slotOf(mind, want.key).length > 0) return;
  const { key, purpose, kind, acrossPermille } = want;
  const isOpening = OPENING.has(purpose);
  if (!isOpening && held === null) return;
  const positionSide = sideOf(mind);
  const across = permille(mind, acrossPermille);
  const offsetTicks = isOpening === (positionSide === "long") ? across : -across;
  const qtyLots = isOpening ? SCRIPT_LOTS : heldLots(mind);
  plan.place.push(target(mind, { key, purpose, kind, positionSide, qtyLots, offsetTicks }));
}

function enter(mind: Mind): void {
  const { random, plan } = mind;
  const positionSide: PositionSide = chance(mind, 0.5) ? "long" : "short";
  const kind = pick<OrderKind>(random, ["market", "limit", "post_only", "post_only"]);
  const distance = pick(random, [0, 0, 1, permille(mind, 0.3), permille(mind, 1)]);
  const wish = { key: "entry", purpose: "entry", kind, positionSide, qtyLots: lots(mind) } as const;
  plan.place.push(target(mind, { ...wish, offsetTicks: below(positionSide, distance) }));
}

function rung(mind: Mind, n: number): void {
  const { random, plan, mayEnter } = mind;
  const key = `dca:${n}`;
  const [there] = slotOf(mind, key);
  if (there !== undefined) {
    if (plan.cancel.includes(there)) return;
    const isParked = there.status === "parked";
    if (isParked && mayEnter && chance(mind, 0.2)) plan.send.push(there);
    else if (chance(mind, isParked ? 0.1 : 0.05)) takeBack(mind, [there]);
    return;
  }
  if (!mayEnter || !chance(mind, 0.3)) return;
  const positionSide = sideOf(mind);
  const kind = pick<OrderKind>(random, ["limit", "post_only", "trigger_market"]);
  const offsetTicks = below(positionSide, permille(mind, n * between(random, 1, 4) * 0.3));
  const wish = { key, purpose: "rung", kind, positionSide, qtyLots: lots(mind) } as const;
  plan[chance(mind, 0.3) ? "park" : "place"].push(target(mind, { ...wish, offsetTicks }));
}

/** Keeps one closing order for all that is held; a new size or a new mind replaces it. */
function keep(
  mind: Mind,
  key: "tp" | "stop",
  { share, whim }: { readonly share: number; readonly whim: number },
): void {
  const { random, plan, rules } = mind;
  const there = slotOf(mind, key);
  const size = multiply(decimal(heldLots(mind)), rules.qtyStep);
  const left = ({ qty, filledQty }: StoredIntent) => subtract(qty, filledQty);
  const isRight = there.length === 1 && there.every((one) => compare(left(one), size) === 0);
  if (isRight && !chance(mind, whim)) return;
  if (there.length === 0 && !chance(mind, share)) return;
  if (!clear(mind, key)) return;
  const isStop = key === "stop";
  const far = isStop ? between(random, 2, 8) : -between(random, 1, 6) * 0.3;
  const kind = isStop
    ? "stop_market"
    : pick<OrderKind>(random, ["limit", "post_only", "trigger_market"]);
  const purpose = isStop ? "protective_stop" : "take_profit";
  const positionSide = sideOf(mind);
  const offsetTicks = below(positionSide, permille(mind, far));
  const wish = { key, purpose, kind, positionSide, qtyLots: heldLots(mind) } as const;
  plan.place.push(target(mind, { ...wish, offsetTicks }));
}

function chance({ random }: Mind, share: number): boolean {
  return random() < share;
}

function slotOf({ own }: Mind, key: string): StoredIntent[] {
  return own.filter((intent) => intent.targetKey === key);
}

function takeBack({ plan }: Mind, intents: readonly StoredIntent[]): void {
  for (const intent of intents) {
    if (isKnown(intent) && !plan.cancel.includes(intent)) plan.cancel.push(intent);
  }
}

/** True when the slot is empty or will be. */
function clear(mind: Mind, key: string): boolean {
  const there = slotOf(mind, key);
  takeBack(mind, there);
  return there.every(isKnown);
}

function sideOf({ held }: Mind): PositionSide {
  return held?.position.positionSide ?? "long";
}

function heldLots({ held, rules }: Mind): number {
  return held === null ? 0 : Math.round(Number(held.position.qty) / Number(rules.qtyStep));
}

function lots({ random, symbol }: Mind): number {
  return pick(random, LOT_CHOICES[symbol] ?? [10]);
}

function permille({ lastTicks }: Mind, share: number): number {
  return Math.round((lastTicks * share) / 1000);
}

/** Away from the market on the side where an opening order rests. */
function below(positionSide: PositionSide, ticks: number): number {
  return positionSide === "long" ? -ticks : ticks;
}

type Wish = Pick<TargetOrder, "key" | "purpose" | "kind" | "positionSide" | "qtyLots"> & {
  readonly offsetTicks: number;
};

function target({ lastTicks, now, decisions }: Mind, { offsetTicks, ...wish }: Wish): TargetOrder {
  const isReduceOnly = !OPENING.has(wish.purpose);
  const isBuying = (wish.positionSide === "long") !== isReduceOnly;
  return {
    ...wish,
    isReduceOnly,
    side: isBuying ? "buy" : "sell",
    priceTicks: wish.kind === "market" ? 0 : Math.max(1, lastTicks + offsetTicks),
    ...{ bandPct: 0, liveFrom: 0, replacePct: 0, decidedAt: now },
    reason: `${wish.purpose.toUpperCase()}_${decisions}`,
  };
}
