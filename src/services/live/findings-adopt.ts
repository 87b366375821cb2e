// Gives trades and orders that belong to nobody here to an owner: a bot of the market, or the person who keeps them.
// Called by findings-settle.ts and findings-carry-on.ts. It writes rows and never sends anything: each order of the
// stranger becomes an intent of the owner, all of a decision in one commit, and its trade records are counted as the
// owner's from then on. The rows name decision and order, so that whoever comes after a crash can finish them.
import { compare, type Decimal, subtract, add } from "../../model/decimal.ts";
import { signedQty } from "../../model/leg-position.ts";
import type { OrderSide, PositionSide } from "../../model/order.ts";
import { ok, refuse, type Result } from "../../model/result.ts";
import type { EpochMs } from "../../model/time.ts";
import type { Leg, OwnedFill } from "../../model/trade-record.ts";
import type { BotId } from "../../ports/bot-store.ts";
import type { OrderReport, OrderTerms } from "../../ports/broker.ts";
import type { CommandId } from "../../ports/command-store.ts";
import type { NewIntent, StoredIntent } from "../../ports/trading-store.ts";
import { createClientIds } from "./client-ids.ts";
import { ADOPTED, type FoundDrift } from "./findings-found.ts";
import { type Heir, sideHeld } from "./findings-heirs.ts";
import type { LiveDeps } from "./live-types.ts";
import { tell, tellReport } from "./order-news.ts";

/** The number in client order ids of what a person does; no bot has it. */
export const OPERATOR_BOT = 0 as BotId;

/** Why nothing was given to anybody. */
export type GiveRefusal = "not_found" | "not_written";

/** A decision and whoever gets what it is about. */
export type Given = { readonly decisionId: CommandId; readonly heir: Heir };

const ZERO = "0" as Decimal;
/** Orders of a stranger that are taken over at once. */
const ORDERS_MAX = 100;
/** Orders looked through for those a decision wrote. */
const RECENT_MAX = 1000;
const ASK_MS = 10_000;

/**
 * Books the orders that make up the difference as the heir's.
 * @param working exchange ids of strangers' orders that still work: those are taken over whole, or not at all
 * @returns how many orders were taken over
 */
export async function giveTrades(
  deps: LiveDeps,
  { symbol, leg, difference }: FoundDrift,
  { decisionId, heir }: Given,
  working: ReadonlySet<string>,
): Promise<Result<number, GiveRefusal>> {
  const { account, store } = deps;
  const change = difference ?? ZERO;
  const fills = await store.fills(account.scope, account.accountId, symbol);
  const orders = ordersOf(fills, leg, change);
  if (orders === null) {
    return refuse("not_found", "the trade records do not add up to the difference any more");
  }
  const half = orders.find(({ id }) => working.has(id));
  if (half) {
    return refuse("not_found", `order ${half.id} still works: take it over or cancel it first`);
  }
  const positionSide = await sideOf(deps, { symbol, leg, change }, heir);
  const wanted = orders.map(({ id, side, qty, at }): Wanted => {
    const isReduceOnly = (side === "buy") !== (positionSide === "long");
    const terms = { kind: "market" } as const;
    return { id, symbol, leg, positionSide, side, qty, terms, isReduceOnly, decidedAt: at };
  });
  return await give(deps, wanted, { decisionId, heir });
}

/** Makes a working order the heir's, with everything it executed and will execute. */
export async function giveOrder(
  deps: LiveDeps,
  { report, leg }: { readonly report: OrderReport; readonly leg: Leg },
  given: Given,
): Promise<Result<number, GiveRefusal>> {
  const { exchangeOrderId: id, symbol, side, qty, price, createdAt } = report;
  if (qty === null || price === null || report.isTrigger) {
    return refuse("not_found", "the exchange does not tell price and quantity of the order");
  }
  const change = side === "buy" ? qty : subtract(ZERO, qty);
  const positionSide = await sideOf(deps, { symbol, leg, change }, given.heir);
  const isReducing = (side === "buy") !== (positionSide === "long");
  const isReduceOnly = report.isReduceOnly ?? isReducing;
  const terms = { kind: "limit", price } as const;
  const decidedAt = createdAt ?? deps.clock.now();
  const order = { id, symbol, leg, positionSide, side, qty, terms, isReduceOnly, decidedAt };
  return await give(deps, [order], given);
}

/** An order of a stranger as it is written down. */
type Wanted = Pick<
  NewIntent,
  "symbol" | "leg" | "positionSide" | "side" | "qty" | "terms" | "isReduceOnly" | "decidedAt"
> & {
  /** The exchange's. */
  readonly id: string;
  /** A price where it still works; `market` for what was executed already. */
  readonly terms: OrderTerms;
};

/** One commit, so that a decision is carried out whole or not at all; then each row is told what it is. */
async function give(
  deps: LiveDeps,
  wanted: readonly Wanted[],
  { decisionId, heir: { owner, bot } }: Given,
): Promise<Result<number, GiveRefusal>> {
  const { account, store, lease, clock } = deps;
  const ids = createClientIds(deps);
  // The door counts under the present stamp: a fresh one cannot give out an id twice.
  if (!(await ids.renew())) return refuse("not_written", "the lease of the account is lost");
  const place: NewIntent[] = [];
  for (const { id, ...order } of wanted) {
    const clientOrderId = await ids.next(OPERATOR_BOT);
    if (clientOrderId === null) return refuse("not_written", "the lease of the account is lost");
    const expands = (order.side === "buy") === (order.positionSide === "long");
    place.push({
      ...{ ...order, status: "sending", clientOrderId, owner, reason: ADOPTED },
      ...{ purpose: expands ? "entry" : "exit", targetKey: `${keyOf(decisionId)}${id}` },
    });
  }
  const { epoch } = deps.cells.cell(account, bot?.id ?? null);
  const batch = { place, send: [] };
  const made = await store.commitIntents(account.scope, lease.guard, epoch, batch, clock.now());
  if (!made.ok) return refuse("not_written", made.detail);
  for (const row of made.value) await finish(deps, row);
  return ok(made.value.length);
}

/** What the target keys of a decision's rows begin with; the exchange's id of the order follows. */
function keyOf(decisionId: CommandId): string {
  return `adopted:${decisionId}:`;
}

/** Rows a decision wrote, newest first. */
export async function rowsOf(
  { store, account }: Pick<LiveDeps, "store" | "account">,
  decisionId: CommandId,
): Promise<readonly StoredIntent[]> {
  const query = { owner: null, limit: RECENT_MAX };
  const recent = await store.recentIntents(account.scope, account.accountId, query);
  return recent.filter(({ targetKey }) => targetKey.startsWith(keyOf(decisionId)));
}

/**
 * Finishes what was committed and whose end nobody wrote down.
 * @returns how many rows were finished
 * @throws when the lease is lost, or database or exchange are not there: it is safe to be called again
 */
export async function finishGiven(deps: LiveDeps): Promise<number> {
  const { store, account } = deps;
  const alive = await store.aliveIntents(account.scope, account.accountId);
  const open = alive.filter(({ reason, status }) => {
    return reason === ADOPTED && (status === "sending" || status === "unverified");
  });
  for (const row of open) await finish(deps, row);
  return open.length;
}

/** Joins a row with the stranger's order it stands for: executed already, or as the exchange shows it. */
async function finish(deps: LiveDeps, row: StoredIntent): Promise<void> {
  const { symbol, terms, targetKey, qty } = row;
  const id = targetKey.split(":").slice(2).join(":");
  if (terms.kind === "market") {
    const detail = "taken over by a person's decision";
    const done = { event: "reported_filled", exchangeOrderId: id, detail } as const;
    await tell(deps, row, { ...done, reportedFilledQty: qty });
    return;
  }
  const ref = { symbol, by: "exchange", id, isTrigger: false } as const;
  const report = await deps.broker.order(ref, { signal: AbortSignal.timeout(ASK_MS) });
  // Without an answer about it the row stays in doubt, and whoever settles doubts gives it up in the end.
  if (report !== null) await tellReport(deps, row, report);
}

/** The side the heir holds; the one it comes to hold when it holds nothing. */
async function sideOf(
  { store, account }: LiveDeps,
  what: { readonly symbol: string; readonly leg: Leg; readonly change: Decimal },
  { owner }: Heir,
): Promise<PositionSide> {
  const { symbol, leg, change } = what;
  if (leg !== "net") return leg;
  const holdings = await store.holdings(account.scope, account.accountId);
  const held = holdings.find((one) => {
    return one.symbol === symbol && one.leg === leg && one.holder === owner;
  });
  return sideHeld(held === undefined ? ZERO : signedQty(held.position), change);
}

type ForeignOrder = {
  readonly id: string;
  readonly side: OrderSide;
  readonly at: EpochMs;
  qty: Decimal;
};

/** The newest orders of nobody on the leg whose sum is the difference, oldest first; null without any. */
function ordersOf(
  fills: readonly OwnedFill[],
  leg: Leg,
  difference: Decimal,
): readonly ForeignOrder[] | null {
  const byId = new Map<string, ForeignOrder>();
  for (const fill of fills) {
    if (fill.owner !== "foreign" || fill.leg !== leg) continue;
    const { exchangeOrderId: id, side, at, qty } = fill;
    const known = byId.get(id);
    if (known) known.qty = add(known.qty, qty);
    else byId.set(id, { id, side, at, qty });
  }
  const newest = [...byId.values()].reverse().slice(0, ORDERS_MAX);
  let sum = ZERO;
  for (const [index, { side, qty }] of newest.entries()) {
    sum = side === "buy" ? add(sum, qty) : subtract(sum, qty);
    if (compare(sum, difference) === 0) return newest.slice(0, index + 1).reverse();
  }
  return null;
}
