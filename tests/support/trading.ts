// Orders, trade records and shuffled histories for tests of trading stores, and the hashes by which two
// stores are compared. Everything comes from a seed.
import { createHash } from "node:crypto";
import { clientOrderIdSource, issueClientOrderId } from "../../src/model/client-order-id.ts";
import { decimal } from "../../src/model/decimal.ts";
import { compareEntries } from "../../src/model/ledger.ts";
import { averageEntry } from "../../src/model/leg-position.ts";
import { compareText, type ExactFunding } from "../../src/model/trade-record.ts";
import type { Scope } from "../../src/ports/access-store.ts";
import type {
  IntentId,
  IntentNews,
  Lease,
  NewFill,
  NewIntent,
  NewTransfer,
  TradingStore,
} from "../../src/ports/trading-store.ts";

/** An instant all examples count from. */
export const START = Date.UTC(2026, 0, 5, 12);
/** A one-way market of the examples. */
export const BTC = "BTC/USDT:USDT";
/** A hedged market of the examples. */
export const ETH = "ETH/USDT:USDT";

/** The n-th client order id of a lease. */
export function idOf(lease: Lease, n: number, bot = 1) {
  const source = { ...clientOrderIdSource(lease.stampS, 7, bot), sequence: n };
  const issued = issueClientOrderId(source);
  if (!issued.ok) throw new Error(issued.detail);
  return issued.value.id;
}

/** An entry of bot 1 that is being sent; change what matters. */
export function anIntent(change: Partial<NewIntent> = {}): NewIntent {
  return {
    status: "sending",
    clientOrderId: null,
    owner: "bot:1",
    symbol: BTC,
    leg: "net",
    positionSide: "long",
    side: "buy",
    purpose: "entry",
    reason: "ENTRY",
    targetKey: "entry",
    terms: { kind: "limit", price: decimal("100.5") },
    isReduceOnly: false,
    qty: decimal("2"),
    decidedAt: START,
    ...change,
  };
}

/** A trade record; change what matters. */
export function aFill(change: Partial<NewFill> = {}): NewFill {
  return {
    symbol: BTC,
    tradeId: "1",
    exchangeOrderId: "x1",
    side: "buy",
    leg: "net",
    price: decimal("100"),
    qty: decimal("1"),
    contractSize: decimal("1"),
    settleAsset: "USDT",
    fee: {
      amount: decimal("0.05"),
      asset: "USDT",
      settleAmount: decimal("0.05"),
      isEstimated: false,
    },
    liquidity: "taker",
    exchangeRealised: null,
    at: START + 1000,
    ...change,
  };
}

/** One thing that may arrive at any time. */
export type Arrival =
  | { readonly kind: "fill"; readonly fill: NewFill }
  | { readonly kind: "funding"; readonly funding: ExactFunding }
  | { readonly kind: "transfer"; readonly transfer: NewTransfer }
  | { readonly kind: "news"; readonly order: number; readonly news: IntentNews };

/** Orders and what became of them. */
export type History = {
  readonly orders: readonly NewIntent[];
  readonly arrivals: readonly Arrival[];
};

/** Small whole numbers from a seed (mulberry32). */
export function dice(seed: number): (sides: number) => number {
  let state = seed >>> 0;
  return (sides) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % sides;
  };
}

/** The list in another order, with some of it twice. */
export function reordered<T>(list: readonly T[], roll: (sides: number) => number): T[] {
  const mixed = [...list, ...list.filter(() => roll(4) === 0)];
  for (let i = mixed.length - 1; i > 0; i--) {
    const j = roll(i + 1);
    const [a, b] = [mixed[i], mixed[j]];
    if (a !== undefined && b !== undefined) [mixed[i], mixed[j]] = [b, a];
  }
  return mixed;
}

/**
 * Orders of two bots and strangers on a one-way and a hedged market: partial fills, cancels between
 * fills, fills within one millisecond, positions that turn over, fees estimated and then told, funding
 * and transfers. The arrivals are in the order in which they happened.
 */
export function aHistory(seed: number, orders: number): History {
  const roll = dice(seed);
  const made: NewIntent[] = [];
  const arrivals: Arrival[] = [];
  let at = START;
  let trade = 90;
  for (let n = 0; n < orders; n++) {
    const isForeign = roll(6) === 0;
    const order = anOrder(roll, n);
    const exchangeOrderId = `x${n}`;
    if (!isForeign) {
      made.push(order);
      const index = made.length - 1;
      const tell = (news: IntentNews) => arrivals.push({ kind: "news", order: index, news });
      tell({ event: "accepted", exchangeOrderId });
      if (roll(3) === 0) tell({ event: "unverified", detail: "no answer within 5 s" });
      if (roll(3) === 0) tell({ event: "cancelled", exchangeOrderId });
    }
    const parts = 1 + roll(3);
    for (let part = 0; part < parts; part++) {
      at += roll(3) === 0 ? 0 : 1 + roll(5000);
      trade += 1;
      arrivals.push(...fillsOf(roll, order, { exchangeOrderId, at, tradeId: String(trade) }));
    }
    if (roll(4) === 0) {
      const paymentId = `f${n}`;
      const amount = decimal(`${roll(2) ? "-" : ""}0.${1 + roll(999)}`);
      const funding = { symbol: order.symbol, paymentId, amount, asset: "USDT", at };
      arrivals.push({ kind: "funding", funding });
    }
  }
  const money = { amount: decimal("250"), asset: "USDT", settleAmount: decimal("250"), at: START };
  arrivals.push({ kind: "transfer", transfer: { ref: "deposit-1", ...money } });
  return { orders: made, arrivals };
}

function anOrder(roll: (sides: number) => number, n: number): NewIntent {
  const symbol = roll(2) ? BTC : ETH;
  const positionSide = roll(2) ? "long" : "short";
  const isReduceOnly = roll(2) === 0;
  const side = (positionSide === "long") === isReduceOnly ? "sell" : "buy";
  return anIntent({
    ...{ symbol, positionSide, side, isReduceOnly },
    owner: roll(3) ? "bot:1" : "bot:2",
    leg: symbol === BTC ? "net" : positionSide,
    purpose: isReduceOnly ? "take_profit" : "rung",
    reason: isReduceOnly ? "TP_PCT" : `DCA_${n}`,
    targetKey: `k${n}`,
    qty: decimal("3"),
  });
}

function fillsOf(
  roll: (sides: number) => number,
  order: NewIntent,
  where: { readonly exchangeOrderId: string; readonly at: number; readonly tradeId: string },
): Arrival[] {
  const { symbol, leg, side } = order;
  const cost = decimal(`0.${1 + roll(99)}`);
  const fee = { amount: cost, asset: "USDT", settleAmount: cost, isEstimated: false };
  const guess = { ...fee, amount: decimal("0.5"), settleAmount: decimal("0.5"), isEstimated: true };
  const fill = aFill({
    ...{ symbol, leg, side, fee, ...where },
    price: decimal(`${90 + roll(20)}.${roll(10)}`),
    qty: decimal(`${1 + roll(2)}`),
    contractSize: decimal(symbol === BTC ? "1" : "0.01"),
  });
  const told: Arrival = { kind: "fill", fill };
  if (roll(3) > 0) return [told];
  return [{ kind: "fill", fill: { ...fill, fee: roll(2) ? guess : null } }, told];
}

/** Commits the orders under the lease's first ids. @returns their intents, in order */
export async function placed(
  store: TradingStore,
  scope: Scope,
  lease: Lease,
  orders: readonly NewIntent[],
): Promise<IntentId[]> {
  const place = orders.map((order, n) => ({ ...order, clientOrderId: idOf(lease, n) }));
  const epoch = await store.epoch(scope);
  const made = await store.commitIntents(scope, lease, epoch, { place, send: [] }, START);
  if (!made.ok) throw new Error(made.detail);
  return made.value.map(({ id }) => id);
}

/** Records what arrives, one after the other. @throws when one of them is refused */
export async function arrive(
  store: TradingStore,
  scope: Scope,
  lease: Lease,
  intents: readonly IntentId[],
  arrivals: readonly Arrival[],
): Promise<void> {
  for (const arrival of arrivals) {
    const answer = await recorded(store, scope, lease, intents, arrival);
    if (!answer.ok) throw new Error(`${answer.reason}: ${answer.detail}`);
  }
}

async function recorded(
  store: TradingStore,
  scope: Scope,
  lease: Lease,
  intents: readonly IntentId[],
  arrival: Arrival,
) {
  switch (arrival.kind) {
    case "fill":
      return await store.recordFill(scope, lease, arrival.fill);
    case "funding":
      return await store.recordFunding(scope, lease, arrival.funding);
    case "transfer":
      return await store.recordTransfer(scope, lease, arrival.transfer);
    case "news": {
      const id = intents[arrival.order];
      if (id === undefined) throw new Error("no such order");
      return await store.recordNews(scope, lease, id, arrival.news, START);
    }
  }
}

/** Commits the orders and lets the arrivals come in. */
export async function live(
  store: TradingStore,
  scope: Scope,
  lease: Lease,
  orders: readonly NewIntent[],
  arrivals: readonly Arrival[],
): Promise<void> {
  await arrive(store, scope, lease, await placed(store, scope, lease, orders), arrivals);
}

/** What a store knows of an account, as two hashes. */
export async function hashes(
  store: TradingStore,
  scope: Scope,
  lease: Lease,
  orders: number,
): Promise<{ readonly ledger: string; readonly positions: string }> {
  const { accountId } = lease;
  const ledger = [...(await store.ledger(scope, accountId, 1000))].sort(compareEntries);
  const cycles = [...(await store.cycles(scope, accountId, 1000))].sort(
    (a, b) =>
      compareText(a.openRef, b.openRef) ||
      compareText(a.owner, b.owner) ||
      compareText(a.leg, b.leg),
  );
  const holdings = await store.holdings(scope, accountId);
  const averages = holdings.map(({ position }) => averageEntry(position));
  const intents: unknown[] = [];
  for (let n = 0; n < orders; n++) {
    const intent = await store.findIntent(scope, accountId, idOf(lease, n));
    intents.push([intent?.status, intent?.filledQty]);
  }
  return {
    ledger: sha256(ledger),
    positions: sha256([holdings, averages, cycles, intents]),
  };
}

function sha256(value: unknown): string {
  return createHash("sha256").update(canonical(value)).digest("hex");
}

/** JSON with the keys of every object in order. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === "object" && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => compareText(a, b)))
      : part,
  );
}
