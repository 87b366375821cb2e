// What a comparison with the exchange leaves for a person: one entry per thing found, why entries of its market
// wait, and the exact difference or order it stands for. Called by reconciler.ts after every pass. Pure.
import { driftOf, type ReconcileMemory } from "../../execution/reconcile-view.ts";
import { add, compare, type Decimal, subtract } from "../../model/decimal.ts";
import type { FindingView } from "../../model/live-figures.ts";
import type { Leg } from "../../model/trade-record.ts";
import type { OrderReport } from "../../ports/broker.ts";
import type { StoredIntent } from "../../ports/trading-store.ts";
import { comparedText, placeOf } from "./reconcile-events.ts";
import type { ExchangeSide, OwnSide } from "./reconcile-reads.ts";

/** The owner of what a person holds on the account and no bot may touch. */
export const OPERATOR = "group:0";
/** The reason of orders that were taken over from a stranger. */
export const ADOPTED = "ADOPTED";

/** One thing a comparison found. */
export type Found = {
  /** Stable while exactly the same is found: the difference is a part of it. */
  readonly key: string;
  readonly kind: FindingView["kind"];
  /** Null for what concerns the whole account. */
  readonly symbol: string | null;
  readonly sentence: string;
  /** Whether entries of the market wait. */
  readonly isBlocking: boolean;
  /** Where a position differs, and by how much; null for everything else. */
  readonly drift: FoundDrift | null;
  /** The order it is about; null for everything else, and while the list of orders was not read. */
  readonly order: FoundOrder | null;
};

/** What an owner holds on a leg; below 0 is short. */
export type LegHolder = { readonly holder: string; readonly signedQty: Decimal };

/** A leg that differs. */
export type FoundDrift = {
  readonly symbol: string;
  readonly leg: Leg;
  readonly between: "exchange" | "owners";
  /** What is there beyond what is known; below 0 is short. Null when it could not be read. */
  readonly difference: Decimal | null;
  /** Seen more than once: a position may be told before its trade records. */
  readonly isSure: boolean;
  /** What the account holds on the leg, by our records. */
  readonly accountQty: Decimal;
  /** Who holds something on the leg, the account itself and strangers left out. */
  readonly holders: readonly LegHolder[];
};

/** A working order that is a stranger's or a person's. */
export type FoundOrder = {
  readonly report: OrderReport;
  /** Null when the exchange does not tell on which leg it works. */
  readonly leg: Leg | null;
  /** Who holds something on that leg. */
  readonly holders: readonly LegHolder[];
};

/** What is looked at. */
export type FoundIn = {
  readonly memory: ReconcileMemory;
  readonly own: Pick<OwnSide, "view" | "intents">;
  readonly exchange: Pick<ExchangeSide, "positions"> & {
    readonly orders: readonly OrderReport[] | null;
  };
  /** What the pass before found: a market with an order in flight is not measured anew. */
  readonly before: readonly Found[];
};

const ZERO = "0" as Decimal;
const SURE_LOOKS = 2;

/** Everything that was found, what is known to be a person's last. */
export function foundOf(seen: FoundIn): Found[] {
  const { memory, own } = seen;
  const found: Found[] = [];
  for (const { symbol, clientOrderId, filledQty, reportedFilledQty } of own.view.orders) {
    if (compare(reportedFilledQty ?? ZERO, filledQty) <= 0) continue;
    const sentence = `the trade records of order ${clientOrderId} are not complete`;
    found.push(plain("position_drift", symbol, `records ${clientOrderId}`, sentence));
  }
  for (const key of memory.strangers) found.push(strangerFound(seen, key));
  for (const name of Object.keys(memory.drifts)) found.push(driftFound(seen, name));
  const [rival] = memory.rivals;
  if (memory.isModeReported) {
    const sentence = "the account keeps positions in another mode than expected";
    found.push(plain("position_mode", null, "position mode", sentence));
  } else if (rival !== undefined) {
    const sentence = `another instance of Dragon placed the order ${splitKey(rival)[1]}`;
    found.push(plain("second_instance", null, `rival ${rival}`, sentence));
  }
  return [...found, ...knownPositions(seen), ...knownOrders(seen)];
}

/** Why entries wait, by symbol; what concerns the whole account stands with every symbol. */
export function blocksOf(found: readonly Found[], symbols: Iterable<string>): Map<string, string> {
  const blocks = new Map<string, string>();
  const waiting = found.filter(({ isBlocking }) => isBlocking);
  for (const { symbol, sentence } of waiting) if (symbol !== null) blocks.set(symbol, sentence);
  const whole = waiting.find(({ symbol }) => symbol === null);
  if (whole) for (const symbol of symbols) blocks.set(symbol, whole.sentence);
  return blocks;
}

function plain(kind: Found["kind"], symbol: string | null, key: string, sentence: string): Found {
  return { key, kind, symbol, sentence, isBlocking: true, drift: null, order: null };
}

function strangerFound(seen: FoundIn, name: string): Found {
  const [symbol = name, id = ""] = splitKey(name);
  const key = `stranger ${name}`;
  // A list that was not read says nothing: what was known about the order stays.
  const listed = seen.exchange.orders?.find((one) => isNamed(one, symbol, id));
  const known = seen.before.find((one) => one.key === key)?.order ?? null;
  const order = listed === undefined ? known : foundOrder(seen, listed);
  const what = order === null ? `order ${id}` : orderText(order.report);
  const sentence = `${what} was not placed here and may change the position`;
  return { ...plain("stranger_order", symbol, key, sentence), order };
}

function isNamed(report: OrderReport, symbol: string, id: string): boolean {
  return report.symbol === symbol && report.exchangeOrderId === id;
}

function foundOrder(seen: FoundIn, report: OrderReport): FoundOrder {
  const leg = seen.own.view.mode === "hedge" ? report.positionSide : "net";
  return { report, leg, holders: leg === null ? [] : holdersOn(seen, report.symbol, leg) };
}

function orderText({ exchangeOrderId, side, positionSide, qty, filledQty, ...at }: OrderReport) {
  const price = at.triggerPrice ?? at.price;
  const what = [side, qty ?? "", positionSide ?? "", price === null ? "" : `at ${price}`];
  const done = compare(filledQty, ZERO) > 0 ? `, ${filledQty} of it executed` : "";
  return `order ${exchangeOrderId} (${what.filter((word) => word !== "").join(" ")}${done})`;
}

function driftFound(seen: FoundIn, name: string): Found {
  const { symbol, leg, between } = driftOf(name);
  const known = seen.before.find(
    ({ drift }) => drift?.symbol === symbol && drift.leg === leg && drift.between === between,
  );
  if (known && !seen.own.view.qtySteps.has(symbol)) return known;
  const accountQty = heldOn(seen, symbol, leg, (holder) => holder === "account");
  const difference = differenceOf(seen, { symbol, leg, between }, accountQty);
  const holders = holdersOn(seen, symbol, leg);
  const by = difference === null ? "" : `, by ${difference}`;
  const sentence = `${placeOf({ symbol, leg })}: ${comparedText(between)} do not agree${by}`;
  const isSure = (seen.memory.drifts[name] ?? 0) >= SURE_LOOKS;
  const drift = { symbol, leg, between, difference, isSure, accountQty, holders };
  const key = `drift ${name} ${difference ?? "unknown"}`;
  return { ...plain("position_drift", symbol, key, sentence), drift };
}

function differenceOf(
  seen: FoundIn,
  { symbol, leg, between }: Pick<FoundDrift, "symbol" | "leg" | "between">,
  accountQty: Decimal,
): Decimal | null {
  if (between === "owners") {
    return subtract(accountQty, heldOn(seen, symbol, leg, isOwner));
  }
  const { positions } = seen.exchange;
  if (positions === null) return null;
  const theirs = positions
    .filter((one) => one.symbol === symbol && legOf(one) === leg)
    .reduce((sum, { positionSide, qty }) => {
      return positionSide === "short" ? subtract(sum, qty) : add(sum, qty);
    }, ZERO);
  return subtract(theirs, accountQty);
}

function legOf({ mode, positionSide }: { readonly mode: string; readonly positionSide: Leg }): Leg {
  return mode === "hedge" ? positionSide : "net";
}

function heldOn(
  { own }: FoundIn,
  symbol: string,
  leg: Leg,
  counts: (holder: string) => boolean,
): Decimal {
  return own.view.held
    .filter((one) => one.symbol === symbol && one.leg === leg && counts(one.holder))
    .reduce((sum, { signedQty }) => add(sum, signedQty), ZERO);
}

function isOwner(holder: string): boolean {
  return holder !== "account" && holder !== "foreign";
}

function holdersOn({ own }: FoundIn, symbol: string, leg: Leg): LegHolder[] {
  return own.view.held.flatMap(({ holder, signedQty, ...at }) => {
    const isThere = at.symbol === symbol && at.leg === leg && isOwner(holder);
    return isThere && compare(signedQty, ZERO) !== 0 ? [{ holder, signedQty }] : [];
  });
}

/** What a person holds here with our knowledge: shown, never in the way. */
function knownPositions({ own }: FoundIn): Found[] {
  return own.view.held.flatMap(({ symbol, leg, holder, signedQty }) => {
    if (holder !== OPERATOR || compare(signedQty, ZERO) === 0) return [];
    const sentence = `${placeOf({ symbol, leg })}: ${signedQty} belong to a person; no bot uses them`;
    const known = plain("known_position", symbol, knownKey({ symbol, leg }), sentence);
    return [{ ...known, isBlocking: false }];
  });
}

/** The key of what a person holds on a leg. */
export function knownKey({ symbol, leg }: { readonly symbol: string; readonly leg: Leg }): string {
  return `known ${leg} ${symbol}`;
}

/** Orders a person took over and that still work. */
function knownOrders(seen: FoundIn): Found[] {
  return [...seen.own.intents.values()].flatMap((intent) => {
    const { symbol, exchangeOrderId: id } = intent;
    if (id === null || !isPersonsOrder(intent)) return [];
    const key = `order ${symbol}#${id}`;
    const listed = seen.exchange.orders?.find((one) => isNamed(one, symbol, id));
    const known = seen.before.find((one) => one.key === key)?.order ?? null;
    const order = listed === undefined ? known : foundOrder(seen, listed);
    const what = order === null ? `order ${id}` : orderText(order.report);
    const sentence = `${what} is a person's; what it fills belongs to no bot`;
    return [{ ...plain("known_order", symbol, key, sentence), isBlocking: false, order }];
  });
}

/** Whether it is a working order that a person took over; closings of a person's position are not. */
export function isPersonsOrder({ owner, reason, status }: StoredIntent): boolean {
  return (
    owner === OPERATOR && reason === ADOPTED && (status === "open" || status === "partly_filled")
  );
}

function splitKey(key: string): string[] {
  const at = key.lastIndexOf("#");
  return [key.slice(0, at), key.slice(at + 1)];
}
