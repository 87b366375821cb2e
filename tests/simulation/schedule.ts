// What happens in a simulation, as plain JSON made from a seed: one step is one tick of three virtual
// seconds with what befalls the world at its beginning. A schedule can be written down, shortened and
// run again. Nothing here runs anything.
import type { FaultRequest } from "../../src/venue/faults.ts";
import { between, createRandom, type Random } from "../../src/venue/random.ts";
import type { TargetOrder } from "../../src/model/order.ts";
import type { TradingState } from "../../src/risk/trading-state.ts";
import type { Weather } from "./sim-network.ts";
import type { CrashPoint } from "./sim-process.ts";

/** Something that befalls the world. */
export type Deed =
  | { readonly kind: "weather"; readonly weather: Weather }
  /** A null time leaves a switch on until it is used up. */
  | { readonly kind: "fault"; readonly request: FaultRequest; readonly forMs: number | null }
  | { readonly kind: "clear_faults" }
  /** The worker dies at its n-th call from now; another one begins after a while. */
  | ({
      readonly kind: "crash";
      readonly restartMs: number;
      readonly isHostLost: boolean;
    } & CrashPoint)
  /** The worker stands still at its n-th call from now; another one begins meanwhile. */
  | { readonly kind: "freeze"; readonly forMs: number }
  /** Another worker wants the account while the first one has it. */
  | { readonly kind: "second_worker"; readonly forMs: number }
  | { readonly kind: "control"; readonly scope: "global" | "account"; readonly state: TradingState }
  | { readonly kind: "flatten" }
  /** The exchange switches the account to the other position mode, and back. */
  | { readonly kind: "mode_flip"; readonly forMs: number }
  | { readonly kind: "clock_jump"; readonly ms: number }
  | { readonly kind: "database_down"; readonly forMs: number }
  | { readonly kind: "strike"; readonly strike: "before_commit" | "after_commit" }
  /** Wake-ups between processes are lost for a while. */
  | { readonly kind: "deaf_bus"; readonly forMs: number }
  /** The price moves at once. */
  | { readonly kind: "price"; readonly symbol: string; readonly permille: number };

/** One tick. */
export type Step = { readonly deeds: readonly Deed[] };

/** A whole run. */
export type Schedule = {
  readonly seed: number;
  readonly isHedge: boolean;
  readonly steps: readonly Step[];
  /** What the first bot wants, one decision after the other, in place of its whims. */
  readonly script?: readonly Want[];
};

/** A decision that is written down beforehand. */
export type Want = Pick<TargetOrder, "key" | "purpose" | "kind"> & {
  /** The price from the last one, towards the other side of the book where positive. */
  readonly acrossPermille: number;
  /** Not before this step. */
  readonly step: number;
};

/** Length of a step. */
export const STEP_MS = 3000;
/** Fewest steps of a schedule made from a seed. */
export const STEPS_MIN = 200;
/** The contracts that are traded. */
export const SYMBOLS = ["PERP_BTC_USDT", "PERP_ETH_USDT"] as const;

const JUMPS_MS = [30_000, -30_000, 3_600_000, -3_600_000, -5000, 5000];

/** The schedule of a seed. */
export function scheduleOf(seed: number): Schedule {
  const random = createRandom(seed, "schedule");
  const isHedge = random() < 0.5;
  const count = STEPS_MIN + Math.floor(random() * 40);
  // Every seed has its own temper, so that some runs see one kind of trouble in depth.
  const temper = createTemper(random);
  const steps: Step[] = [];
  for (let i = 0; i < count; i++) {
    const deeds: Deed[] = [];
    for (const [kind, chance] of temper) {
      if (random() < chance) deeds.push(...DEEDS[kind](random));
    }
    steps.push({ deeds });
  }
  return { seed, isHedge, steps };
}

type DeedKind = Deed["kind"];

const CHANCES: Readonly<Record<DeedKind, number>> = {
  weather: 0.06,
  fault: 0.15,
  clear_faults: 0.03,
  crash: 0.05,
  freeze: 0.008,
  second_worker: 0.01,
  control: 0.025,
  flatten: 0.008,
  mode_flip: 0.004,
  clock_jump: 0.012,
  database_down: 0.006,
  strike: 0.02,
  deaf_bus: 0.01,
  price: 0.04,
};

function createTemper(random: Random): [DeedKind, number][] {
  const kinds = Object.keys(CHANCES) as DeedKind[];
  return kinds.map((kind) => [kind, CHANCES[kind] * [0, 0.5, 1, 1, 2][between(random, 0, 4)]!]);
}

const DEEDS: Readonly<Record<DeedKind, (random: Random) => Deed[]>> = {
  weather: (random) => {
    const some = (max: number) => (random() < 0.5 ? 0 : Math.floor(random() * max));
    const isCalm = random() < 0.3;
    const share = (max: number) => (isCalm ? 0 : some(max));
    return [
      {
        kind: "weather",
        weather: {
          lostBefore: share(150),
          lostAfter: share(150),
          answeredLate: share(60),
          arrivesLate: share(60),
          overtaken: share(150),
        },
      },
    ];
  },
  fault: (random) => {
    const request = drawFault(random);
    const isLasting = request.times === undefined;
    return [{ kind: "fault", request, forMs: isLasting ? between(random, 5000, 40_000) : null }];
  },
  clear_faults: () => [{ kind: "clear_faults" }],
  crash: (random) => [
    {
      kind: "crash",
      ...crashPoint(random),
      restartMs: between(random, 0, 8000),
      isHostLost: random() < 0.2,
    },
  ],
  freeze: (random) => [{ kind: "freeze", forMs: between(random, 2000, 90_000) }],
  second_worker: (random) => [{ kind: "second_worker", forMs: between(random, 5000, 90_000) }],
  control: (random) => [
    {
      kind: "control",
      scope: random() < 0.5 ? "global" : "account",
      state: pick(random, ["reducing", "halted", "frozen", "active", "active", "active"] as const),
    },
  ],
  flatten: () => [{ kind: "flatten" }],
  mode_flip: (random) => [{ kind: "mode_flip", forMs: between(random, 5000, 40_000) }],
  clock_jump: (random) => [{ kind: "clock_jump", ms: pick(random, JUMPS_MS) }],
  database_down: (random) => [
    { kind: "database_down", forMs: random() < 0.5 ? 60_000 : between(random, 500, 20_000) },
  ],
  strike: (random) => [
    { kind: "strike", strike: random() < 0.5 ? "before_commit" : "after_commit" },
  ],
  deaf_bus: (random) => [{ kind: "deaf_bus", forMs: between(random, 1000, 30_000) }],
  price: (random) => [
    { kind: "price", symbol: pick(random, SYMBOLS), permille: between(random, -25, 25) },
  ],
};

/** Half of the crashes strike where an order is on its way, the others anywhere. */
function crashPoint(random: Random): CrashPoint {
  const when = random() < 0.5 ? "before" : "after";
  if (random() < 0.25) return { call: between(random, 1, 200), of: null, when };
  return { call: between(random, 1, 4), of: pick(random, DANGEROUS), when };
}

const DANGEROUS = [
  "store.commitIntents",
  "store.commitIntents",
  "broker.place",
  "broker.place",
  "broker.cancel",
  "broker.order",
  "store.recordNews",
  "store.recordNews",
  "store.recordFill",
  "broker.topOfBook",
  "broker.tradesSince",
  "bots.appendEvents",
  "store.renewLease",
  "store.recordFunding",
] as const;

/** One of a list that is not empty. */
export function pick<T>(random: Random, list: readonly [T, ...T[]] | readonly T[]): T {
  const one = list[Math.floor(random() * list.length)];
  if (one === undefined) throw new RangeError("there is nothing to choose from");
  return one;
}

const PLACING = { match: { endpoint: "POST trade/order" } } as const;

function drawFault(random: Random): FaultRequest {
  const times = between(random, 1, 4);
  const chance = 0.3 + 0.7 * random();
  const ms = between(random, 500, 20_000);
  const accept = random() < 0.5;
  const symbol = pick(random, SYMBOLS);
  const faults: readonly (() => FaultRequest)[] = [
    () => ({ name: "accept_then_drop", times, chance }),
    () => ({ name: "accept_then_drop", times, params: { ms: 15_000 } }),
    () => ({ name: "accept_then_drop", times, match: { endpoint: "DELETE trade/order" } }),
    () => ({ name: "accept_then_drop", times, match: { endpoint: "POST trade/algoOrder" } }),
    () => ({ name: "accept_then_drop_market", times }),
    () => ({ name: "reject_then_drop", times, chance }),
    () => ({ name: "reject_then_drop", times, ...PLACING }),
    () => ({ name: "visibility_delay", params: { ms } }),
    () => ({ name: "snapshot_truncate" }),
    () => ({ name: "rate_429", times, chance }),
    () => ({ name: "storm_418", times: 1, params: { ms } }),
    () => ({ name: "clock_skew", params: { ms: pick(random, [-400_000, 400_000, 2000]) } }),
    () => ({ name: "dup_client_id", times: 1, params: { code: 302117 } }),
    () => ({ name: "unknown_code_400", times, ...PLACING }),
    () => ({ name: "unknown_code_200", times, params: { accept }, ...PLACING }),
    () => ({ name: "html_200", times, params: { accept }, chance }),
    () => ({ name: "empty_200", times, params: { accept }, chance }),
    () => ({ name: "partial_fill", times, params: { parts: [0.3, 0.3, 0.4], ms: 700 } }),
    () => ({ name: "fill_during_cancel", times, params: { share: pick(random, [0.3, 1]) } }),
    () => ({ name: "cancel_delay", times, params: { ms } }),
    () => ({ name: "post_only_reject", times }),
    () => ({ name: "bbo_reject", times }),
    () => ({ name: "bbo_level_missing", times }),
    () => ({ name: "insufficient_margin", times }),
    () => ({ name: "reduce_only_too_big", times }),
    () => ({ name: "max_position", times }),
    () => ({ name: "min_notional", times }),
    () => ({ name: "price_band", times }),
    () => ({ name: "maintenance" }),
    () => ({
      name: "type_drift",
      params: { style: pick(random, ["strings", "numbers", "mixed"]) },
    }),
    () => ({ name: "slow", times, params: { ms: between(random, 1000, 14_000) } }),
    () => ({ name: "jitter", params: { ms: 400 } }),
    () => ({
      name: "manual_trade",
      match: { symbol },
      // On a hedge account it opens: the venue lets nobody close more than a leg holds.
      params: {
        ...pick(random, [
          { side: "BUY", positionSide: "LONG" },
          { side: "SELL", positionSide: "SHORT" },
        ]),
        quantity: pick(random, ["0.01", "0.05"]),
      },
    }),
    () => ({ name: "adl", match: { symbol }, params: { quantity: "0.01" } }),
    () => ({ name: "funding_charge", match: { symbol }, params: { rate: "0.0003" } }),
  ];
  return pick(random, faults)();
}
