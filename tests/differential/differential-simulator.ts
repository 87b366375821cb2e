// A case played by the engine's simulator, under a strategy that does what the script says. Used by
// differential.test.ts.
import { initialState } from "../../src/engine/state.ts";
import { Recorder } from "../../src/engine/recorder.ts";
import { Simulator } from "../../src/engine/simulator.ts";
import { emptySeries } from "../../src/model/candle.ts";
import { gridOf } from "../../src/model/instrument.ts";
import type { OrderKind, OrderPurpose, TargetOrder } from "../../src/model/order.ts";
import type {
  Strategy,
  StrategyEvent,
  StrategyView,
  TargetBook,
} from "../../src/strategy/strategy.ts";
import { type Books, type DifferentialCase, GRID, MAINTENANCE } from "./differential-case.ts";

const CANDLE_MS = 60_000;
const SLOTS: readonly OrderPurpose[] = [
  ...(["protective_stop", "exit", "take_profit", "rung", "rung", "entry"] as const),
];
const SLOT = { stop: 0, exit: 1, takeProfit: 2, rung: 3, entry: 5 } as const;
const EVERYTHING = 0b111111;

/** What the script remembers between events. */
type Memory = { reference: number; entryAge: number; heldAge: number; isRefused: boolean };

/** Plays the case. */
export function playSimulator(given: DifferentialCase): Books {
  const series = emptySeries(given.candles.length);
  for (const [i, { open, high, low, close }] of given.candles.entries()) {
    series.openAt[i] = i * CANDLE_MS;
    for (const [name, ticks] of Object.entries({ open, high, low, close })) {
      series[name as "open"][i] = ticks * GRID.tickSize;
    }
  }
  const strategy = scripted(given);
  const state = initialState(strategy, given.deposit);
  const recorder = new Recorder();
  const lots = gridOf(GRID.stepSize, "step");
  const instrument = {
    ...{ symbol: "BTC/USDT:USDT", priceTick: GRID.tickSize, qtyStep: GRID.stepSize },
    ...{ minQty: GRID.stepSize, minNotional: 0, contractSize: 1 },
  };
  const simulator = new Simulator(
    { strategy, contract: { lots, contractSize: 1 } },
    state,
    series,
    {
      timeframeMs: CANDLE_MS,
      isPessimistic: false,
      touchFills: given.touchFills,
      makerFee: given.makerBps / 1e4,
      takerFee: given.takerBps / 1e4,
      slippageRatio: 0,
      leverage: given.leverage,
      maintenanceRate: MAINTENANCE,
    },
    { prices: gridOf(GRID.tickSize, "tick"), lots, instrument },
    recorder,
  );
  for (const [i, { close, rateE8 }] of given.candles.entries()) {
    simulator.walk(i, rateE8 === null ? null : rateE8 / 1e8, -1);
    if (simulator.isRuined) break;
    const at = (i + 1) * CANDLE_MS;
    const price = close * GRID.tickSize;
    const reached = { reachedHigh: price, reachedLow: price };
    simulator.dispatch({
      ...{ kind: "candle_closed", at, openAt: i * CANDLE_MS, close: price, ...reached },
      ...{ signals: 0, atr: -1, mayEnter: true },
    });
  }
  const { position, ledger, balance } = state;
  return {
    parts: recorder.fills.length,
    fills: recorder.fills.map(({ reason, side, priceTicks, qtyLots, liquidity }) => ({
      ...{ order: reason.toLowerCase(), side, ticks: priceTicks, lots: qtyLots, limit: null },
      isMaker: liquidity === "maker",
    })),
    heldLots: position.sign * position.lots,
    average: position.average,
    realised: ledger.realised,
    fees: -ledger.fees,
    funding: ledger.funding,
    balance,
  };
}

function scripted(given: DifferentialCase): Strategy<Memory> {
  const { sign, script } = given;
  return {
    name: "scripted",
    version: "1",
    slots: SLOTS,
    initialState: () => ({ reference: 0, entryAge: 0, heldAge: 0, isRefused: false }),
    restoreState: () => ({ ok: false, reason: "STATE_UNREADABLE", detail: "never stored" }),
    onEvent: (memory, event, view, book) => follow(given, memory, event, view, book),
    followsPrice: () => false,
    pendingSide: () => (script.entryWaits > 0 ? (sign > 0 ? "long" : "short") : null),
  };
}

function follow(
  given: DifferentialCase,
  memory: Memory,
  event: StrategyEvent,
  { position }: StrategyView,
  book: TargetBook,
): void {
  const { targets } = book;
  const { script } = given;
  book.touched = EVERYTHING;
  if (event.kind === "order_filled") {
    if (event.slot >= 0) targets[event.slot] = null;
    if (position.sign === 0) targets.fill(null);
    else if (event.slot === SLOT.entry) arm(given, memory, targets);
    if (position.sign !== 0) resize(targets, position.lots);
    return;
  }
  if (event.kind === "order_refused") {
    memory.isRefused = true;
    targets.fill(null);
  }
  if (event.kind !== "candle_closed" || memory.isRefused) return;
  if (position.sign !== 0) {
    memory.heldAge += 1;
    const isDue = script.exitAfter !== null && memory.heldAge === script.exitAfter;
    if (isDue) targets[SLOT.exit] = target(given, "exit", "market", 0, position.lots);
  } else if (targets[SLOT.entry]) {
    memory.entryAge += 1;
    if (memory.entryAge >= script.entryWaits) targets[SLOT.entry] = null;
  } else enter(given, memory, targets, Math.round(event.close / GRID.tickSize));
}

function enter(
  given: DifferentialCase,
  memory: Memory,
  targets: TargetBook["targets"],
  close: number,
): void {
  const { entry, entryDistance } = given.script;
  const isPassive = entry !== "market" && entryDistance > 0;
  const price = entry === "market" ? 0 : close - given.sign * entryDistance;
  // Everything else is measured from where the entry is meant to be.
  memory.reference = isPassive ? price : close;
  memory.entryAge = 0;
  memory.heldAge = 0;
  targets[SLOT.entry] = target(given, "entry", entry, price, given.lots);
}

function arm(given: DifferentialCase, memory: Memory, targets: TargetBook["targets"]): void {
  const { sign, script, lots } = given;
  const at = (distance: number) => memory.reference + sign * distance;
  if (script.takeProfit !== null) {
    targets[SLOT.takeProfit] = target(given, "tp", "limit", at(script.takeProfit), lots);
  }
  if (script.stop !== null) {
    targets[SLOT.stop] = target(given, "stop", "stop_market", at(-script.stop), lots);
  }
  for (const [i, distance] of script.rungs.entries()) {
    targets[SLOT.rung + i] = target(given, `dca:${i}`, "limit", at(-distance), lots);
  }
}

/** Closing orders are as large as the position. */
function resize(targets: TargetBook["targets"], lots: number): void {
  for (const slot of [SLOT.stop, SLOT.exit, SLOT.takeProfit]) {
    const present = targets[slot];
    if (present) targets[slot] = { ...present, qtyLots: lots };
  }
}

const CLOSING: ReadonlySet<string> = new Set(["exit", "tp", "stop"]);

function target(
  { sign }: DifferentialCase,
  key: string,
  kind: OrderKind,
  priceTicks: number,
  qtyLots: number,
): TargetOrder {
  const isReduceOnly = CLOSING.has(key);
  const purposes: Record<string, OrderPurpose> = {
    ...{ entry: "entry", exit: "exit", tp: "take_profit", stop: "protective_stop" },
  };
  return {
    key,
    purpose: purposes[key] ?? "rung",
    kind,
    side: sign > 0 !== isReduceOnly ? "buy" : "sell",
    positionSide: sign > 0 ? "long" : "short",
    isReduceOnly,
    priceTicks,
    qtyLots,
    ...{ bandPct: 0, decidedAt: 0, liveFrom: 0, replacePct: 0, reason: key },
  };
}
