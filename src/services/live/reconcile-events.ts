// Findings of a comparison as events for people, and the reasons for which entries wait. Called by
// reconciler.ts, once per transition; the words are made here and nowhere else.
import type { EventKind } from "../../model/event-kinds.ts";
import {
  driftOf,
  type Finding,
  type OrderView,
  type ReconcileMemory,
} from "../../execution/reconcile-view.ts";
import { compare, type Decimal } from "../../model/decimal.ts";
import type { Leg, Owner } from "../../model/trade-record.ts";
import type { BotId, NewEvent } from "../../ports/bot-store.ts";
import type { StoredIntent } from "../../ports/trading-store.ts";
import { botIdOf } from "./order-news.ts";

/** An event that still lacks its instant. */
export type Note = Omit<NewEvent, "at">;

const KINDS: Readonly<Record<Finding["kind"], EventKind>> = {
  missed_fill: "missed_fill",
  order_adopted: "order_adopted",
  order_missing_cancelled: "order_missing_cancelled",
  stranger: "stranger_order",
  second_instance: "second_instance",
  taken_away: "liquidated",
  position_drift: "position_drift",
  position_drift_solved: "position_drift_solved",
  position_mode_changed: "position_mode_changed",
};

/** The event of a finding. */
export function noteOf(finding: Finding, intents: ReadonlyMap<string, StoredIntent>): Note {
  const { kind, ...fields } = finding;
  const plain = Object.entries(fields).map(([name, value]) => [
    name,
    typeof value === "object" ? value.join(", ") : value,
  ]);
  return {
    kind: KINDS[kind],
    botId: botOf(finding, intents),
    sentence: sentenceOf(finding),
    fields: Object.fromEntries(plain),
  };
}

/** The one bot a finding is about; null when it is about the account or about several. */
function botOf(finding: Finding, intents: ReadonlyMap<string, StoredIntent>): BotId | null {
  if ("affected" in finding) {
    const [first, ...more] = finding.affected;
    return first === undefined || more.length > 0 ? null : botIdOf(first);
  }
  if (finding.kind === "second_instance" || !("clientOrderId" in finding)) return null;
  const intent = intents.get(finding.clientOrderId);
  return intent ? botIdOf(intent.owner) : null;
}

function sentenceOf(finding: Finding): string {
  switch (finding.kind) {
    case "missed_fill":
      return `order ${finding.clientOrderId}: ${finding.qty} more was executed than was booked`;
    case "order_adopted":
      return `order ${finding.clientOrderId} was given up and is listed again`;
    case "order_missing_cancelled":
      return `order ${finding.clientOrderId} is not at the exchange any more; its fills stay`;
    case "stranger":
      return `${finding.symbol}: order ${finding.exchangeOrderId} was not placed here`;
    case "second_instance":
      return (
        `${finding.symbol}: order ${finding.exchangeOrderId} with the id ${finding.clientOrderId} ` +
        `was placed by another Dragon, instance ${finding.instance}`
      );
    case "taken_away":
      return (
        `${placeOf(finding)}: ${finding.qty} of what ${ownersText(finding.affected)} held was ` +
        "closed by trades nobody here asked for"
      );
    case "position_drift":
      return driftText(finding);
    case "position_drift_solved":
      return `${placeOf(finding)}: ${comparedText(finding.between)} agree again`;
    case "position_mode_changed":
      return `positions are kept in ${finding.mode} mode now; entries wait`;
  }
}

type Place = { readonly symbol: string; readonly leg: Leg };

function placeOf({ symbol, leg }: Place): string {
  return leg === "net" ? symbol : `${symbol} ${leg}`;
}

function comparedText(between: "exchange" | "owners"): string {
  return between === "exchange" ? "the exchange and we" : "the account and its owners";
}

function ownersText(owners: readonly Owner[]): string {
  return owners.length === 0 ? "nobody" : owners.join(", ");
}

function driftText(drift: Finding & { readonly kind: "position_drift" }): string {
  const { between, ours, theirs, affected } = drift;
  const figures =
    between === "exchange"
      ? `the exchange holds ${theirs}, we hold ${ours}`
      : `the account holds ${theirs}, its owners ${ours}`;
  return `${placeOf(drift)}: ${figures}; affected: ${ownersText(affected)}`;
}

/**
 * Why entries wait, by symbol, as long as the last look shows it. What concerns the whole account stands
 * with every symbol.
 */
export function blocksOf(
  memory: ReconcileMemory,
  orders: readonly OrderView[],
  symbols: Iterable<string>,
): Map<string, string> {
  const blocks = new Map<string, string>();
  for (const { symbol, clientOrderId, filledQty, reportedFilledQty } of orders) {
    if (compare(reportedFilledQty ?? ZERO, filledQty) <= 0) continue;
    blocks.set(symbol, `the trade records of order ${clientOrderId} are not complete`);
  }
  for (const key of memory.strangers) {
    const [symbol = key, id] = splitKey(key);
    blocks.set(symbol, `order ${id} was not placed here and may change the position`);
  }
  for (const name of Object.keys(memory.drifts)) {
    const { between, symbol, leg } = driftOf(name);
    blocks.set(symbol, `${placeOf({ symbol, leg })}: ${comparedText(between)} do not agree`);
  }
  const [rival] = memory.rivals;
  const whole = memory.isModeReported
    ? "the account keeps positions in another mode than expected"
    : rival === undefined
      ? null
      : `another instance of Dragon placed the order ${splitKey(rival)[1]}`;
  if (whole !== null) for (const symbol of symbols) blocks.set(symbol, whole);
  return blocks;
}

const ZERO = "0" as Decimal;

function splitKey(key: string): string[] {
  const at = key.lastIndexOf("#");
  return [key.slice(0, at), key.slice(at + 1)];
}
