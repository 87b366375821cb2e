// What was written down, on its way over the wire: one order after the other, those that look for their place
// way by way. Used by the order dispatcher; a failure leaves the rest to the unverified resolver.
import { assert } from "../../model/result.ts";
import type { IntentId, StoredIntent } from "../../ports/trading-store.ts";
import type { ClientIds } from "./client-ids.ts";
import type { Dispatched } from "./live-types.ts";
import { isNoWay, lookedAt, wasTurnedAway, wayOrder } from "./maker-ladder.ts";
import { type Planned, writeAhead, type Written } from "./order-batch.ts";
import { noteOrder } from "./order-news.ts";
import {
  type Closed,
  closedGate,
  type DoorDeps,
  type Sendable,
  sendIntent,
  type SendOutcome,
} from "./order-sending.ts";

/** What a flight needs; `inFlight` holds the orders that are written down and not answered yet. */
export type Flight = {
  readonly deps: DoorDeps;
  readonly ids: ClientIds;
  readonly inFlight: Set<IntentId>;
};

/**
 * Sends everything that was written down, in the order of the batch.
 * @throws when an answer cannot be written down: it and what comes after it stay `sending` and in doubt
 */
export async function fly(
  flight: Flight,
  { placed, parked, sent }: Written,
  isFlatten: boolean,
): Promise<Dispatched[]> {
  const { deps, inFlight } = flight;
  const all = [...placed.map(({ intent }) => intent), ...sent.map(({ intent }) => intent)];
  for (const { id } of all) inFlight.add(id);
  const done: Dispatched[] = [];
  let isDone = false;
  try {
    for (const { planned, intent } of placed) {
      const { order, isMaker } = planned;
      if (isMaker) done.push(await climb(flight, planned, intent, isFlatten));
      else done.push((await send(flight, { intent, order, isFlatten })).result);
    }
    for (const intent of parked) {
      done.push({ targetKey: intent.targetKey, outcome: "parked", intent });
    }
    for (const { order, intent } of sent) {
      done.push((await send(flight, { intent, order, isFlatten })).result);
    }
    isDone = true;
    return done;
  } finally {
    // After a failure: written down, and nobody knows what became of them.
    if (!isDone) for (const { symbol } of all) deps.doubts.suspect(symbol);
    inFlight.clear();
  }
}

async function send({ deps, inFlight }: Flight, sendable: Sendable): Promise<SendOutcome> {
  const { id } = sendable.intent;
  inFlight.add(id);
  const outcome = await sendIntent(deps, sendable);
  inFlight.delete(id);
  return outcome;
}

/** Looks for a place until the order rests, took, is in doubt or has no way left. */
async function climb(
  flight: Flight,
  planned: Planned,
  intent: StoredIntent,
  isFlatten: boolean,
): Promise<Dispatched> {
  const { deps } = flight;
  const { order, exact } = planned;
  let outcome = await seen(deps, await send(flight, { intent, order, isFlatten }));
  for (const way of planned.ways) {
    const { result, refusal } = outcome;
    if (result.outcome !== "refused" || !isNoWay(refusal)) break;
    const next = await wayOrder(deps, order, exact, way);
    if ("withheld" in next) return held(result.intent, next.withheld);
    const written = await writeStep(flight, { ...planned, exact: next.exact });
    if ("withheld" in written) return held(result.intent, written.withheld);
    const sentence = `${result.sentence}; the next way is ${next.exact.terms.kind}`;
    noteOrder(deps, "maker_fallback", written.intent, sentence);
    outcome = await seen(deps, await send(flight, { intent: written.intent, order, isFlatten }));
  }
  return outcome.result;
}

function held(intent: StoredIntent, { reason, sentence }: Closed): Dispatched {
  return { targetKey: intent.targetKey, outcome: "withheld", intent, reason, sentence };
}

/** A way of its own is an order of its own: with a row, an id and all gates before it. */
async function writeStep(
  { deps, ids }: Flight,
  planned: Planned,
): Promise<{ readonly intent: StoredIntent } | { readonly withheld: Closed }> {
  const { botId } = planned.order;
  const { purpose, symbol } = planned.exact;
  const closed = closedGate(deps, { botId, purpose, symbol });
  if (closed !== null) return { withheld: closed };
  const { epoch } = deps.cells.cell(deps.account, botId);
  const plan = { place: [planned], park: [], send: [], withheld: [] };
  const made = await writeAhead(deps, ids, { plan, epoch }, { step: null, local: [] });
  if (made.ok) {
    const [one] = made.value.placed;
    assert(one !== undefined, "one order was written down");
    return { intent: one.intent };
  }
  const reason = made.reason === "epoch_moved" ? "TRADING_STATE" : "LEASE_SHORT";
  return { withheld: { reason, sentence: made.detail } };
}

/** An exchange may accept an order that would take and end it a moment later. */
async function seen(deps: DoorDeps, outcome: SendOutcome): Promise<SendOutcome> {
  const { result } = outcome;
  if (result.outcome !== "open") return outcome;
  const { kind } = result.intent.terms;
  if (kind !== "queue" && kind !== "post_only") return outcome;
  const intent = await lookedAt(deps, result.intent);
  const { targetKey } = result;
  if (!wasTurnedAway(intent))
    return { result: { targetKey, outcome: "open", intent }, refusal: null };
  const sentence = "the exchange ended it at once instead of letting it take";
  const advice = "decide_again";
  const reason = "WOULD_TAKE";
  return {
    result: { targetKey, outcome: "refused", intent, reason, advice, sentence },
    refusal: reason,
  };
}
