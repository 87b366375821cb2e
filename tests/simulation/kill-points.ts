// The matrix of deaths: every call a worker makes between the decision for an order and its booked fill,
// before and after the call, for every kind of order. Used by torture.test.ts.
import { type Deed, type Schedule, STEP_MS, SYMBOLS, type Want } from "./schedule.ts";
import { runSchedule } from "./sim-world.ts";
import type { FaultRequest } from "../../src/venue/faults.ts";

/** A kind of order and how it comes about. */
export type OrderCase = {
  readonly name: string;
  readonly want: Want;
  /** Misbehaviour that makes it take its second way. */
  readonly fault: FaultRequest | null;
  /** Where the price goes one step later, so that a resting order is executed. */
  readonly movesPermille: number;
};

/** One death. */
export type Death = {
  readonly of: string;
  readonly call: number;
  readonly when: "before" | "after";
};

const AT = 6;
const STEPS = 14;
/** Calls that are no part of the way of an order. */
const BESIDE = /^(clock\.sleep|control\.|bus\.|locks\.|store\.renewLease)/;
/** Occurrences of one call that are tried. */
const OCCURRENCES_MAX = 3;

const ENTRY: Want = { key: "entry", purpose: "entry", kind: "limit", acrossPermille: 1, step: 2 };
const want = (key: string, purpose: Want["purpose"], kind: Want["kind"], across: number): Want => ({
  ...{ key, purpose, kind, acrossPermille: across, step: AT },
});

/** Every kind of order a bot sends. */
export const ORDER_CASES: readonly OrderCase[] = [
  { name: "entry", want: { ...ENTRY, step: AT }, fault: null, movesPermille: 0 },
  {
    name: "resting entry on its second way",
    want: want("entry", "entry", "post_only", 0),
    fault: { name: "bbo_reject", times: 1 },
    movesPermille: -5,
  },
  { name: "rung", want: want("dca:1", "rung", "limit", 1), fault: null, movesPermille: 0 },
  {
    name: "take-profit",
    want: want("tp", "take_profit", "limit", 1),
    fault: null,
    movesPermille: 0,
  },
  {
    name: "protective stop",
    want: want("stop", "protective_stop", "stop_market", 1),
    fault: null,
    movesPermille: -5,
  },
  { name: "flatten", want: want("exit", "flatten", "market", 0), fault: null, movesPermille: 0 },
];

/** The calls at which a worker can die on the way of such an order. */
export async function killPointsOf(order: OrderCase): Promise<Death[]> {
  const counted = new Map<string, number>();
  const from = AT * STEP_MS;
  let startAt = 0;
  const seen = (line: string) => {
    const [, at, name] = /^(\d+) 1#\d+ (\S+)$/.exec(line) ?? [];
    if (at === undefined || name === undefined) return;
    startAt ||= Number(at);
    const isOnTheWay = Number(at) >= startAt + from && Number(at) < startAt + STEPS * STEP_MS;
    if (isOnTheWay && !BESIDE.test(name)) counted.set(name, (counted.get(name) ?? 0) + 1);
  };
  await runSchedule(scheduleFor(order, null), { print: seen });
  return [...counted].flatMap(([of, times]) =>
    Array.from({ length: Math.min(times, OCCURRENCES_MAX) }, (_, n) => n + 1).flatMap((call) => [
      { of, call, when: "before" as const },
      { of, call, when: "after" as const },
    ]),
  );
}

/** The order with a death on its way; null lets it live. */
export function scheduleFor(order: OrderCase, death: Death | null): Schedule {
  const { want: wanted, fault, movesPermille: permille } = order;
  const isFirst = wanted.key === "entry";
  const deeds: Deed[] = [];
  if (fault !== null) deeds.push({ kind: "fault", request: fault, forMs: null });
  if (death !== null) deeds.push({ kind: "crash", ...death, restartMs: 1000, isHostLost: false });
  const move: Deed[] = permille === 0 ? [] : [{ kind: "price", symbol: SYMBOLS[0], permille }];
  const at = new Map([
    [AT, deeds],
    [AT + 2, move],
  ]);
  return {
    ...{ seed: 5, isHedge: false, script: isFirst ? [wanted] : [ENTRY, wanted] },
    steps: Array.from({ length: STEPS }, (_, step) => ({ deeds: at.get(step) ?? [] })),
  };
}
