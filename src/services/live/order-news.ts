// What the exchange says about one of our orders, on its way into the rows and the events. Used by the
// dispatcher, the maker ladder and the resolver; it asks and records, it never sends or cancels.
import { FRESH_MEMORY } from "../../execution/reconcile-view.ts";
import { settle } from "../../execution/reconcile.ts";
import { isOwnReport } from "../../execution/own-report.ts";
import type { Decimal } from "../../model/decimal.ts";
import type { EventKind } from "../../model/event-kinds.ts";
import { assert } from "../../model/result.ts";
import type { Owner } from "../../model/trade-record.ts";
import type { BotId } from "../../ports/bot-store.ts";
import type { CallOptions, OrderRef, OrderReport } from "../../ports/broker.ts";
import type { IntentNews, StoredIntent } from "../../ports/trading-store.ts";
import type { LiveDeps } from "./live-types.ts";

const SENTENCE_MAX = 500;

/**
 * Writes down what happened. News that cannot happen to the row any more are dropped: facts that came
 * in meanwhile say more, and the row as it stands is answered.
 * @throws when the lease is lost or the database is not there: the row stays as it is
 */
export async function tell(
  deps: LiveDeps,
  intent: StoredIntent,
  news: IntentNews,
): Promise<StoredIntent> {
  const { account, lease, store, clock, log } = deps;
  const cut = news.detail === undefined ? {} : { detail: news.detail.slice(0, SENTENCE_MAX) };
  const line = { ...news, ...cut };
  const told = await store.recordNews(account.scope, lease.guard, intent.id, line, clock.now());
  if (told.ok) return told.value;
  if (told.reason === "lease_lost") throw new Error(`the lease is lost: ${told.detail}`);
  const { clientOrderId } = intent;
  log.warn(`${news.event} was not recorded: ${told.detail}`, { clientOrderId });
  const found =
    clientOrderId === null
      ? null
      : await store.findIntent(account.scope, account.accountId, clientOrderId);
  assert(found !== null, `intent ${intent.id}: ${told.detail}`);
  return found;
}

/** Writes down an answer about the order; an answer without anything new leaves the row alone. */
export async function tellReport(
  deps: LiveDeps,
  intent: StoredIntent,
  report: OrderReport,
): Promise<StoredIntent> {
  const { clientOrderId, sentAt } = intent;
  assert(clientOrderId !== null && sentAt !== null, `intent ${intent.id} was never sent`);
  const { news } = settle({ ...intent, clientOrderId, sentAt }, report, FRESH_MEMORY);
  let row = intent;
  for (const { event, exchangeOrderId, reportedFilledQty } of news) {
    assert(isTold(event), `${event} is no news`);
    row = await tell(deps, row, {
      event,
      ...(exchangeOrderId === null ? {} : { exchangeOrderId }),
      ...(reportedFilledQty === null ? {} : { reportedFilledQty }),
    });
  }
  return row;
}

function isTold(event: string): event is IntentNews["event"] {
  return event !== "send" && event !== "fill_part" && event !== "fill_rest";
}

/** How the exchange finds the order: by its own id as soon as it is known. */
export function refOf(intent: StoredIntent): OrderRef {
  const { symbol, exchangeOrderId, clientOrderId, terms } = intent;
  const isTrigger = terms.kind === "trigger";
  if (exchangeOrderId !== null) return { symbol, by: "exchange", id: exchangeOrderId, isTrigger };
  assert(clientOrderId !== null, `intent ${intent.id} was never sent`);
  return { symbol, by: "client", id: clientOrderId, isTrigger };
}

/**
 * Asks for the order. Null when the exchange says there is none, and when the one it shows cannot be
 * ours, which happens where client ids may be used again.
 * @throws a BrokerFault when the question was not answered
 */
export async function askFor(
  { broker }: Pick<LiveDeps, "broker">,
  intent: StoredIntent,
  options: CallOptions,
): Promise<OrderReport | null> {
  const ref = refOf(intent);
  const report = await broker.order(ref, options);
  if (report === null || ref.by === "exchange" || !broker.capabilities.reusesClientIds) {
    return report;
  }
  return isOwnReport(intent, report) ? report : null;
}

/** The bot an owner stands for; null for groups. */
export function botIdOf(owner: Owner): BotId | null {
  const [kind, number] = owner.split(":");
  return kind === "bot" ? (Number(number) as BotId) : null;
}

/** What events say about an order, written down or not. */
export type NamedOrder = Pick<
  StoredIntent,
  "owner" | "symbol" | "side" | "qty" | "purpose" | "reason" | "targetKey"
> & {
  readonly clientOrderId: string | null;
  readonly exchangeOrderId: string | null;
  readonly terms: { readonly kind: string; readonly price?: Decimal | null };
};

/** Notes an event about an order. */
export function noteOrder(
  { note, clock }: Pick<LiveDeps, "note" | "clock">,
  kind: EventKind,
  order: NamedOrder,
  sentence: string,
): void {
  const { owner, symbol, side, qty, purpose, reason, targetKey } = order;
  const { clientOrderId, exchangeOrderId } = order;
  const at = clock.now();
  note({
    kind,
    botId: botIdOf(owner),
    at,
    sentence: `${described(order)}: ${sentence}`.slice(0, SENTENCE_MAX),
    fields: { symbol, side, qty, purpose, reason, targetKey, clientOrderId, exchangeOrderId },
  });
}

function described({ reason, side, qty, symbol, terms }: NamedOrder): string {
  const { kind, price } = terms;
  return `${reason}: ${side} ${qty} ${symbol} ${kind}${price ? ` at ${price}` : ""}`;
}
