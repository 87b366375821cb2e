// What a run of many seeds must have met: every fault of the venue and the network, every deed and every
// place where a worker can die with an order in its hands. Used by the torture and its tests.

const FAULTS = [
  ...["accept_then_drop", "accept_then_drop_market", "reject_then_drop", "rate_429", "storm_418"],
  ...["dup_client_id", "unknown_code_400", "unknown_code_200", "html_200", "empty_200"],
  ...["partial_fill", "fill_during_cancel", "cancel_delay", "post_only_reject", "bbo_reject"],
  ...["bbo_level_missing", "insufficient_margin", "reduce_only_too_big", "max_position"],
  ...["min_notional", "price_band", "slow", "jitter"],
];
const ARMED = [
  ...["visibility_delay", "snapshot_truncate", "clock_skew", "maintenance", "type_drift"],
  ...["mode_flip", "manual_trade", "adl", "funding_charge"],
];
const DEEDS = [
  ...["weather", "crash", "freeze", "second_worker", "control", "flatten", "clock_jump"],
  ...["database_down", "strike", "deaf_bus", "price", "mode_flip"],
];
const NETWORK = ["lostBefore", "lostAfter", "answeredLate", "arrivesLate", "overtaken"];
const DEATHS = [
  ...["store.commitIntents", "broker.place", "broker.cancel", "broker.order", "store.recordNews"],
  ...["store.recordFill", "broker.tradesSince", "bots.appendEvents", "store.renewLease"],
  "clock.sleep",
];
const STATES = ["active", "reducing", "halted", "frozen"];

/** Counters that may not be 0 after many seeds. */
export const MUST_HAPPEN: readonly string[] = [
  ...FAULTS.map((name) => `fault ${name}`),
  ...ARMED.map((name) => `armed ${name}`),
  ...DEEDS.map((name) => `deed ${name}`),
  ...NETWORK.map((name) => `network ${name}`),
  ...DEATHS.map((name) => `death ${name}`),
  ...STATES.map((name) => `state ${name}`),
  ...["place unverified", "cancel unverified", "event order_settled", "event order_abandoned"],
];

/** Counters of the list that stayed 0. */
export function missingOf(counts: ReadonlyMap<string, number>): string[] {
  return MUST_HAPPEN.filter((what) => (counts.get(what) ?? 0) === 0);
}

const MEANS: readonly (readonly [string, (what: string) => boolean])[] = [
  ["steps", (what) => what === "step"],
  ["requests", (what) => what === "network request"],
  ["orders accepted", (what) => what === "place accepted"],
  ["orders refused", (what) => what === "place refused"],
  ["ambiguous writes", (what) => what === "place unverified" || what === "cancel unverified"],
  ["executions", (what) => what === "trades"],
  ["crashes", (what) => what === "deed crash"],
  ["deaths of a worker", (what) => what.startsWith("death ")],
  ["kill switches", (what) => /^state (reducing|halted|frozen)$/.test(what)],
  ["faults of the venue", (what) => what.startsWith("fault ")],
  ["faults of the network", (what) => NETWORK.some((name) => what === `network ${name}`)],
  ["outages of the database", (what) => what === "deed database_down"],
  ["seconds with a position and no stop", (what) => what === "seconds without a stop"],
];

/** What a seed met on average, one line each. */
export function summaryOf(counts: ReadonlyMap<string, number>, seeds: number): string[] {
  return MEANS.map(([name, isMeant]) => {
    const sum = [...counts].reduce(
      (total, [what, times]) => total + (isMeant(what) ? times : 0),
      0,
    );
    return `${(sum / seeds).toFixed(1).padStart(8)} ${name} per seed`;
  });
}
