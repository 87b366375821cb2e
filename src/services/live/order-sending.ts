// One order over the wire: the gates right before it, the one call, and what its answer makes of the row.
// Used by the order dispatcher and its maker ladder, which hand in the only way to place an order.
import type { OrderPurpose } from "../../model/order.ts";
import type { BotId } from "../../ports/bot-store.ts";
import type { Broker, NewOrder, RefusalReason, WriteAnswer } from "../../ports/broker.ts";
import type { StoredIntent } from "../../ports/trading-store.ts";
import { permits } from "../../risk/trading-state.ts";
import { assert } from "../../model/result.ts";
import type { Dispatched, LiveDeps, PlaceOrder, WithheldReason } from "./live-types.ts";
import { type NamedOrder, noteOrder, tell } from "./order-news.ts";
import type { StopRoom } from "./stop-room.ts";

/** What the dispatcher's parts work with. */
export type DoorDeps = LiveDeps & {
  /** The only way to the exchange. */
  readonly place: Broker["place"];
  readonly cancel: Broker["cancel"];
  readonly stopRoom: StopRoom;
  readonly doubts: Doubts;
  /** By slot: why it was withheld last. */
  readonly withheld: Map<string, WithheldReason>;
  /** By slot: why it was refused last, so that it is told once. */
  readonly refused: Map<string, RefusalReason>;
};

/** Where orders nobody is sure of are known. */
export type Doubts = {
  isInDoubt(symbol: string): boolean;
  /** From now on, until the rows were read again, the symbol is in doubt. */
  suspect(symbol: string): void;
};

/** Why nothing may be sent now. */
export type Closed = { readonly reason: WithheldReason; readonly sentence: string };

/** An order of a batch and its row. */
export type Sendable = {
  readonly intent: StoredIntent;
  readonly order: Pick<PlaceOrder, "botId" | "market">;
  readonly isFlatten: boolean;
};

/** What became of it; the reason of a refusal beside it. */
export type SendOutcome = { readonly result: Dispatched; readonly refusal: RefusalReason | null };

/** A write needs this much lease by the monotonic clock. */
const LEASE_MIN_MS = 5000;
/** Slots whose last reason is remembered. */
const SLOTS_MAX = 10_000;
/** How often the gate is looked at while a write waits for its turn. */
const WATCH_MS = 250;

/** The first gate that is closed for such an order now; null when all are open. */
export function closedGate(
  { account, cells, lease, doubts }: DoorDeps,
  { botId, purpose, symbol }: { botId: BotId; purpose: OrderPurpose; symbol: string },
): Closed | null {
  const { state, reason } = cells.cell(account, botId);
  if (!permits(state, purpose)) {
    return { reason: "TRADING_STATE", sentence: `the trading state is ${state}: ${reason}` };
  }
  const short = leaseIsShort(lease);
  if (short !== null) return short;
  const isOpening = purpose === "entry" || purpose === "rung";
  if (!isOpening || !doubts.isInDoubt(symbol)) return null;
  const sentence = `an order of ${symbol} is in doubt; nothing is opened before it is settled`;
  return { reason: "UNVERIFIED_PENDING", sentence };
}

/** The closed gate of the lease; null while enough of it is left. */
export function leaseIsShort(lease: LiveDeps["lease"]): Closed | null {
  if (lease.remainingMs() >= LEASE_MIN_MS) return null;
  return { reason: "LEASE_SHORT", sentence: "the lease of the account ends too soon" };
}

/**
 * Sends what was written down, at most once.
 * @throws when its answer cannot be written down: the row stays `sending` and is in doubt
 */
export async function sendIntent(deps: DoorDeps, sendable: Sendable): Promise<SendOutcome> {
  const { intent, order } = sendable;
  const { purpose, symbol } = intent;
  const closed = closedGate(deps, { botId: order.botId, purpose, symbol });
  if (closed !== null) return { result: await withhold(deps, intent, closed), refusal: null };
  const answer = await placed(deps, sendable);
  if (answer.outcome === "accepted") {
    const { exchangeOrderId } = answer.value;
    const row = await tell(deps, intent, { event: "accepted", exchangeOrderId });
    deps.withheld.delete(slotOf(intent));
    deps.refused.delete(slotOf(intent));
    noteOrder(deps, "order_placed", row, "the exchange accepted it");
    return found("open", row);
  }
  const { sentence } = answer;
  // Some order of ours has the id: it is looked for, and this one is never sent under another.
  const isRefused = answer.outcome === "refused" && answer.reason !== "DUPLICATE_CLIENT_ID";
  if (!isRefused) {
    deps.doubts.suspect(symbol);
    const row = await tell(deps, intent, { event: "unverified", detail: sentence });
    if (row.status !== "unverified") return found("open", row);
    noteOrder(deps, "order_unverified", row, sentence);
    return found("unverified", row);
  }
  const row = await tell(deps, intent, { event: "refused", detail: sentence });
  // Facts that came in meanwhile say that it is there.
  if (row.status !== "refused") return found("open", row);
  const { targetKey } = intent;
  const { advice, reason } = answer;
  if (deps.refused.get(slotOf(intent)) !== reason) noteOrder(deps, "order_refused", row, sentence);
  if (deps.refused.size >= SLOTS_MAX) deps.refused.clear();
  deps.refused.set(slotOf(intent), reason);
  return {
    result: { targetKey, outcome: "refused", intent: row, reason, advice, sentence },
    refusal: reason,
  };
}

function found(outcome: "open" | "unverified", intent: StoredIntent): SendOutcome {
  return { result: { targetKey: intent.targetKey, outcome, intent }, refusal: null };
}

/** Takes back what was written down and is not sent. */
async function withhold(
  deps: DoorDeps,
  intent: StoredIntent,
  { reason, sentence }: Closed,
): Promise<Dispatched> {
  const row = await tell(deps, intent, { event: "refused", detail: `not sent: ${sentence}` });
  noteWithheld(deps, row, { reason, sentence });
  return { targetKey: intent.targetKey, outcome: "withheld", intent: row, reason, sentence };
}

/** Notes that an order was not sent, once as long as the reason stays the same. */
export function noteWithheld(deps: DoorDeps, order: NamedOrder, closed: Closed): void {
  const { reason, sentence } = closed;
  const slot = slotOf(order);
  if (deps.withheld.get(slot) === reason) return;
  if (deps.withheld.size >= SLOTS_MAX) deps.withheld.clear();
  deps.withheld.set(slot, reason);
  const kind = reason === "TRADING_STATE" ? "kill_switch_block" : "order_withheld";
  noteOrder(deps, kind, order, `it was not sent: ${sentence}`);
}

/** The slot of an order: what may hold one order at a time. */
export function slotOf(order: Pick<NamedOrder, "owner" | "symbol" | "targetKey">): string {
  return `${order.owner} ${order.symbol} ${order.targetKey}`;
}

/** The one call. While it waits for its turn, a gate that closes stops it. */
async function placed(
  deps: DoorDeps,
  { intent, order, isFlatten }: Sendable,
): Promise<WriteAnswer<{ exchangeOrderId: string }>> {
  const stopped = new AbortController();
  const ended = new AbortController();
  const { botId } = order;
  const { purpose } = intent;
  const mayLeave = () =>
    permits(deps.cells.cell(deps.account, botId).state, purpose) && deps.lease.remainingMs() > 0;
  void watch(deps, ended.signal, () => {
    if (!mayLeave()) stopped.abort(new Error("the gate was closed"));
  });
  try {
    const { signal } = stopped;
    return await deps.place(newOrder(intent, order), { signal, isFlatten, mayLeave });
  } catch (error) {
    // It may have left before it failed: only asking tells.
    const { clientOrderId } = intent;
    deps.log.error(`placing failed without an answer: ${String(error)}`, { clientOrderId });
    return { outcome: "unverified", cause: "said_unknown", sentence: "the call itself failed" };
  } finally {
    ended.abort();
  }
}

async function watch(
  { clock }: Pick<LiveDeps, "clock">,
  ended: AbortSignal,
  look: () => void,
): Promise<void> {
  while (!ended.aborted) {
    const isOver = await clock.sleep(WATCH_MS, ended).then(
      () => false,
      () => true,
    );
    if (isOver) return;
    look();
  }
}

function newOrder(intent: StoredIntent, { market }: Pick<PlaceOrder, "market">): NewOrder {
  const { clientOrderId, symbol, side, leg, terms, qty, isReduceOnly } = intent;
  assert(clientOrderId !== null, `intent ${intent.id} has no client order id`);
  return {
    ...{ clientOrderId, symbol, side, terms, qty, isReduceOnly },
    positionSide: leg === "net" ? null : leg,
    visibleQty: null,
    leverage: market.leverage,
  };
}
