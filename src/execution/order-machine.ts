// The life cycle of an order: one table of (status, event) → status. Used by the dispatcher, the
// reconciler and, handed in, by the trading stores. Events of one life may arrive in any order and
// more than once; the table ends in the same status whatever the order was.
import type { IntentStatus, OrderEvent } from "../model/order-status.ts";

type Row = Readonly<Record<OrderEvent, IntentStatus | null>>;

/** Nothing of the exchange can concern an intent that never left us. */
const LOCAL: Row = {
  park: null,
  send: "sending",
  withdraw: "cancelled",
  accepted: null,
  refused: null,
  unverified: null,
  listed: null,
  found_working: null,
  fill_part: null,
  fill_rest: null,
  reported_filled: null,
  cancelled: null,
  expired: null,
  not_found: null,
};

const NEVER_LOCAL_AGAIN = { park: null, send: null, withdraw: null } as const;

const TABLE: Readonly<Record<IntentStatus, Row>> = {
  planned: { ...LOCAL, park: "parked" },
  parked: { ...LOCAL, park: "parked" },
  sending: {
    ...NEVER_LOCAL_AGAIN,
    accepted: "open",
    refused: "refused",
    unverified: "unverified",
    listed: "open",
    found_working: "open",
    fill_part: "partly_filled",
    fill_rest: "filled",
    reported_filled: "filled",
    cancelled: "cancelled",
    expired: "expired",
    // The request may still be on its way: only an unverified intent can be given up.
    not_found: "sending",
  },
  unverified: {
    ...NEVER_LOCAL_AGAIN,
    accepted: "open",
    refused: "refused",
    unverified: "unverified",
    listed: "open",
    found_working: "open",
    fill_part: "partly_filled",
    fill_rest: "filled",
    reported_filled: "filled",
    cancelled: "cancelled",
    expired: "expired",
    not_found: "abandoned",
  },
  open: {
    ...NEVER_LOCAL_AGAIN,
    accepted: "open",
    // Taken first and rejected afterwards, as exchanges do with triggers and margin.
    refused: "refused",
    unverified: "open",
    listed: "open",
    found_working: "open",
    fill_part: "partly_filled",
    fill_rest: "filled",
    reported_filled: "filled",
    cancelled: "cancelled",
    expired: "expired",
    // Vanished: three strikes, no trades. What was filled stays.
    not_found: "cancelled",
  },
  partly_filled: {
    ...NEVER_LOCAL_AGAIN,
    accepted: "partly_filled",
    refused: "refused",
    unverified: "partly_filled",
    listed: "partly_filled",
    found_working: "partly_filled",
    fill_part: "partly_filled",
    fill_rest: "filled",
    reported_filled: "filled",
    cancelled: "cancelled",
    expired: "expired",
    not_found: "cancelled",
  },
  filled: {
    ...NEVER_LOCAL_AGAIN,
    // Acknowledgement, timeout or an old list after the fill.
    accepted: "filled",
    refused: null,
    unverified: "filled",
    listed: "filled",
    found_working: null,
    // Reported filled first, its trade records come one by one.
    fill_part: "filled",
    fill_rest: "filled",
    reported_filled: "filled",
    // The cancel lost the race.
    cancelled: "filled",
    expired: "filled",
    // Exchanges forget finished orders.
    not_found: "filled",
  },
  cancelled: {
    ...NEVER_LOCAL_AGAIN,
    accepted: "cancelled",
    refused: null,
    unverified: "cancelled",
    listed: "cancelled",
    // It was taken for vanished and is there after all.
    found_working: "open",
    // A fill after a cancel is legal: it happened before, its record came later.
    fill_part: "cancelled",
    fill_rest: "filled",
    reported_filled: "filled",
    cancelled: "cancelled",
    expired: "cancelled",
    not_found: "cancelled",
  },
  refused: {
    ...NEVER_LOCAL_AGAIN,
    // An acknowledgement read after the rejection that followed it.
    accepted: "refused",
    refused: "refused",
    unverified: "refused",
    listed: "refused",
    found_working: "open",
    // A part was filled before the rest was rejected; filled whole, it was not refused at all.
    fill_part: "refused",
    fill_rest: "filled",
    reported_filled: "filled",
    cancelled: "refused",
    expired: "refused",
    not_found: "refused",
  },
  expired: {
    ...NEVER_LOCAL_AGAIN,
    accepted: "expired",
    refused: null,
    unverified: "expired",
    listed: "expired",
    found_working: "open",
    fill_part: "expired",
    fill_rest: "filled",
    reported_filled: "filled",
    cancelled: "expired",
    expired: "expired",
    not_found: "expired",
  },
  abandoned: {
    ...NEVER_LOCAL_AGAIN,
    // Given up and then it turned up: adopted, never sent again.
    accepted: "open",
    refused: "refused",
    unverified: "abandoned",
    listed: "open",
    found_working: "open",
    fill_part: "partly_filled",
    fill_rest: "filled",
    reported_filled: "filled",
    cancelled: "cancelled",
    expired: "expired",
    not_found: "abandoned",
  },
};

const FINAL: ReadonlySet<IntentStatus> = new Set([
  "filled",
  "cancelled",
  "refused",
  "expired",
  "abandoned",
]);

const COUNTED: ReadonlySet<IntentStatus> = new Set([
  "sending",
  "unverified",
  "open",
  "partly_filled",
]);

/** The next status of an intent; null when the event cannot happen in this status. */
export function nextStatus(status: IntentStatus, event: OrderEvent): IntentStatus | null {
  return TABLE[status][event];
}

/** Whether nothing more is expected of the intent. */
export function isFinal(status: IntentStatus): boolean {
  return FINAL.has(status);
}

/** Whether the intent is or may be at the exchange, and so counts towards the order limits. */
export function mayRest(status: IntentStatus): boolean {
  return COUNTED.has(status);
}
