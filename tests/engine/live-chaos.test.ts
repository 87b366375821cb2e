// A live bot in a hostile market: parts, late and repeated records, cancels answered late or never, orders taken away,
// refused, in doubt, never sent, trading states, restarts at any moment. Whatever happens, no slot ever holds two
// orders, and once the dust settles what is held is known and protected.
import { describe, expect, test } from "bun:test";
import { parseInstrument } from "../../src/services/research/backtest-inputs.ts";
import { parseConfig } from "../../src/strategy/dca-atr/config.ts";
import {
  GATE_LONG,
  GATE_SHORT,
  READY,
  SIGNAL_LONG,
  SIGNAL_SHORT,
  TREND_LONG,
  TREND_SHORT,
} from "../../src/strategy/dca-atr/signal-flags.ts";
import { createRandom, type Random } from "../oracle/prng.ts";
import { ledgerOf, LiveWorld, type WorldOrder } from "../support/live-world.ts";

const SESSIONS = Number(process.env["DRAGON_TEST_CHAOS_SESSIONS"] ?? 300);
const STEPS = 120;
const MINUTE = 60_000;
const LONG = READY | TREND_LONG | SIGNAL_LONG | GATE_LONG;
const SHORT = READY | TREND_SHORT | SIGNAL_SHORT | GATE_SHORT;

function aSettings(random: Random) {
  const isLong = random.chance(0.5);
  const config = parseConfig({
    general: {
      allow_long: isLong,
      allow_short: !isLong,
      entry_cooldown_min: 0,
      entry_timeout_min: random.pick([0, 2, 5]),
      entry_order_style: random.pick(["market", "limit", "maker_or_cancel"]),
      exit_order_style: random.pick(["market", "limit", "maker_or_cancel"]),
      dca_cooldown_min: random.pick([0, 0, 2]),
      use_avg_entry_for_dca_base: random.chance(0.5),
      dynamic_activation: {
        entry_pct: 0,
        dca_pct: random.pick([0, 0.3]),
        tp_pct: random.pick([0, 0.3]),
      },
    },
    exits: {
      tp_mode: "PCT",
      tp_pct: 1,
      sl_mode: random.pick(["PCT", "ATR"]),
      sl_pct: 4,
      sl_atr_mult: 4,
      trail_activation_pct: 0.3,
      trail_distance_pct: random.pick([0, 0.5]),
      tp_replace_threshold_pct: random.pick([0, 0.05, 0.5]),
    },
    dca: { deviation_mode: random.pick(["PCT", "ATR"]), base_deviation_pct: 0.5 },
  });
  const instrument = parseInstrument({ price_tick: 0.01, qty_step: 0.001 });
  const signals = isLong ? LONG : SHORT;
  const world = { timeframeMin: 1, allocation: 1000, answersCancels: false };
  return { config, instrument, signals, ...world };
}

/** One session; what must hold is checked after every step. */
class Chaos {
  readonly world: LiveWorld;
  private readonly random: Random;
  private price = 100;
  private candles = 0;
  private untold = new Set<WorldOrder>();

  constructor(seed: number) {
    this.random = createRandom(seed);
    this.world = new LiveWorld(aSettings(this.random));
    this.world.tell(ledgerOf(0));
  }

  step(): void {
    const { random, world } = this;
    world.at += random.whole(1, 4000);
    const order = random.pick([null, ...world.alive()]);
    const act = random.between(0, 1);
    if (act < 0.3) this.move();
    else if (act < 0.4) this.close();
    else if (act < 0.5) this.answer();
    else if (act < 0.55) this.tellSome();
    else if (act < 0.58) this.changeState();
    else if (act < 0.61) this.restart();
    else if (order) this.happen(order, act);
    this.check();
  }

  private move(): void {
    this.price *= 1 + this.random.between(-0.004, 0.004);
    this.world.tell({ kind: "price", at: this.world.at, price: this.price });
  }

  private close(): void {
    const openAt = this.candles * MINUTE;
    this.candles += 1;
    this.world.candle(openAt, this.price);
  }

  private answer(): void {
    const { world, random } = this;
    for (const order of [...world.asked]) {
      if (random.chance(0.3)) continue;
      world.asked.delete(order);
      if (world.alive().includes(order)) order.intent.status = "cancelled";
      this.tellOrKeep(order);
    }
  }

  private tellSome(): void {
    const { world, random } = this;
    for (const order of [...this.untold]) {
      const part = order.fills.filter(() => random.chance(0.7));
      world.news(order, world.at, undefined, part);
      if (part.length === order.fills.length) this.untold.delete(order);
    }
    // Old news once more.
    const old = random.pick([null, ...world.orders]);
    if (old && !this.untold.has(old)) world.news(old);
  }

  private changeState(): void {
    const state = this.random.pick(["active", "active", "reducing", "halted", "frozen"] as const);
    this.world.tell({ kind: "trading_state", at: this.world.at, state });
  }

  private restart(): void {
    const change = this.random.chance(0.5)
      ? (body: unknown) => ({ ...(body as object), slots: null })
      : undefined;
    const history = Array.from({ length: this.candles }, (_, n) => ({
      ...{ openAt: n * MINUTE, open: 100, high: 100, low: 100, close: 100, volume: 1 },
    }));
    this.world.restart(history, change);
    this.untold.clear();
  }

  private happen(order: WorldOrder, act: number): void {
    const { world, random } = this;
    const isParked = order.intent.status === "parked";
    if (isParked) return;
    if (act < 0.9) this.execute(order);
    else if (act < 0.93) this.end(order, random.pick(["cancelled", "expired"] as const));
    else if (act < 0.96 && order.fills.length === 0) {
      order.intent.status = "refused";
      world.asked.delete(order);
      world.news(order, world.at, random.pick(["INSUFFICIENT_MARGIN", "WOULD_TAKE", "BUSY"]));
    } else if (act < 0.98 && order.fills.length === 0) {
      order.intent.status = "unverified";
      world.news(order);
      if (random.chance(0.5)) order.intent.status = "open";
    } else if (order.fills.length === 0) this.end(order, "abandoned");
  }

  private end(order: WorldOrder, status: "cancelled" | "expired" | "abandoned"): void {
    order.intent.status = status;
    this.world.asked.delete(order);
    this.tellOrKeep(order);
  }

  private execute(order: WorldOrder): void {
    const { world, random } = this;
    const rest = world.restLots(order);
    // The exchange closes no more than is held.
    const most = order.intent.isReduceOnly ? Math.min(rest, Math.abs(world.heldLots())) : rest;
    if (most <= 0) return;
    const lots = random.chance(0.4) ? most : random.whole(1, most);
    world.execute(order, lots, Number(this.price.toFixed(2)));
    this.tellOrKeep(order);
  }

  private tellOrKeep(order: WorldOrder): void {
    if (this.random.chance(0.3)) this.untold.add(order);
    else {
      this.world.news(order);
      this.untold.delete(order);
    }
  }

  /** No slot holds two orders, ever. */
  private check(): void {
    const seen = new Set<string>();
    for (const { intent } of this.world.alive()) {
      if (seen.has(intent.purpose)) throw new Error(`two orders for ${intent.purpose}`);
      seen.add(intent.purpose);
    }
  }

  /** Every record told, every cancel answered, until nothing moves any more. */
  settle(): void {
    const { world } = this;
    world.tell({ kind: "trading_state", at: world.at, state: "active" });
    for (let round = 0; round < 12; round++) {
      world.at += MINUTE;
      for (const order of world.orders) {
        if (order.intent.status === "unverified") order.intent.status = "open";
        if (world.asked.has(order) && world.alive().includes(order)) {
          order.intent.status = "cancelled";
        }
        world.news(order);
      }
      world.asked.clear();
      world.tell({ kind: "price", at: world.at, price: this.price });
      this.check();
    }
  }
}

describe("a live bot in a hostile market", () => {
  test(`keeps one order a slot, knows what it holds and protects it in ${SESSIONS} sessions`, () => {
    let held = 0;
    let rungs = 0;
    for (let seed = 1; seed <= SESSIONS; seed++) {
      const chaos = new Chaos(seed);
      try {
        for (let n = 0; n < STEPS; n++) chaos.step();
        chaos.settle();
      } catch (cause) {
        throw new Error(`seed ${seed}`, { cause });
      }
      const { world } = chaos;
      const { position, unexplainedLots, strategy } = world.bot.view();
      const lots = world.heldLots();
      const alive = world.alive().map(({ intent }) => intent);
      const working = (purpose: string) =>
        world.alive().filter(({ intent }) => intent.purpose === purpose);
      const sentence = `seed ${seed}`;
      expect([sentence, position.sign * position.lots, unexplainedLots]).toEqual([
        sentence,
        lots,
        0,
      ]);
      rungs += strategy.level;
      if (lots === 0) {
        const others = alive.filter(({ purpose }) => purpose !== "entry");
        expect([sentence, others]).toEqual([sentence, []]);
        continue;
      }
      held += 1;
      const stop = working("protective_stop").map((order) => world.restLots(order));
      const exit = working("exit").map((order) => world.restLots(order));
      const takeProfit = working("take_profit").map((order) => world.restLots(order));
      const all = Math.abs(lots);
      expect([sentence, stop.length > 0 ? stop : exit]).toEqual([sentence, [all]]);
      expect([sentence, takeProfit]).toEqual([sentence, [all]]);
    }
    expect(held).toBeGreaterThan(SESSIONS / 5);
    expect(rungs).toBeGreaterThan(SESSIONS / 10);
  }, 120_000);
});
