// Orders executed in parts: what the first part does at once, what waits for the whole order, what is left when the
// rest is gone, and that pieces and order of the records do not matter.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parseInstrument } from "../../src/services/research/backtest-inputs.ts";
import { parseConfig } from "../../src/strategy/dca-atr/config.ts";
import {
  GATE_LONG,
  READY,
  SIGNAL_LONG,
  TREND_LONG,
} from "../../src/strategy/dca-atr/signal-flags.ts";
import { ledgerOf, LiveWorld, type WorldOrder, type WorldSettings } from "../support/live-world.ts";

const MINUTE = 60_000;
const LONG = READY | TREND_LONG | SIGNAL_LONG | GATE_LONG;

/** Buys 1 (1000 lots) at 100 of a balance of 1000, stop 5 %, take-profit 1 %, rungs of 2 at 99. */
function settings(change: Record<string, object> = {}, world: Partial<WorldSettings> = {}) {
  const config = parseConfig({
    general: { entry_timeout_min: 10, entry_cooldown_min: 0, ...change["general"] },
    exits: { tp_mode: "PCT", tp_pct: 1, sl_pct: 5, trail_distance_pct: 0, ...change["exits"] },
    dca: { ...change["dca"] },
  });
  const instrument = parseInstrument({ price_tick: 0.01, qty_step: 0.001 });
  return { config, instrument, timeframeMin: 1, allocation: 1000, signals: LONG, ...world };
}

function aWorld(change: Record<string, object> = {}, world: Partial<WorldSettings> = {}) {
  const made = new LiveWorld(settings(change, world));
  made.tell(ledgerOf(0));
  made.candle(0, 100);
  return made;
}

const slot = (world: LiveWorld, purpose: string) =>
  world.bot.view().slots.find((one) => one.purpose === purpose)!;
const wanted = (world: LiveWorld, purpose: string) => slot(world, purpose).wanted;

describe("an entry executed in parts", () => {
  test("is protected with its first part, for exactly what is held", () => {
    const world = aWorld();
    const said = world.fill(world.working("entry"), 300, 100);
    expect(said).toEqual([
      "place stop sell stop_market 9500 x 300",
      "place tp sell post_only 10100 x 300",
    ]);
    expect(world.bot.view().position).toMatchObject({ sign: 1, lots: 300, average: 100 });
    expect(slot(world, "entry").working?.qtyLots).toBe(700);
  });

  test("counts, and gets its first rung, only when it is complete", () => {
    const world = aWorld();
    world.fill(world.working("entry"), 300, 100);
    expect(world.bot.view().strategy.entries).toBe(0);
    expect(wanted(world, "rung")).toBeNull();
    world.fill(world.working("entry"), 700, 100);
    expect(world.bot.view().strategy).toMatchObject({ entries: 1, level: 0, baseQty: 1 });
    expect(wanted(world, "rung")).toMatchObject({ key: "dca:1", priceTicks: 9900, qtyLots: 1000 });
    expect(wanted(world, "protective_stop")?.qtyLots).toBe(1000);
  });

  test("whose rest is cancelled by hand counts with what was executed", () => {
    const world = aWorld();
    const entry = world.working("entry");
    world.fill(entry, 300, 100);
    const said = world.end(entry, "cancelled");
    expect(world.bot.view().strategy).toMatchObject({ entries: 1, baseQty: 0.3, pendingSign: 0 });
    expect(said).toEqual(["place dca:1 buy post_only 9900 x 300"]);
  });

  test("is taken back when its time is over, and then counts with what was executed", () => {
    const world = aWorld();
    world.fill(world.working("entry"), 300, 100);
    for (let n = 1; n < 10; n++) expect(world.candle(n * MINUTE, 100)).toEqual([]);
    const said = world.candle(10 * MINUTE, 100);
    expect(said[0]).toBe("cancel 4");
    expect(world.bot.view().strategy).toMatchObject({ entries: 1, baseQty: 0.3 });
    expect(wanted(world, "rung")?.qtyLots).toBe(300);
  });

  test("skips no rung at closes before it is complete", () => {
    const world = aWorld();
    world.fill(world.working("entry"), 300, 100);
    world.candle(MINUTE, 100);
    const { level, rejections, isLadderClosed } = world.bot.view().strategy;
    expect({ level, isLadderClosed, skipped: rejections.rungBelowMin }).toEqual({
      level: 0,
      isLadderClosed: false,
      skipped: 0,
    });
  });

  test("waits for records the exchange speaks of before its end counts", () => {
    const world = aWorld();
    const entry = world.working("entry");
    const first = world.execute(entry, 200, 100);
    world.execute(entry, 300, 99);
    entry.intent.status = "cancelled";
    world.news(entry, 5, undefined, [first]);
    expect(world.bot.view().strategy.entries).toBe(0);
    world.news(entry, 6);
    expect(world.bot.view().strategy).toMatchObject({ entries: 1, baseQty: 0.5, basePrice: 99.4 });
  });

  test("closed by its take-profit before it was complete takes its rest back", () => {
    const world = aWorld({}, { answersCancels: false });
    const entry = world.working("entry");
    world.fill(entry, 300, 100);
    const said = world.fillWhole("tp", 101);
    expect(said.sort()).toEqual(["cancel 0", "cancel 4"]);
    expect(world.bot.view().strategy).toMatchObject({ entries: 0, pendingSign: 0 });
    // The rest was executed before the cancel arrived: it is held, protected, and counts by itself.
    world.end(world.order(2), "cancelled");
    world.fill(entry, 700, 99);
    expect(world.bot.view().position).toMatchObject({ lots: 700, average: 99 });
    expect(world.bot.view().strategy).toMatchObject({ entries: 1, baseQty: 0.7, basePrice: 99 });
    expect(wanted(world, "protective_stop")).toMatchObject({ priceTicks: 9405, qtyLots: 700 });
  });
});

describe("an exit executed in parts", () => {
  function holding(change: Record<string, object> = {}) {
    const world = aWorld(change);
    world.fillWhole("entry", 100);
    return world;
  }

  test("shrinks stop and take-profit to what is left and keeps cycle, ladder and price", () => {
    const world = holding();
    const before = world.bot.view().strategy;
    const said = world.fill(world.working("tp"), 400, 101);
    expect(said).toEqual(["cancel 0", "place stop sell stop_market 9500 x 600"]);
    expect(slot(world, "take_profit").working).toMatchObject({ priceTicks: 10_100, qtyLots: 600 });
    expect(world.bot.view().strategy).toEqual(before);
    expect(world.bot.view().position).toMatchObject({ lots: 600, qty: 0.6, average: 100 });
  });

  test("closes the cycle with its last part", () => {
    const world = holding();
    world.fill(world.working("tp"), 400, 101);
    const said = world.fillWhole("tp", 101, 70_000);
    expect(said.slice(0, 2).sort()).toEqual(["cancel 0", "cancel 3"]);
    expect(world.bot.view().position.sign).toBe(0);
    expect(world.bot.view().strategy).toMatchObject({ entries: 0, lastEntryExitAt: 70_000 });
  });

  test("cancelled by hand is placed again for the rest at the next price, not at once", () => {
    const world = holding();
    const stop = world.working("stop");
    expect(world.end(stop, "cancelled")).toEqual([]);
    expect(world.tell({ kind: "price", at: 70_000, price: 100 })).toEqual([
      "place stop sell stop_market 9500 x 1000",
    ]);
  });

  test("a stop refused because the market is beyond it becomes an exit at the market", () => {
    const world = holding();
    world.tell({ kind: "price", at: 61_000, price: 94 });
    const said = world.end(world.working("stop"), "refused", "BAD_REQUEST");
    expect(said).toEqual(["place exit sell market 0 x 1000"]);
    expect(wanted(world, "exit")?.reason).toBe("SL_PCT");
  });

  test("a stop refused for another reason is tried again at the next price", () => {
    const world = holding();
    world.tell({ kind: "price", at: 61_000, price: 100 });
    expect(world.end(world.working("stop"), "refused")).toEqual([]);
    const said = world.tell({ kind: "price", at: 62_000, price: 100 });
    expect(said).toEqual(["place stop sell stop_market 9500 x 1000"]);
  });
});

describe("a rung executed in parts", () => {
  function climbing(change: Record<string, object> = {}, world: Partial<WorldSettings> = {}) {
    const made = aWorld(change, world);
    made.fillWhole("entry", 100);
    return made;
  }

  test("moves average, stop and take-profit with every part, and the ladder with the last", () => {
    const world = climbing();
    world.fill(world.working("dca:1"), 500, 99);
    expect(world.bot.view().position).toMatchObject({ lots: 1500, average: 99.66666666666667 });
    expect(wanted(world, "take_profit")).toMatchObject({ priceTicks: 10_067, qtyLots: 1500 });
    expect(wanted(world, "rung")).toMatchObject({ key: "dca:1", qtyLots: 500 });
    expect(world.bot.view().strategy).toMatchObject({ entries: 1, level: 0 });
    world.fill(world.working("dca:1"), 500, 99);
    expect(world.bot.view().strategy).toMatchObject({ entries: 2, level: 1 });
    expect(wanted(world, "rung")).toMatchObject({ key: "dca:2", qtyLots: 2000 });
  });

  test("taken back unfilled, whose records come late after all, counts once", () => {
    const world = climbing();
    const rung = world.working("dca:1");
    world.end(rung, "cancelled");
    world.fill(rung, 400, 99, 61_000);
    expect(world.bot.view().strategy).toMatchObject({ entries: 2, level: 1 });
    world.fill(rung, 600, 99, 62_000);
    expect(world.bot.view().strategy).toMatchObject({ entries: 2, level: 1 });
    expect(world.bot.view().position).toMatchObject({ lots: 2000, average: 99.5 });
    expect(wanted(world, "rung")?.key).toBe("dca:2");
  });

  test("moves an ATR stop by what an earlier exit, heard of later, does to the average", () => {
    const world = climbing(
      { exits: { sl_mode: "ATR", sl_atr_mult: 3 } },
      { answersCancels: false },
    );
    const tp = world.working("tp");
    const rung = world.working("dca:1");
    world.execute(tp, 500, 101, 61_000);
    world.fill(rung, 1000, 99, 62_000);
    expect(wanted(world, "protective_stop")?.priceTicks).toBe(9650);
    world.news(tp);
    // 500 at 100 and 1000 at 99.
    expect(world.bot.view().position.average).toBeCloseTo(99.3333, 4);
    expect(wanted(world, "protective_stop")).toMatchObject({ priceTicks: 9634, qtyLots: 1500 });
    expect(wanted(world, "take_profit")).toMatchObject({ priceTicks: 10_033, qtyLots: 1500 });
  });

  test("that follows the ATR stays where it is once a part was executed", () => {
    const dca = { deviation_mode: "ATR", base_deviation_atr_mult: 1 };
    const world = climbing({ dca });
    world.fill(world.working("dca:1"), 500, 99);
    const before = wanted(world, "rung");
    world.candle(MINUTE, 90);
    expect(wanted(world, "rung")).toEqual(before);
  });

  test("refused for margin or filters closes the ladder, for anything else it waits for a candle", () => {
    for (const reason of ["INSUFFICIENT_MARGIN", "NOTIONAL_TOO_SMALL"]) {
      const world = climbing();
      world.end(world.working("dca:1"), "refused", reason);
      expect(world.bot.view().strategy.isLadderClosed).toBe(true);
      expect(wanted(world, "rung")).toBeNull();
    }
    const world = climbing();
    world.end(world.working("dca:1"), "refused", "BUSY");
    expect(world.tell({ kind: "price", at: 61_000, price: 100 })).toEqual([]);
    expect(world.candle(MINUTE, 100)).toEqual(["place dca:1 buy post_only 9900 x 1000"]);
  });

  test("that would have taken is tried again at the next price", () => {
    const world = climbing();
    expect(world.end(world.working("dca:1"), "refused", "WOULD_TAKE")).toEqual([]);
    const said = world.tell({ kind: "price", at: 61_000, price: 100 });
    expect(said).toEqual(["place dca:1 buy post_only 9900 x 1000"]);
  });
});

type Part = { lots: number; price: number };

/** Splits lots into parts by weights; every part has at least one lot. */
function split(lots: number, weights: readonly number[], price: number): Part[] {
  const parts: Part[] = [];
  let left = lots;
  weights.forEach((weight, index) => {
    const isLast = index === weights.length - 1;
    const most = left - (weights.length - 1 - index);
    const taken = isLast ? left : Math.max(1, Math.min(most, Math.floor(left * weight)));
    parts.push({ lots: taken, price });
    left -= taken;
  });
  return parts;
}

/** What must not depend on pieces and order of the records. */
function ending(world: LiveWorld) {
  const { position, strategy, unexplainedLots } = world.bot.view();
  const order = (purpose: string) => {
    const target = wanted(world, purpose);
    return target && [target.key, target.priceTicks, target.qtyLots, target.reason];
  };
  return {
    position: { ...position, average: Number(position.average.toPrecision(12)) },
    unexplainedLots,
    level: [strategy.entries, strategy.level, strategy.baseQty],
    basePrice: Number(strategy.basePrice.toPrecision(12)),
    targets: ["protective_stop", "take_profit", "rung", "exit", "entry"].map(order),
  };
}

const weights = fc.array(fc.double({ min: 0.05, max: 0.9, noNaN: true }), {
  minLength: 1,
  maxLength: 5,
});

describe("whatever the pieces and the order of the records", () => {
  const modes = fc.constantFrom({}, { sl_mode: "ATR", sl_atr_mult: 3 });

  /** Tells subsets of the records of some orders in a given order, until all are told. */
  function tellShuffled(world: LiveWorld, orders: readonly WorldOrder[], picks: readonly number[]) {
    const all = orders.flatMap((order) => order.fills.map((fill) => ({ order, fill })));
    const told = new Map<WorldOrder, WorldOrder["fills"]>();
    for (let n = 0; all.length > 0; n++) {
      const [next] = all.splice((picks[n] ?? 0) % all.length, 1);
      const known = [...(told.get(next!.order) ?? []), next!.fill];
      told.set(next!.order, known);
      world.news(next!.order, world.at, undefined, known);
      if ((picks[n] ?? 0) % 3 === 0) world.news(next!.order, world.at, undefined, known);
    }
    for (const order of orders) world.news(order);
  }

  test("an entry ends in the same position, stop, take-profit and level", () => {
    fc.assert(
      fc.property(
        weights,
        fc.array(fc.nat(50), { maxLength: 12 }),
        modes,
        (shares, picks, exits) => {
          const whole = aWorld({ exits });
          whole.fillWhole("entry", 100);
          const parted = aWorld({ exits });
          const entry = parted.working("entry");
          split(1000, shares, 100).forEach(({ lots, price }, n) => {
            parted.execute(entry, lots, price, parted.at + n);
          });
          tellShuffled(parted, [entry], picks);
          expect(ending(parted)).toEqual(ending(whole));
        },
      ),
      { numRuns: 200 },
    );
  });

  test("a rung and a part of the take-profit, executed in turns, end the same", () => {
    fc.assert(
      fc.property(
        weights,
        weights,
        fc.array(fc.nat(50), { maxLength: 20 }),
        fc.integer({ min: 10, max: 900 }),
        modes,
        (rungShares, exitShares, picks, exitLots, exits) => {
          const make = (order: readonly number[]) => {
            const world = aWorld({ exits }, { answersCancels: false });
            world.fillWhole("entry", 100);
            const rung = world.working("dca:1");
            const tp = world.working("tp");
            let at = world.at;
            const rungParts = split(1000, rungShares, 99);
            const exitParts = split(exitLots, exitShares, 101);
            for (let n = 0; n < Math.max(rungParts.length, exitParts.length); n++) {
              const [a, b] = [rungParts[n], exitParts[n]];
              at += 14;
              if (a) world.execute(rung, a.lots, a.price, at);
              if (b) world.execute(tp, b.lots, b.price, at + 7);
            }
            tellShuffled(world, [rung, tp], order);
            return ending(world);
          };
          const inOrder = make(picks.map(() => 0));
          const shuffled = make(picks);
          expect(shuffled).toEqual(inOrder);
          expect(inOrder.level).toEqual([2, 1, 1]);
        },
      ),
      { numRuns: 300 },
    );
  });

  test("an exit whose record comes before the entry's ends flat and never holds twice", () => {
    const world = aWorld({}, { answersCancels: false });
    const entry = world.working("entry");
    const early = world.execute(entry, 600, 100, 60_001);
    world.news(entry, 60_002, undefined, [early]);
    const stop = world.working("stop");
    const late = world.execute(entry, 400, 100, 60_003);
    stop.intent.qty = entry.intent.qty;
    world.fill(stop, 1000, 95, 60_009);
    expect(world.bot.view()).toMatchObject({ position: { lots: 0 }, unexplainedLots: 400 });
    expect(world.candle(MINUTE, 100)).not.toContain("place entry buy post_only 10000 x 1000");
    world.news(entry, 60_010, undefined, [early, late]);
    expect(world.bot.view()).toMatchObject({ position: { lots: 0 }, unexplainedLots: 0 });
    expect(world.bot.view().strategy.entries).toBe(0);
  });

  test("nothing is entered while more was closed than is known to have been held", () => {
    const world = aWorld();
    const entry = world.working("entry");
    const early = world.execute(entry, 600, 100, 60_001);
    const late = world.execute(entry, 400, 100, 60_002);
    entry.intent.reportedFilledQty = null;
    entry.intent.status = "cancelled";
    world.news(entry, 60_003, undefined, [early]);
    const stop = world.working("stop");
    stop.intent.qty = entry.intent.qty;
    world.fill(stop, 1000, 95, 60_009);
    expect(world.bot.view()).toMatchObject({ position: { lots: 0 }, unexplainedLots: 400 });
    expect(world.candle(MINUTE, 100)).toEqual([]);
    world.news(entry, 60_010, undefined, [early, late]);
    expect(world.bot.view().unexplainedLots).toBe(0);
    expect(world.candle(2 * MINUTE, 100)).toEqual(["place entry buy post_only 10000 x 1000"]);
  });
});
