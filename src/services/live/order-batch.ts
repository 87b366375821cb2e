// What of a batch can be written down: the exact orders, the first way of those that look for their place,
// and what the gates hold back; then the one write-ahead commit. Used by the order dispatcher.
import {
  checkAgain,
  type ExactOrder,
  exactOrder,
  parkedOrder,
} from "../../execution/exact-order.ts";
import type { ClientOrderId } from "../../model/client-order-id.ts";
import { decimal, multiply } from "../../model/decimal.ts";
import { InvariantError, ok, refuse, type Result } from "../../model/result.ts";
import type {
  CommitRefusal,
  IntentBatch,
  NewIntent,
  StoredIntent,
} from "../../ports/trading-store.ts";
import type { ClientIds } from "./client-ids.ts";
import type { Dispatched, DispatchBatch, LiveDeps, PlaceOrder } from "./live-types.ts";
import { type MakerWay, wayOrder, waysOf } from "./maker-ladder.ts";
import type { NamedOrder } from "./order-news.ts";
import { type Closed, closedGate, type DoorDeps, noteWithheld, slotOf } from "./order-sending.ts";

/** An order of a batch that can be written down. */
export type Planned = {
  readonly order: PlaceOrder;
  readonly exact: ExactOrder;
  /** Ways of resting that are left when this one is refused. */
  readonly ways: readonly MakerWay[];
  /** Whether it looks for its place. */
  readonly isMaker: boolean;
};

/** What of a batch is left, and what was held back. */
export type Plan = Pick<DispatchBatch, "send"> & {
  readonly place: readonly Planned[];
  readonly park: readonly Planned[];
  readonly withheld: readonly Dispatched[];
};

/** A row that was written down, and where it came from. */
export type Written = {
  readonly placed: readonly { readonly planned: Planned; readonly intent: StoredIntent }[];
  readonly parked: readonly StoredIntent[];
  readonly sent: readonly { readonly order: PlaceOrder; readonly intent: StoredIntent }[];
};

/** Why nothing was written down; `duplicate_id` never leaves here. */
export type WriteRefusal = Exclude<CommitRefusal, "duplicate_id">;

const CLOSED_SLOT: Closed = {
  reason: "CANCEL_PENDING",
  sentence: "the order before it is not proven gone, or executed more than was known",
};

/**
 * Works out the orders of a batch and what holds them back. What takes time comes first; the gates are
 * read again at the end, in the instant whose epoch the commit carries.
 */
export async function planBatch(
  deps: DoorDeps,
  batch: DispatchBatch,
  closedSlots: ReadonlySet<string>,
): Promise<{ readonly plan: Plan; readonly epoch: number }> {
  const withheld: Dispatched[] = [];
  const passes = (order: PlaceOrder, closed: Closed | null, intent: StoredIntent | null = null) => {
    if (closed === null) return true;
    const { key: targetKey } = order.approved.target;
    noteWithheld(deps, intent ?? namesOf(order), closed);
    withheld.push({ targetKey, outcome: "withheld", intent, ...closed });
    return false;
  };
  const slotGate = (order: PlaceOrder) =>
    closedSlots.has(slotOf(namesOf(order))) ? CLOSED_SLOT : null;
  const place: Planned[] = [];
  const stops = batch.place.filter(({ approved }) => approved.target.purpose === "protective_stop");
  for (const order of batch.place) {
    if (!passes(order, slotGate(order) ?? gateOf(deps, order))) continue;
    const made = await firstOrder(deps, order);
    // Only for a moment, and not worth an event.
    if ("exact" in made && deps.stopRoom.givesWay(made.exact, stops.length))
      withheld.push(givenWay(order));
    else if ("exact" in made) place.push(made);
    else passes(order, made.withheld);
  }
  const park: Planned[] = [];
  for (const order of batch.park) {
    const exact = parkedOrder(order.approved, situationOf(deps, order));
    if (!passes(order, slotGate(order) ?? brokenRule(exact)) || !exact.ok) continue;
    park.push({ order, exact: exact.value, ways: [], isMaker: false });
  }
  const send = batch.send.filter(({ intent, order }) => {
    const fits = checkAgain(intent, situationOf(deps, order));
    return passes(order, slotGate(order) ?? brokenRule(fits), intent);
  });
  const plan: Plan = {
    place: place.filter(({ order }) => passes(order, gateOf(deps, order))),
    park: park.filter(({ order }) => passes(order, parkGateOf(deps, order))),
    send: send.filter(({ order, intent }) => passes(order, gateOf(deps, order), intent)),
    withheld,
  };
  for (const { exact } of plan.place) deps.stopRoom.sends(exact);
  return { plan, epoch: deps.cells.cell(deps.account, batch.step?.botId ?? null).epoch };
}

/** An order that opens waits while stops are owed. It is wished again at the next tick. */
function givenWay({ approved }: PlaceOrder): Dispatched {
  const { key: targetKey } = approved.target;
  const sentence = "stops of other positions go first";
  return { targetKey, outcome: "withheld", intent: null, reason: "TRIGGERS_BUSY", sentence };
}

function gateOf(deps: DoorDeps, { botId, approved, market }: PlaceOrder): Closed | null {
  const { purpose } = approved.target;
  return closedGate(deps, { botId, purpose, symbol: market.rules.symbol });
}

/** Parking writes nothing to the exchange: only a forbidden order is not kept. */
function parkGateOf(deps: DoorDeps, order: PlaceOrder): Closed | null {
  const closed = gateOf(deps, order);
  return closed?.reason === "TRADING_STATE" ? closed : null;
}

function brokenRule(checked: Result<unknown>): Closed | null {
  return checked.ok ? null : { reason: "RULES", sentence: checked.detail };
}

function situationOf({ account }: Pick<LiveDeps, "account">, order: PlaceOrder) {
  const { heldQty, referencePrice, market } = order;
  return { rules: market.rules, positionMode: account.positionMode, heldQty, referencePrice };
}

/** The order as it is tried first. */
async function firstOrder(
  deps: DoorDeps,
  order: PlaceOrder,
): Promise<Planned | { readonly withheld: Closed }> {
  const exact = exactOrder(order.approved, situationOf(deps, order));
  if (!exact.ok) return { withheld: { reason: "RULES", sentence: exact.detail } };
  const [way, ...ways] = waysOf(deps, order);
  if (way === undefined) return { order, exact: exact.value, ways: [], isMaker: false };
  const made = await wayOrder(deps, order, exact.value, way);
  if ("withheld" in made) return made;
  return { order, exact: made.exact, ways, isMaker: true };
}

/** An order that was never written down, for events. */
function namesOf({ approved, owner, market }: PlaceOrder): NamedOrder {
  const { target } = approved;
  const { side, purpose, reason, kind, key: targetKey } = target;
  return {
    ...{ owner, side, purpose, reason, targetKey, clientOrderId: null, exchangeOrderId: null },
    symbol: market.rules.symbol,
    qty: multiply(decimal(target.qtyLots), market.rules.qtyStep),
    terms: { kind, price: multiply(decimal(target.priceTicks), market.rules.priceTick) },
  };
}

/** The row of an order. */
export function newIntent(
  { order, exact }: Pick<Planned, "order" | "exact">,
  clientOrderId: ClientOrderId | null,
): NewIntent {
  const status = clientOrderId === null ? "parked" : "sending";
  return { ...exact, owner: order.owner, status, clientOrderId };
}

/**
 * The write-ahead commit of a batch: everything or nothing. Ids that were used before, which a database
 * restored from a backup may know of, are replaced once.
 * @throws when the database is not there; it is not known then whether the rows are
 */
export async function writeAhead(
  deps: LiveDeps,
  ids: ClientIds,
  { plan, epoch }: { readonly plan: Plan; readonly epoch: number },
  also: Pick<DispatchBatch, "step"> & { readonly local: readonly StoredIntent[] },
): Promise<Result<Written, WriteRefusal>> {
  const { account, lease, store, clock } = deps;
  for (let attempt = 1; attempt <= 2; attempt++) {
    const batch = await batchOf(ids, plan, also);
    if (batch === null) return refuse("lease_lost", "the lease of the account is lost");
    if (isEmpty(batch)) return ok({ placed: [], parked: [], sent: [] });
    const { scope } = account;
    const made = await store.commitIntents(scope, lease.guard, epoch, batch, clock.now());
    if (made.ok) return ok(written(plan, made.value));
    if (made.reason !== "duplicate_id") return refuse(made.reason, made.detail);
    if (!(await ids.renew())) return refuse("lease_lost", "the lease of the account is lost");
  }
  throw new InvariantError("client order ids of a fresh stamp were used before");
}

async function batchOf(
  ids: ClientIds,
  { place, park, send }: Plan,
  { step, local }: Pick<DispatchBatch, "step"> & { readonly local: readonly StoredIntent[] },
): Promise<IntentBatch | null> {
  const placed: NewIntent[] = [];
  for (const planned of place) {
    const id = await ids.next(planned.order.botId);
    if (id === null) return null;
    placed.push(newIntent(planned, id));
  }
  const sent: IntentBatch["send"][number][] = [];
  for (const { intent, order } of send) {
    const clientOrderId = await ids.next(order.botId);
    if (clientOrderId === null) return null;
    sent.push({ id: intent.id, clientOrderId });
  }
  return {
    place: [...placed, ...park.map((planned) => newIntent(planned, null))],
    send: sent,
    ...(local.length === 0 ? {} : { withdraw: local.map(({ id }) => id) }),
    ...(step === null ? {} : { step }),
  };
}

function isEmpty({ place, send, withdraw, step }: IntentBatch): boolean {
  return place.length + send.length === 0 && withdraw === undefined && step === undefined;
}

/** The store answers the new intents first, then the sent ones, in the order given. */
function written({ place, park, send }: Plan, rows: readonly StoredIntent[]): Written {
  const row = (index: number): StoredIntent => {
    const intent = rows[index];
    if (intent === undefined) throw new InvariantError("a row of the commit is missing");
    return intent;
  };
  const first = place.length + park.length;
  return {
    placed: place.map((planned, n) => ({ planned, intent: row(n) })),
    parked: park.map((_, n) => row(place.length + n)),
    sent: send.map(({ order }, n) => ({ order, intent: row(first + n) })),
  };
}
