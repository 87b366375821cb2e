// Takes orders back: asks the exchange to cancel, then asks about each order until it is proven gone.
// Used by the order dispatcher, which hands in the only way to cancel. A cancel that was accepted is
// only a wish: what ends an order is an answer about the order itself.
import { isFinal } from "../../execution/order-machine.ts";
import { compare } from "../../model/decimal.ts";
import type { CallOptions, OrderReport } from "../../ports/broker.ts";
import type { IntentId, StoredIntent } from "../../ports/trading-store.ts";
import type { Cancelled, DispatchBatch } from "./live-types.ts";
import { askFor, botIdOf, noteOrder, refOf, tellReport } from "./order-news.ts";
import { type DoorDeps, leaseIsShort, noteWithheld, slotOf } from "./order-sending.ts";

/** What became of the cancels of a batch. */
export type CancelOutcome = {
  /** All but those that wait here. */
  readonly cancelled: readonly Cancelled[];
  /** Waiting here: they are taken back by the commit. */
  readonly local: readonly StoredIntent[];
  /** Slots in which nothing may be placed now, by `slotOf`. */
  readonly closedSlots: ReadonlySet<string>;
};

/** The other orders of a batch do not wait for the turn of one. */
const PATIENCE_MS = 300;
const PROTECTIVE = "protective_stop";
/** Waits before each look at the orders that are not proven gone. */
const LOOKS_AFTER_MS = [150, 400, 500, 1000];

/**
 * Cancels what rests and looks until it is gone, four times at most. A protective stop that is to be placed waits
 * for the one before it alone: what else is not proven gone by then keeps its slot for the next batch.
 */
export async function cancelOrders(
  deps: DoorDeps,
  { cancel: intents, place, isFlatten }: Pick<DispatchBatch, "cancel" | "place" | "isFlatten">,
): Promise<CancelOutcome> {
  const options: CallOptions = { signal: new AbortController().signal, isFlatten };
  const ended = new Map<IntentId, Cancelled>();
  const local: StoredIntent[] = [];
  const asked: StoredIntent[] = [];
  for (const intent of intents) {
    const { id: intentId } = intent;
    if (isFinal(intent.status)) {
      ended.set(intentId, { intentId, outcome: "gone", intent });
    } else if (isWithheld(deps, intent)) {
      ended.set(intentId, { intentId, outcome: "withheld", intent });
    } else if (intent.status === "planned" || intent.status === "parked") {
      local.push(intent);
    } else {
      if (await mayBeGone(deps, intent, options)) asked.push(intent);
      ended.set(intentId, { intentId, outcome: "asked", intent });
    }
  }
  const closedSlots = new Set<string>();
  const isAwaited = place.some(({ approved }) => approved.target.purpose === PROTECTIVE)
    ? ({ purpose }: StoredIntent) => purpose === PROTECTIVE
    : () => true;
  await lookUntilGone(deps, asked, isAwaited, options, (intent, report, row) => {
    const { id: intentId } = intent;
    if (isFinal(row.status)) ended.set(intentId, { intentId, outcome: "gone", intent: row });
    // The decision to replace it did not know of these fills.
    if (compare(report.filledQty, intent.filledQty) > 0) closedSlots.add(slotOf(intent));
  });
  const cancelled = [...ended.values()];
  for (const { outcome, intent } of cancelled) {
    if (outcome !== "gone") closedSlots.add(slotOf(intent));
  }
  return { cancelled, local, closedSlots };
}

/** Frozen touches nothing, and a lease about to end is no right to write. */
function isWithheld(deps: DoorDeps, intent: StoredIntent): boolean {
  const { state, reason } = deps.cells.cell(deps.account, botIdOf(intent.owner));
  const frozen =
    state === "frozen"
      ? { reason: "TRADING_STATE" as const, sentence: `the trading state is frozen: ${reason}` }
      : null;
  const closed = frozen ?? leaseIsShort(deps.lease);
  if (closed !== null) noteWithheld(deps, intent, closed);
  return closed !== null;
}

/** Asks once to cancel. A cancel that provably never reached the order needs no look. */
async function mayBeGone(
  deps: DoorDeps,
  intent: StoredIntent,
  options: CallOptions,
): Promise<boolean> {
  try {
    const botId = botIdOf(intent.owner);
    const mayLeave = () =>
      deps.cells.cell(deps.account, botId).state !== "frozen" && deps.lease.remainingMs() > 0;
    const answer = await deps.cancel(refOf(intent), { ...options, mayLeave });
    return answer.outcome !== "refused" || answer.advice === "ask";
  } catch (error) {
    // It may have left before it failed: only asking tells.
    const { clientOrderId } = intent;
    deps.log.error(`cancelling failed without an answer: ${String(error)}`, { clientOrderId });
    return true;
  }
}

type Seen = (intent: StoredIntent, report: OrderReport, row: StoredIntent) => void;

/** Looks at all of them as long as one that is waited for is left. */
async function lookUntilGone(
  deps: DoorDeps,
  intents: readonly StoredIntent[],
  isAwaited: (intent: StoredIntent) => boolean,
  options: CallOptions,
  onSeen: Seen,
): Promise<void> {
  let left = intents;
  for (const waitMs of LOOKS_AFTER_MS) {
    if (left.length === 0 || (left !== intents && !left.some(isAwaited))) return;
    await deps.clock.sleep(waitMs);
    const still: StoredIntent[] = [];
    for (const intent of left) {
      if (!(await isProvenGone(deps, intent, options, onSeen))) still.push(intent);
    }
    left = still;
  }
}

/** A question that was not answered, and an answer that there is no such order, prove nothing. */
async function isProvenGone(
  deps: DoorDeps,
  intent: StoredIntent,
  options: CallOptions,
  onSeen: Seen,
): Promise<boolean> {
  let report: OrderReport | null;
  try {
    report = await askFor(deps, intent, { ...options, patienceMs: PATIENCE_MS });
  } catch (error) {
    const { clientOrderId } = intent;
    deps.log.warn(`a cancelled order could not be asked about: ${String(error)}`, {
      clientOrderId,
    });
    return false;
  }
  if (report === null) return false;
  const row = await tellReport(deps, intent, report);
  onSeen(intent, report, row);
  if (!isFinal(row.status)) return false;
  if (row.status === "cancelled") {
    noteOrder(deps, "order_cancelled", row, "it was cancelled");
  }
  return true;
}
