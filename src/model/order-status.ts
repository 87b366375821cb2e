// The words of an order's life: what state our intent is in and what can happen to it. The table that
// joins them is execution/order-machine.ts; stores and ports only carry the words.

/**
 * Where an intent stands. `planned` and `parked` are local; `sending` is committed and may be on the
 * wire; `unverified` may or may not be at the exchange; the last five are final unless the exchange
 * proves otherwise. An intent goes to the exchange at most once: what is parked again is a new intent.
 */
export type IntentStatus =
  | "planned"
  | "parked"
  | "sending"
  | "unverified"
  | "open"
  | "partly_filled"
  | "filled"
  | "cancelled"
  | "refused"
  | "expired"
  | "abandoned";

/**
 * What can happen to an intent. `listed` is a sighting that may be older than our last word (a list of
 * working orders, a late report); `found_working` is the answer to a question asked about this order;
 * `not_found` is the final verdict after the resolver asked for orders and trades long enough;
 * `fill_part` and `fill_rest` are trade records, the second one completing the quantity.
 */
export type OrderEvent =
  | "park"
  | "send"
  | "withdraw"
  | "accepted"
  | "refused"
  | "unverified"
  | "listed"
  | "found_working"
  | "fill_part"
  | "fill_rest"
  | "reported_filled"
  | "cancelled"
  | "expired"
  | "not_found";

/** The next status; null when the event cannot happen in this status. */
export type OrderTransition = (status: IntentStatus, event: OrderEvent) => IntentStatus | null;
