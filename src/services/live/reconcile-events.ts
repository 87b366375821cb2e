// Findings of a comparison as events for people. Called by reconciler.ts, once per transition; the words are made
// here, and those for pages in findings-found.ts.
import type { EventKind } from "../../model/event-kinds.ts";
import type { Finding } from "../../execution/reconcile-view.ts";
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
      return (
        `order ${finding.clientOrderId}: the exchange says that ${finding.qty} more was executed; ` +
        "its trade record is asked for again and again"
      );
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

/** A leg in words. */
export function placeOf({ symbol, leg }: Place): string {
  return leg === "net" ? symbol : `${symbol} ${leg}`;
}

/** What was compared, in words. */
export function comparedText(between: "exchange" | "owners"): string {
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
