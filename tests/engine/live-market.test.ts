// What a live bot makes of a market: candles once and in order, catching up, activation bands, touches, sizes, trading
// states and doubts.
import { describe, expect, test } from "bun:test";
import { orderMove } from "../../src/engine/live-orders.ts";
import { gridOf } from "../../src/model/instrument.ts";
import type { TargetOrder } from "../../src/model/order.ts";
import { parseInstrument } from "../../src/services/research/backtest-inputs.ts";
import { parseConfig } from "../../src/strategy/dca-atr/config.ts";
import {
  GATE_LONG,
  READY,
  SIGNAL_LONG,
  TREND_LONG,
} from "../../src/strategy/dca-atr/signal-flags.ts";
import { aLiveBot, ledgerOf, LiveWorld, type WorldSettings } from "../support/live-world.ts";

const MINUTE = 60_000;
const LONG = READY | TREND_LONG | SIGNAL_LONG | GATE_LONG;

function settings(general: object = {}, exits: object = {}, world: Partial<WorldSettings> = {}) {
  const config = parseConfig({
    general: { entry_timeout_min: 0, entry_cooldown_min: 0, ...general },
    exits: { tp_mode: "PCT", tp_pct: 1, sl_pct: 5, trail_distance_pct: 0, ...exits },
  });
  const instrument = parseInstrument({ price_tick: 0.01, qty_step: 0.001 });
  return { config, instrument, timeframeMin: 1, allocation: 1000, signals: LONG, ...world };
}

/** A bot that holds 1 at 100 since its first candle. */
function holding(general: object = {}, exits: object = {}, change: Partial<WorldSettings> = {}) {
  const world = new LiveWorld(settings(general, exits, change));
  world.tell(ledgerOf(0));
  world.candle(0, 100);
  world.fillWhole("entry", 100);
  return world;
}

const candle = (openAt: number, close = 100) => ({
  ...{ openAt, open: close, high: close, low: close, close, volume: 1 },
});
const price = (at: number, value: number) => ({ kind: "price", at, price: value }) as const;
const statusOf = (world: LiveWorld, purpose: string) =>
  world.bot.view().slots.find((slot) => slot.purpose === purpose)?.status;

describe("candles", () => {
  const heard = (world: LiveWorld, openAt: number, isGapKnown = false) => {
    const told = { kind: "candle", candle: candle(openAt), mayEnter: false, isGapKnown } as const;
    const answer = world.bot.handle(told);
    return answer.ok ? "taken" : answer.reason;
  };

  test("are told once: repeats, gaps and misfits are refused and change nothing", () => {
    const world = new LiveWorld(settings());
    expect(heard(world, 0)).toBe("taken");
    const before = world.bot.body();
    expect(heard(world, 0)).toBe("CANDLE_REPEATED");
    expect(heard(world, 2 * MINUTE)).toBe("CANDLE_GAP");
    expect(heard(world, MINUTE + 1)).toBe("CANDLE_OFF_GRID");
    expect(world.bot.body()).toEqual(before);
    expect(heard(world, 2 * MINUTE, true)).toBe("taken");
  });

  test("are not taken after a restart before the history was fed", () => {
    const world = new LiveWorld(settings());
    heard(world, 0);
    world.restart([]);
    expect(heard(world, MINUTE)).toBe("CANDLE_GAP");
    world.tell({ kind: "history", candles: [candle(0)] });
    expect(heard(world, MINUTE)).toBe("taken");
  });

  test("that closed while nobody watched go to the indicators alone", () => {
    const seen: number[] = [];
    const world = new LiveWorld(settings());
    world.tell(ledgerOf(0));
    world.candle(0, 100);
    const entry = world.working("entry");
    world.restart([candle(0), candle(MINUTE), candle(2 * MINUTE)]);
    seen.push(world.bot.view().lastCandleOpenAt ?? -1);
    expect(seen).toEqual([2 * MINUTE]);
    expect(world.bot.view().strategy.pendingDecidedAt).toBe(MINUTE);
    expect(world.alive()).toEqual([entry]);
    expect(heard(world, MINUTE)).toBe("CANDLE_REPEATED");
    const repeated = world.bot.handle({ kind: "history", candles: [candle(2 * MINUTE)] });
    expect(repeated).toMatchObject({ ok: false, reason: "CANDLE_REPEATED" });
  });

  test("no entry is decided while catching up", () => {
    const world = new LiveWorld(settings());
    world.tell(ledgerOf(0));
    expect(heard(world, 0)).toBe("taken");
    expect(world.bot.view().slots.every(({ wanted }) => wanted === null)).toBe(true);
  });
});

describe("sizes", () => {
  const sized = (
    change: Partial<WorldSettings>,
    net: string | null,
    free: string | null = null,
  ) => {
    const world = new LiveWorld(settings({}, {}, change));
    if (net !== null) {
      const [sum, freeCollateral] = [net, free] as never[];
      world.tell({ kind: "ledger", at: 0, net: sum!, freeCollateral: freeCollateral! });
    }
    world.candle(0, 100);
    return world.bot.view().slots.at(-1)?.wanted?.qtyLots ?? 0;
  };

  test("follow allocation plus what was realised less costs, up to cap and free collateral", () => {
    expect(sized({}, "0")).toBe(1000);
    expect(sized({}, "500")).toBe(1500);
    expect(sized({}, "-500")).toBe(500);
    expect(sized({ balanceCap: 800 }, "500")).toBe(800);
    expect(sized({}, "500", "300")).toBe(300);
    expect(sized({}, "-1000")).toBe(0);
  });

  test("without the ledger nothing is entered", () => {
    expect(sized({}, null)).toBe(0);
  });
});

describe("prices", () => {
  const bands = { dynamic_activation: { entry_pct: 0, dca_pct: 0.5, tp_pct: 0.5 } };

  test("bring banded orders to the exchange and, with hysteresis, back here", () => {
    const world = holding(bands);
    expect(statusOf(world, "take_profit")).toBe("parked");
    expect(world.tell(price(61_000, 100.4))).toEqual([]);
    expect(world.tell(price(62_000, 100.5))).toEqual(["activate tp sell post_only 10100 x 1000"]);
    expect(world.tell(price(63_000, 100.4))).toEqual([]);
    const said = world.tell(price(64_000, 100.3));
    expect(said).toEqual(["cancel 2", "park tp sell post_only 10100 x 1000"]);
    expect(statusOf(world, "take_profit")).toBe("parked");
  });

  test("park only what is left of a part, and all of it counts in the end", () => {
    const world = holding(bands);
    world.tell(price(61_000, 99.2));
    world.fill(world.working("dca:1"), 400, 99, 61_500);
    expect(world.tell(price(62_000, 100))).toContain("park dca:1 buy post_only 9900 x 600");
    expect(world.bot.view().strategy.level).toBe(0);
    world.tell(price(63_000, 99.2));
    world.fillWhole("dca:1", 99, 64_000);
    expect(world.bot.view().strategy).toMatchObject({ level: 1, entries: 2 });
  });

  test("E68 a take-profit jumped over is activated at once, a rung waits for the way back", () => {
    const world = holding(bands);
    expect(world.tell(price(61_000, 104))).toEqual(["activate tp sell post_only 10100 x 1000"]);
    // Crossed, so it stays however far the price is beyond it.
    expect(world.tell(price(62_000, 110))).toEqual([]);
    expect(world.tell(price(63_000, 96))).toContain("park tp sell post_only 10100 x 1000");
    expect(statusOf(world, "rung")).toBe("parked");
    const back = world.tell(price(64_000, 98.6));
    expect(back).toEqual(["activate dca:1 buy post_only 9900 x 1000"]);
  });

  test("activate nothing that the trading state no longer permits", () => {
    const world = holding(bands);
    world.tell({ kind: "trading_state", at: 61_000, state: "halted" });
    expect(world.tell(price(62_000, 100.8))).toEqual([]);
    world.tell({ kind: "trading_state", at: 63_000, state: "active" });
    expect(world.tell(price(64_000, 100.8))).toEqual(["activate tp sell post_only 10100 x 1000"]);
  });

  test("E44 a rung waits for its cooldown", () => {
    const world = holding({ dca_cooldown_min: 2 });
    expect(statusOf(world, "rung")).toBe("parked");
    expect(world.tell(price(61_000, 100))).toEqual([]);
    const due = world.bot.view().strategy.lastExpandAt + 2 * MINUTE;
    expect(world.tell(price(due, 100))).toEqual(["activate dca:1 buy post_only 9900 x 1000"]);
  });

  test("E63 start the clock of a take-profit that is touched and not filled", () => {
    const world = holding({ exit_timeout_min: 1 });
    world.tell(price(70_000, 101));
    world.tell(price(75_000, 102));
    expect(world.bot.view().strategy.touchedAt).toBe(70_000);
    world.candle(MINUTE, 101);
    expect(world.bot.view().strategy.isExitSet).toBe(false);
    const said = world.candle(2 * MINUTE, 101);
    expect(said).toContain("place exit sell market 0 x 1000");
  });

  test("move nothing while unknown, and never park a crossed or a market order", () => {
    const grid = gridOf(0.01, "tick");
    const target: TargetOrder = {
      ...{ key: "tp", purpose: "take_profit", kind: "limit", side: "sell", positionSide: "long" },
      ...{ isReduceOnly: true, priceTicks: 10_000, qtyLots: 1, bandPct: 1, decidedAt: 0 },
      ...{ liveFrom: 0, replacePct: 0, reason: "TP_PCT" },
    };
    expect(orderMove(target, true, grid, null, 0)).toBe("stay");
    expect(orderMove(target, false, grid, null, 0)).toBe("stay");
    expect(orderMove(target, false, grid, 103, 0)).toBe("stay");
    expect(orderMove(target, false, grid, 98, 0)).toBe("park");
    expect(orderMove({ ...target, bandPct: 0 }, false, grid, 50, 0)).toBe("stay");
    expect(orderMove({ ...target, bandPct: 0 }, true, grid, null, 0)).toBe("activate");
    expect(orderMove({ ...target, liveFrom: 9 }, true, grid, 100, 8)).toBe("stay");
  });
});

describe("one order a slot", () => {
  test("nothing new is placed before the old order is known to be gone", () => {
    const world = holding({}, {}, { answersCancels: false });
    expect(world.fill(world.working("tp"), 400, 101)).toEqual(["cancel 0"]);
    const stop = world.working("stop");
    expect(world.tell(price(62_000, 100))).toEqual([]);
    expect(world.end(stop, "cancelled")).toEqual(["place stop sell stop_market 9500 x 600"]);
  });

  test("a cancel nobody answered is asked for again", () => {
    const world = holding({}, {}, { answersCancels: false });
    world.fill(world.working("tp"), 400, 101, 61_000);
    expect(world.tell(price(90_000, 100))).toEqual([]);
    expect(world.tell(price(91_000, 100))).toEqual(["cancel 0"]);
  });

  test("an order nobody has heard of yet is asked to leave as soon as it is known", () => {
    const world = new LiveWorld(settings());
    world.tell(ledgerOf(0));
    const told = { kind: "candle", candle: candle(0), mayEnter: true, isGapKnown: false } as const;
    const placed = world.bot.handle(told);
    if (!placed.ok) throw new Error(placed.detail);
    expect(world.tell({ kind: "trading_state", at: MINUTE, state: "reducing" })).toEqual([]);
    const said = world.carryOut(placed.value);
    expect(said).toEqual(["place entry buy post_only 10000 x 1000", "cancel 4"]);
    expect(world.alive()).toEqual([]);
  });

  test("an order in doubt is neither parked nor activated", () => {
    const world = holding({ dynamic_activation: { entry_pct: 0, dca_pct: 0, tp_pct: 0.5 } });
    world.tell(price(61_000, 100.8));
    world.end(world.working("tp"), "unverified");
    expect(world.tell(price(62_000, 99.5))).toEqual([]);
    world.end(world.working("tp"), "open");
    expect(world.tell(price(63_000, 99.5))).toContain("cancel 2");
  });

  test("an order in doubt keeps its slot", () => {
    const world = holding();
    const stop = world.working("stop");
    stop.intent.status = "unverified";
    expect(world.news(stop)).toEqual([]);
    expect(statusOf(world, "protective_stop")).toBe("unverified");
    expect(world.tell(price(62_000, 100))).toEqual([]);
    expect(world.end(stop, "open")).toEqual([]);
    expect(statusOf(world, "protective_stop")).toBe("resting");
  });

  test("an order that was given up and turns up is followed again, or asked to leave", () => {
    const world = holding();
    const stop = world.working("stop");
    world.end(stop, "abandoned");
    world.end(stop, "open");
    expect(statusOf(world, "protective_stop")).toBe("resting");
    expect(world.tell(price(62_000, 100))).toEqual([]);
    world.end(stop, "abandoned");
    world.tell(price(63_000, 100));
    const another = world.working("stop");
    expect(another).not.toBe(stop);
    stop.intent.status = "open";
    expect(world.news(stop)).toEqual(["cancel 0"]);
    expect(world.alive().filter(({ intent }) => intent.purpose === "protective_stop")).toEqual([
      another,
    ]);
  });

  test("an order beside another is asked to leave again when nobody answers", () => {
    const world = holding({}, {}, { answersCancels: false });
    const stop = world.working("stop");
    world.end(stop, "abandoned");
    world.tell(price(63_000, 100));
    stop.intent.status = "open";
    expect(world.news(stop)).toEqual(["cancel 0"]);
    expect(world.tell(price(64_000, 100))).toEqual([]);
    expect(world.tell(price(93_000, 100))).toEqual(["cancel 0"]);
    world.tell({ kind: "trading_state", at: 94_000, state: "frozen" });
    expect(world.tell(price(200_000, 100))).toEqual([]);
  });

  test("a stricter trading state asks only once for what is asked to leave already", () => {
    const world = holding({}, {}, { answersCancels: false });
    const go = (state: "reducing" | "halted") =>
      world.tell({ kind: "trading_state", at: 61_000, state });
    expect(go("reducing")).toEqual(["cancel 3"]);
    expect(go("halted")).toEqual([]);
  });

  test("after a restart from orders alone, what is wished and does not work is planned again", () => {
    const world = holding();
    world.end(world.working("dca:1"), "refused", "BUSY");
    const withoutDerived = (body: unknown) => ({ ...(body as object), slots: null });
    expect(world.restart([candle(0)], withoutDerived)).toEqual([]);
    const said = world.tell(price(61_000, 100));
    expect(said).toEqual(["place dca:1 buy post_only 9900 x 1000"]);
  });

  test("an order that came and went while nobody listened frees its slot after a restart", () => {
    const world = holding();
    const stop = world.working("stop");
    world.end(stop, "cancelled");
    world.tell(price(61_000, 100));
    const again = world.working("stop");
    // As if the crash came before the first news of it.
    const body = world.bot.body() as { orders: { id: number }[] };
    const orders = body.orders.filter(({ id }) => id !== again.intent.id);
    again.intent.status = "cancelled";
    world.restart([candle(0)], () => ({ ...body, orders, slots: null }));
    expect(statusOf(world, "protective_stop")).toBe("free");
    const said = world.tell(price(62_000, 100));
    expect(said).toEqual(["place stop sell stop_market 9500 x 1000"]);
  });

  test("what was never sent is planned again: at the next price, or after RULES at the next candle", () => {
    const said = (reason: string) => {
      const world = new LiveWorld(settings());
      world.tell(ledgerOf(0));
      const bot = aLiveBot(settings());
      bot.restore(null, []);
      bot.handle(ledgerOf(0));
      const told = {
        kind: "candle",
        candle: candle(0),
        mayEnter: true,
        isGapKnown: false,
      } as const;
      bot.handle(told);
      const lost = {
        kind: "not_sent",
        at: MINUTE,
        op: "place",
        targetKey: "entry",
        reason,
      } as const;
      expect(bot.handle(lost)).toMatchObject({ ok: true, value: { commands: [] } });
      const answer = bot.handle(price(MINUTE + 1, 100));
      return answer.ok ? answer.value.commands.length : -1;
    };
    expect(said("LEASE_SHORT")).toBe(1);
    expect(said("RULES")).toBe(0);
  });

  test("no other side is entered while an order of the closed position may still work", () => {
    const world = holding({}, {}, { answersCancels: false });
    world.fillWhole("tp", 101);
    world.candle(MINUTE, 100);
    expect(world.bot.view().slots.at(-1)?.wanted).toBeNull();
    world.end(world.working("stop"), "cancelled");
    world.end(world.working("dca:1"), "cancelled");
    expect(world.candle(2 * MINUTE, 100)).toEqual(["place entry buy post_only 10000 x 1000"]);
  });

  test("a trading state withdraws entries, keeps protection, and gives back what is still wanted", () => {
    const world = holding();
    const go = (state: "active" | "reducing" | "frozen", at: number) =>
      world.tell({ kind: "trading_state", at, state });
    expect(go("reducing", 61_000)).toEqual(["cancel 3"]);
    expect(go("reducing", 62_000)).toEqual([]);
    expect(statusOf(world, "protective_stop")).toBe("resting");
    expect(go("active", 63_000)).toEqual(["place dca:1 buy post_only 9900 x 1000"]);
    expect(go("frozen", 64_000)).toEqual([]);
    expect(world.tell(price(65_000, 90))).toEqual([]);
  });
});
