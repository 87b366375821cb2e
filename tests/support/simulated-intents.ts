// Intents of the simulated store. Used by simulated-store.ts.
import { add, compare, type Decimal, decimal } from "../../src/model/decimal.ts";
import type { OrderTransition } from "../../src/model/order-status.ts";
import { assert, ok, refuse, type Result } from "../../src/model/result.ts";
import type { EpochMs } from "../../src/model/time.ts";
import type {
  CommitRefusal,
  IntentBatch,
  IntentId,
  IntentNews,
  NewIntent,
  StepRecord,
  StoredIntent,
} from "../../src/ports/trading-store.ts";
import { type Book, noteEvents, type World } from "./simulated-rows.ts";

const ZERO = decimal(0);

/** All or nothing: the draft is thrown away by a refusal, because nothing was put in before. */
export function commitIntents(
  world: World,
  book: Book,
  next: OrderTransition,
  batch: IntentBatch,
  at: EpochMs,
): Result<readonly StoredIntent[], CommitRefusal> {
  const { place, send, withdraw = [], step } = batch;
  const ids = [...send.map(({ id }) => id), ...withdraw];
  assert(new Set(ids).size === ids.length, "an intent is sent or withdrawn once per commit");
  const can = (id: IntentId, event: "send" | "withdraw") => {
    const intent = book.intents.get(id);
    return intent !== undefined && next(intent.status, event) !== null;
  };
  if (!send.every(({ id }) => can(id, "send")) || !withdraw.every((id) => can(id, "withdraw"))) {
    return refuse("not_waiting", "an intent is not waiting any more");
  }
  const used = [...book.intents.values(), ...place, ...send]
    .map(({ clientOrderId }) => clientOrderId)
    .filter((id) => id !== null);
  if (new Set(used).size < used.length) {
    return refuse("duplicate_id", "a client order id of these intents was used before");
  }
  if (step && !moveState(world, book, step, at)) {
    return refuse("state_moved", "the state of the bot is not the one that was seen");
  }
  const placed = place.map((intent) => placedIntent(book, intent, at));
  const sent = send.map(({ id, clientOrderId }) =>
    changed(book, id, { status: "sending", clientOrderId, sentAt: at, updatedAt: at }),
  );
  for (const id of withdraw) changed(book, id, { status: "cancelled", updatedAt: at });
  return ok([...placed, ...sent]);
}

function changed(book: Book, id: IntentId, change: Partial<StoredIntent>): StoredIntent {
  const intent = book.intents.get(id);
  assert(intent !== undefined, "the intent waits");
  const stored = { ...intent, ...change };
  book.intents.set(id, stored);
  return stored;
}

/** False when the bot is gone or its state is not the one that was seen. */
function moveState(world: World, book: Book, step: StepRecord, at: EpochMs): boolean {
  const { botId, seenVersion, state, events } = step;
  const bot = book.bots.get(botId);
  const version = book.states.get(botId)?.version ?? 0;
  if (!bot || bot.isDeleted || version !== seenVersion) return false;
  book.states.set(botId, { botId, version: version + 1, body: state, updatedAt: at });
  noteEvents(world, book, events);
  return true;
}

function placedIntent(book: Book, intent: NewIntent, at: EpochMs): StoredIntent {
  const isSending = intent.status === "sending";
  assert(isSending === (intent.clientOrderId !== null), "an intent has its id when it is sent");
  const stored: StoredIntent = {
    ...intent,
    id: (book.intents.size + 1) as IntentId,
    exchangeOrderId: null,
    filledQty: ZERO,
    reportedFilledQty: null,
    detail: null,
    sentAt: isSending ? at : null,
    updatedAt: at,
  };
  book.intents.set(stored.id, stored);
  return stored;
}

/** Moves an intent on and gives it the fills that came before its order was known. */
export function recordNews(
  book: Book,
  next: OrderTransition,
  id: IntentId,
  news: IntentNews,
  at: EpochMs,
): Result<StoredIntent, "unknown_intent" | "impossible"> {
  const intent = book.intents.get(id);
  if (!intent) return refuse("unknown_intent", "the account has no such intent");
  const status = next(intent.status, news.event);
  const isOther =
    intent.exchangeOrderId !== null &&
    news.exchangeOrderId !== undefined &&
    intent.exchangeOrderId !== news.exchangeOrderId;
  if (status === null || isOther) {
    return refuse("impossible", `${news.event} cannot happen to an order that is ${intent.status}`);
  }
  const stored: StoredIntent = {
    ...intent,
    status,
    exchangeOrderId: intent.exchangeOrderId ?? news.exchangeOrderId ?? null,
    reportedFilledQty: larger(intent.reportedFilledQty, news.reportedFilledQty ?? null),
    detail: news.detail ?? intent.detail,
    updatedAt: at,
  };
  book.intents.set(id, stored);
  let adopted = 0;
  for (const [ref, kept] of book.fills) {
    const { fill, intentId } = kept;
    const isIts = fill.exchangeOrderId === stored.exchangeOrderId && fill.symbol === stored.symbol;
    if (!isIts || intentId !== null) continue;
    book.fills.set(ref, { fill, intentId: id });
    adopted += 1;
  }
  if (adopted > 0) countFills(book, next, id, at);
  return ok(book.intents.get(id) ?? stored);
}

function larger(a: Decimal | null, b: Decimal | null): Decimal | null {
  if (a === null || b === null) return a ?? b;
  return compare(a, b) >= 0 ? a : b;
}

/** Adds up the fills of an intent and moves its status on. */
export function countFills(book: Book, next: OrderTransition, id: IntentId, at: EpochMs): void {
  const intent = book.intents.get(id);
  assert(intent !== undefined, "the intent is there");
  let filledQty = ZERO;
  for (const { fill, intentId } of book.fills.values()) {
    if (intentId === id) filledQty = add(filledQty, fill.qty);
  }
  const event = compare(filledQty, intent.qty) >= 0 ? "fill_rest" : "fill_part";
  const status = next(intent.status, event);
  assert(status !== null, `a fill for an order that is ${intent.status}`);
  book.intents.set(id, {
    ...intent,
    filledQty,
    status,
    updatedAt: Math.max(intent.updatedAt, at),
  });
}
