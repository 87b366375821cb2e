// What the exchange shows against what we hold. Entry points: `reconcile` for a snapshot of the account and
// `settle` for the answer to a question about one order. Pure: they return news for intents, questions
// to ask and findings to show; the caller carries them out. Nothing here sends, cancels or books.
// Invariants: a list never ends an order (only an answer or "not found" for long do); strangers are never
// touched; a missing input defers its check; repeating a pass over its own result finds nothing.
import { parseClientOrderId } from "../model/client-order-id.ts";
import { compare, type Decimal, subtract } from "../model/decimal.ts";
import type { EpochMs } from "../model/time.ts";
import { isFinal } from "./order-machine.ts";
import { compareMode, comparePositions, compareStrangers } from "./position-drift.ts";
import type {
  AccountSnapshot,
  AccountView,
  Draft,
  Inquiry,
  OrderNews,
  OrderView,
  ReconcileMemory,
  ReconcileOutcome,
  SeenOrder,
} from "./reconcile-view.ts";

const ZERO = "0" as Decimal;
const STRIKES = 3;
const STRIKES_SPAN_MS = 60_000;
/** Trade records follow an execution within seconds; one that is told of for longer is missed. */
const RECORD_LATE_MS = 30_000;

/** Compares a snapshot with our view. */
export function reconcile(
  view: AccountView,
  snapshot: AccountSnapshot,
  memory: ReconcileMemory,
): ReconcileOutcome {
  const draft = draftOf(memory);
  if (snapshot.orders !== null) compareOrders(view, snapshot.orders, snapshot, draft);
  askForRecords(view.orders, snapshot.askedAt, draft);
  compareStrangers(view, draft);
  if (snapshot.positions !== null) {
    compareMode(view, snapshot.positions, draft);
    // Legs of one mode say nothing about legs of the other.
    if (!draft.isModeReported) comparePositions(view, snapshot.positions, draft);
  }
  return outcomeOf(draft);
}

/**
 * Takes the answer to an inquiry about one order; null is "there is no such order". A working order ends
 * only by the third null in a row and a minute after the first, because exchanges show new orders late;
 * every null asks for trades, because a fill is the most frequent reason to vanish.
 * @param at ms of a clock that never goes back, the same one for the whole memory; without it a null
 *   never ends an order
 */
export function settle(
  order: OrderView,
  answer: SeenOrder | null,
  memory: ReconcileMemory,
  at = 0,
): ReconcileOutcome {
  const draft = draftOf(memory);
  const { clientOrderId, symbol, sentAt } = order;
  if (answer !== null) {
    delete draft.strikes[clientOrderId];
    answered(order, answer, draft);
    return outcomeOf(draft);
  }
  if (!isWorking(order)) return outcomeOf(draft);
  const before = draft.strikes[clientOrderId] ?? { count: 0, firstAt: at };
  const strikes = { ...before, count: before.count + 1 };
  if (strikes.count < STRIKES || at - strikes.firstAt < STRIKES_SPAN_MS) {
    draft.strikes[clientOrderId] = strikes;
    draft.inquiries.push({ kind: "trades", symbol, sinceAt: sentAt });
    return outcomeOf(draft);
  }
  delete draft.strikes[clientOrderId];
  tell(draft, order, "not_found", null);
  draft.findings.push({ kind: "order_missing_cancelled", clientOrderId });
  return outcomeOf(draft);
}

const EVENT_OF: Readonly<Record<SeenOrder["status"], OrderNews["event"]>> = {
  open: "found_working",
  partly_filled: "found_working",
  unknown: "found_working",
  filled: "reported_filled",
  cancelled: "cancelled",
  rejected: "refused",
  expired: "expired",
};

function answered(order: OrderView, answer: SeenOrder, draft: Draft): void {
  const isMore = noteFills(order, answer, draft);
  const event = EVENT_OF[answer.status];
  const isNews =
    event === "found_working"
      ? order.status !== "filled" && (!isWorking(order) || isMore)
      : // A record that the order ended adds nothing to one that ended already, except a full fill.
        !isFinal(order.status) ||
        order.status === "abandoned" ||
        (event === "reported_filled" && order.status !== "filled");
  if (isNews) tell(draft, order, event, answer);
}

function compareOrders(
  view: AccountView,
  seen: readonly SeenOrder[],
  { askedAt }: AccountSnapshot,
  draft: Draft,
): void {
  const ours = view.orders;
  const byClient = new Map(ours.map((order) => [order.clientOrderId, order]));
  const byExchange = new Map<string, OrderView>();
  for (const order of ours) {
    const key = exchangeKey(order);
    if (key !== null) byExchange.set(key, order);
  }
  const matched = new Set<string>();
  const others: SeenOrder[] = [];
  for (const found of seen) {
    const order =
      (found.clientOrderId === null ? undefined : byClient.get(found.clientOrderId)) ??
      byExchange.get(`${found.symbol}#${found.exchangeOrderId}`);
    if (order) {
      matched.add(order.clientOrderId);
      listed(order, found, draft);
    } else if (!isTriggered(ours, found)) others.push(found);
  }
  noteOthers(others, draft);
  const strikes = draft.strikes;
  draft.strikes = {};
  for (const order of ours) {
    const { clientOrderId, sentAt } = order;
    // What is being sent or doubted belongs to the dispatcher's resolver, not to the list.
    const isExpected = isWorking(order) && sentAt < askedAt;
    if (isExpected && !matched.has(clientOrderId)) {
      draft.inquiries.push({ kind: "order", clientOrderId });
      const struck = strikes[clientOrderId];
      if (struck !== undefined) draft.strikes[clientOrderId] = struck;
    }
  }
}

function isWorking({ status }: OrderView): boolean {
  return status === "open" || status === "partly_filled";
}

/** Whether the order is what one of our trigger orders became in the book. */
function isTriggered(ours: readonly OrderView[], found: SeenOrder): boolean {
  const { clientOrderId, symbol, side, qty } = found;
  if (clientOrderId !== null || qty === null) return false;
  return ours.some(
    (order) =>
      order.terms.kind === "trigger" &&
      isWorking(order) &&
      order.symbol === symbol &&
      order.side === side &&
      compare(order.qty, qty) === 0,
  );
}

/** Orders that are not ours: those in our writing come from another instance. */
function noteOthers(others: readonly SeenOrder[], draft: Draft): void {
  const [strangers, rivals]: [string[], string[]] = [[], []];
  for (const { symbol, exchangeOrderId, clientOrderId } of others) {
    const key = `${symbol}#${exchangeOrderId}`;
    const parts = clientOrderId === null ? null : parseClientOrderId(clientOrderId);
    if (clientOrderId === null || parts === null || parts.bot === 0) {
      strangers.push(key);
      if (!draft.strangers.includes(key)) {
        draft.findings.push({ kind: "stranger", symbol, exchangeOrderId });
      }
      continue;
    }
    rivals.push(key);
    if (draft.rivals.includes(key)) continue;
    const { instance } = parts;
    draft.findings.push({
      ...{ kind: "second_instance", symbol, exchangeOrderId, clientOrderId, instance },
    });
  }
  draft.strangers = strangers;
  draft.rivals = rivals;
}

/**
 * What the exchange said is filled needs its records, also after the order has ended. A person is told
 * once, when they are late: that an order is filled is often known before its records are.
 */
function askForRecords(ours: readonly OrderView[], askedAt: EpochMs, draft: Draft): void {
  const before = draft.lacks;
  draft.lacks = {};
  for (const { clientOrderId, symbol, status, sentAt, filledQty, reportedFilledQty } of ours) {
    if (reportedFilledQty === null || compare(reportedFilledQty, filledQty) <= 0) continue;
    if (isFinal(status)) draft.inquiries.push({ kind: "order", clientOrderId });
    draft.inquiries.push({ kind: "trades", symbol, sinceAt: sentAt });
    const known = before[clientOrderId];
    const sinceAt = Math.min(known?.sinceAt ?? askedAt, askedAt);
    const isTold = known?.isTold ?? false;
    const isLate = askedAt - sinceAt >= RECORD_LATE_MS;
    draft.lacks[clientOrderId] = { sinceAt, isTold: isTold || isLate };
    if (!isLate || isTold) continue;
    const qty = subtract(reportedFilledQty, filledQty);
    draft.findings.push({ kind: "missed_fill", clientOrderId, qty });
  }
}

function exchangeKey({ symbol, exchangeOrderId }: OrderView): string | null {
  return exchangeOrderId === null ? null : `${symbol}#${exchangeOrderId}`;
}

function listed(order: OrderView, found: SeenOrder, draft: Draft): void {
  const { clientOrderId, status } = order;
  if (isFinal(status) && status !== "abandoned") {
    // An old list, or an order we believe gone: only an answer about it may tell.
    draft.inquiries.push({ kind: "order", clientOrderId });
    return;
  }
  const isMore = noteFills(order, found, draft);
  if (status === "abandoned") draft.findings.push({ kind: "order_adopted", clientOrderId });
  if (!isWorking(order) || isMore || order.exchangeOrderId === null)
    tell(draft, order, "listed", found);
}

/** Asks for trade records that are missing. @returns whether the exchange says more than before */
function noteFills(order: OrderView, found: SeenOrder, draft: Draft): boolean {
  const { symbol, sentAt, filledQty, reportedFilledQty } = order;
  if (compare(found.filledQty, filledQty) <= 0) return false;
  draft.inquiries.push({ kind: "trades", symbol, sinceAt: sentAt });
  return compare(found.filledQty, reportedFilledQty ?? ZERO) > 0;
}

function tell(
  draft: Draft,
  order: OrderView,
  event: OrderNews["event"],
  found: SeenOrder | null,
): void {
  draft.news.push({
    clientOrderId: order.clientOrderId,
    event,
    exchangeOrderId: found?.exchangeOrderId ?? null,
    reportedFilledQty: found?.filledQty ?? null,
  });
}

function draftOf(memory: ReconcileMemory): Draft {
  return {
    strikes: { ...memory.strikes },
    lacks: { ...memory.lacks },
    strangers: [...memory.strangers],
    rivals: [...memory.rivals],
    drifts: { ...memory.drifts },
    taken: memory.taken && { ...memory.taken },
    isModeReported: memory.isModeReported,
    news: [],
    inquiries: [],
    findings: [],
  };
}

function outcomeOf({ news, inquiries, findings, ...memory }: Draft): ReconcileOutcome {
  return { memory, news, findings, inquiries: unique(inquiries) };
}

/** The same question is asked once; trades of a symbol are asked for from the earliest instant. */
function unique(inquiries: readonly Inquiry[]): Inquiry[] {
  const orders = new Map<string, Inquiry>();
  const trades = new Map<string, EpochMs | null>();
  for (const inquiry of inquiries) {
    if (inquiry.kind === "order") orders.set(inquiry.clientOrderId, inquiry);
    else {
      const { symbol, sinceAt } = inquiry;
      const known = trades.get(symbol);
      const isFirst = known === undefined;
      const earliest =
        known === null || sinceAt === null ? null : Math.min(known ?? sinceAt, sinceAt);
      trades.set(symbol, isFirst ? sinceAt : earliest);
    }
  }
  return [
    ...orders.values(),
    ...[...trades].map(([symbol, sinceAt]): Inquiry => ({ kind: "trades", symbol, sinceAt })),
  ];
}
