// Names of durable events with how loud each is and what it says to a person. Written once per
// transition by services/live, shown on pages. A test compares the table with the help page.
import type { Severity } from "./bot.ts";

/** One kind of event. */
export type EventMeaning = { readonly severity: Severity; readonly sentence: string };

const on = (severity: Severity, sentence: string): EventMeaning => ({ severity, sentence });

/** Every kind. */
export const EVENT_KINDS = {
  // Orders
  order_placed: on("info", "An order was accepted by the exchange."),
  order_refused: on("error", "The exchange refused an order."),
  order_unverified: on(
    "warning",
    "Nobody knows yet whether an order was accepted; it is asked about.",
  ),
  order_settled: on("info", "An order nobody was sure of was found out about."),
  order_abandoned: on("warning", "An order was not found for so long that it is given up."),
  order_adopted: on("warning", "An order that had been given up turned up and is followed again."),
  order_partial_fill: on("info", "A part of an order was executed."),
  order_filled: on("info", "An order was executed."),
  order_cancelled: on("info", "An order was cancelled."),
  order_expired: on("info", "An order ended by itself at the exchange."),
  order_withheld: on("warning", "A decided order was not sent."),
  order_missing_cancelled: on(
    "warning",
    "An order vanished from the exchange and counts as cancelled.",
  ),
  maker_fallback: on("warning", "An order meant to rest was placed in the next way of resting."),
  maker_expected: on("warning", "An order meant to rest was executed as taker."),
  // Facts
  missed_fill: on("warning", "An execution's trade record stays away; it is asked for again."),
  funding_booked: on("info", "Funding was exchanged."),
  transfer_booked: on("info", "Money came into or left the account."),
  fill_conflict: on("error", "A trade record contradicts one already booked; nothing was changed."),
  // Reconciliation
  stranger_order: on("warning", "The account has an order that nobody here placed."),
  position_drift: on("error", "What the exchange holds is not what we hold; entries are blocked."),
  position_drift_solved: on("info", "The exchange and we hold the same again."),
  position_mode_changed: on("error", "The account keeps positions in another mode than expected."),
  liquidated: on("error", "The exchange closed a position by liquidation or deleveraging."),
  second_instance: on("error", "Another instance of Dragon trades on this account."),
  reconcile_failed: on("warning", "The account could not be compared with the exchange."),
  // Gates
  kill_switch_block: on("warning", "A trading state kept an order from being sent."),
  trading_state_changed: on("warning", "The trading state changed."),
  account_risk_block: on("warning", "A limit of the account blocks new entries."),
  risk_limit_trip: on("error", "An order above a limit was stopped."),
  exchange_degraded_block: on("warning", "The exchange answers badly; entries wait."),
  stale_data_block: on("warning", "Prices or candles are too old; entries wait."),
  hedge_mode_required: on("error", "The account must keep long and short apart for this bot."),
  hedge_mode_unknown: on("warning", "The position mode of the account is not known yet."),
  leverage_set: on("info", "The leverage was set."),
  leverage_set_failed: on("warning", "The leverage could not be set."),
  leverage_differs: on("warning", "The exchange has another leverage; entries wait."),
  margin_block: on("warning", "The margin of the account is too small for this order."),
  // Life of a bot
  bot_started: on("info", "The bot began to run."),
  bot_paused: on("info", "The bot was paused."),
  bot_stopped: on("info", "The bot was stopped."),
  bot_error: on("error", "The bot stopped because of an error."),
  bot_resumed_after_restart: on("info", "The bot goes on after a restart."),
  candles_missed: on(
    "warning",
    "Candles closed while nobody watched; they were made up for without entries.",
  ),
  command_done: on("info", "What a person asked for was carried out."),
  command_refused: on("warning", "What a person asked for could not be carried out."),
  config_updated: on("info", "The configuration was changed."),
  flatten_started: on("warning", "Closing everything began."),
  flatten_completed: on("info", "Everything is closed."),
  flatten_incomplete: on("error", "Something is still open after closing everything."),
  flatten_blocked: on("warning", "Closing everything was refused."),
  position_unprotected: on("error", "A position had no protective stop for too long."),
  credential_missing: on("error", "The account has no usable credentials."),
  // Work
  job_lease_lost: on("warning", "Another worker took over; this one stopped writing."),
  job_lease_reclaimed: on("warning", "The work of a worker that went away was taken over."),
  live_trading_disabled_block: on("warning", "Live trading is off; nothing is sent."),
  dead_man_armed: on("info", "The exchange will cancel everything if Dragon falls silent."),
  dead_man_unavailable: on("warning", "The account has no dead-man switch at the exchange."),
} as const satisfies Readonly<Record<string, EventMeaning>>;

/** The name of a kind of event. */
export type EventKind = keyof typeof EVENT_KINDS;
