// Generated cases that the engine's simulator and the venue both play: candles on the tick, a script of
// orders around the price at each decision, funding rates. Used by differential.test.ts.
import { between, createRandom, type Random } from "../../src/venue/random.ts";

/** What a case is about; every kind occurs equally often. */
export type CaseKind =
  | "market"
  | "limit"
  | "post_only"
  | "adjusted"
  | "crossing"
  | "ladder"
  | "stop"
  | "partial"
  | "gap"
  | "liquidation";

/** A candle in ticks, the extremes of different distance to the open; lots trade at every tick. */
export type TickCandle = {
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly stepLots: number;
  /** Rate paid at its open, 10^-8; null for none. */
  readonly rateE8: number | null;
};

/** Distances in ticks from the price at the decision, towards profit; null leaves the order out. */
export type Script = {
  readonly entry: "market" | "limit" | "post_only";
  /** Of the entry's limit, away from the price; negative crosses it. */
  readonly entryDistance: number;
  readonly rungs: readonly number[];
  readonly takeProfit: number | null;
  readonly stop: number | null;
  /** Closes until the position is closed at the market; null for never. */
  readonly exitAfter: number | null;
  /** Closes until an entry that did not fill is withdrawn. */
  readonly entryWaits: number;
};

/** One case. */
export type DifferentialCase = {
  readonly kind: CaseKind;
  readonly sign: 1 | -1;
  readonly touchFills: boolean;
  readonly deposit: number;
  readonly leverage: number;
  readonly makerBps: number;
  readonly takerBps: number;
  readonly lots: number;
  readonly candles: readonly TickCandle[];
  readonly script: Script;
};

/** Tick and step of the contract in quote and base units, as text and as numbers. */
export const GRID = { tick: "0.5", tickSize: 0.5, step: "0.01", stepSize: 0.01 } as const;
/** Maintenance margin of liquidation cases, just below what 50-fold leverage asks for. */
export const MAINTENANCE = 0.019;
/** Kinds in the order they are generated. */
export const KINDS: readonly CaseKind[] = [
  ...(["market", "limit", "post_only", "adjusted", "crossing"] as const),
  ...(["ladder", "stop", "partial", "gap", "liquidation"] as const),
];

const START_TICKS = 20_000;
const PLENTY = 100_000;
const CANDLES = 14;

/** The n-th case. */
export function differentialCase(n: number): DifferentialCase {
  const random = createRandom(n, "differential case");
  const kind = KINDS[n % KINDS.length] ?? "market";
  const sign = random() < 0.5 ? 1 : -1;
  const lots = kind === "liquidation" ? 100 : between(random, 10, 200);
  return {
    kind,
    sign,
    // An order that was moved next to the price is touched at once in the simulator alone.
    touchFills: kind !== "adjusted" && random() < 0.5,
    deposit: kind === "liquidation" ? 203 + between(random, 0, 30) / 10 : 1_000_000,
    leverage: 50,
    makerBps: between(random, -2, 4),
    takerBps: between(random, 3, 9),
    lots,
    candles: candlesOf(random, kind, sign, lots),
    script: scriptOf(random, kind),
  };
}

function scriptOf(random: Random, kind: CaseKind): Script {
  const isForced = kind === "partial" || kind === "gap" || kind === "liquidation";
  const isMoved = kind === "adjusted";
  const isPassive = kind === "limit" || kind === "post_only" || isForced || random() < 0.5;
  const isPostOnly = kind === "post_only" || isMoved;
  const style = kind === "market" ? "market" : isPostOnly ? "post_only" : "limit";
  const far = kind === "partial" ? 14 : 5;
  const first = between(random, far, far + 5);
  const rungs = kind === "ladder" ? [first, first + between(random, 3, 6)] : [];
  const beyond = (rungs.at(-1) ?? first) + between(random, 4, 9);
  return {
    entry: style,
    entryDistance: kind === "crossing" || isMoved ? -between(random, 2, 4) : isPassive ? 3 : -3,
    rungs,
    takeProfit: kind === "liquidation" ? null : between(random, 5, 12),
    stop: kind === "stop" || (kind === "ladder" && random() < 0.5) ? beyond : null,
    exitAfter: kind !== "liquidation" && random() < 0.3 ? between(random, 1, 4) : null,
    entryWaits: isForced ? CANDLES : between(random, 1, 3),
  };
}

function candlesOf(random: Random, kind: CaseKind, sign: 1 | -1, lots: number): TickCandle[] {
  const candles: TickCandle[] = [];
  let open = START_TICKS;
  for (let i = 0; i < CANDLES; i++) {
    const rateE8 = random() < 0.25 ? between(random, -40_000, 40_000) : null;
    const isGap = kind === "gap" && i === 2;
    // Over the order that rests three ticks away; funding would be told of two different prices.
    if (isGap) open -= sign * between(random, 4, 7);
    const depth = depthOf(kind, i);
    const shape = depth === null ? freeCandle(random, open) : candleTowards(open, -sign * depth);
    const isThin = kind === "partial" && i === 1;
    const stepLots = isThin ? Math.ceil(lots / 4) : PLENTY;
    candles.push({ ...shape, rateE8: isGap ? null : rateE8, stepLots });
    open = shape.close;
  }
  return candles;
}

/** How far a candle has to go against the position; null lets it go where it likes. */
function depthOf(kind: CaseKind, candle: number): number | null {
  // The entry rests three ticks away when the second candle begins.
  if (kind === "partial" && candle === 1) return 3 + 6;
  if (kind === "gap" && candle === 1) return 1;
  if (kind === "liquidation") return [null, 5, 70][candle] ?? null;
  return null;
}

type Shape = Pick<TickCandle, "open" | "high" | "low" | "close">;

/** Goes straight to a distance and stays there. */
function candleTowards(open: number, distance: number): Shape {
  const close = open + distance;
  const [low, high] = [Math.min(open, close), Math.max(open, close)];
  return distance < 0 ? { open, high: high + 1, low, close } : { open, high, low: low - 1, close };
}

function freeCandle(random: Random, open: number): Shape {
  const close = open + between(random, -12, 12);
  const high = Math.max(open, close) + between(random, 0, 8);
  const low = Math.min(open, close) - between(random, 0, 8);
  // Extremes equally near to the open would leave their order to a rule of the simulator alone.
  return high - open === open - low
    ? { open, high: high + 1, low, close }
    : { open, high, low, close };
}

/** Every tick a candle's path visits after its open: to the nearer extreme, to the other, to the close. */
export function ticksOf({ open, high, low, close }: TickCandle): number[] {
  const corners = high - open < open - low ? [high, low, close] : [low, high, close];
  const ticks: number[] = [];
  let at = open;
  for (const corner of corners) {
    while (at !== corner) {
      at += Math.sign(corner - at);
      ticks.push(at);
    }
  }
  return ticks;
}

/** An execution of an order, its parts added up. */
export type BookedFill = {
  readonly order: string;
  readonly side: "buy" | "sell";
  readonly ticks: number;
  readonly lots: number;
  readonly isMaker: boolean;
  /** The limit it was placed with; null for none, and where it is not kept. */
  readonly limit: number | null;
};

/** What a side has in its books at the end; money in quote units. */
export type Books = {
  /** Executions before the parts of an order were added up. */
  readonly parts: number;
  readonly fills: readonly BookedFill[];
  readonly heldLots: number;
  readonly average: number;
  readonly realised: number;
  readonly fees: number;
  readonly funding: number;
  readonly balance: number;
};
