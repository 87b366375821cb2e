// A live bot as it is stored: read back whole or refused with the field that is wrong, never guessed at; and what it
// needs beside it.
import { describe, expect, test } from "bun:test";
import { ordersNeeded } from "../../src/engine/live-body.ts";
import { refusalOf } from "../../src/engine/live-orders.ts";
import { parseInstrument } from "../../src/services/research/backtest-inputs.ts";
import { parseConfig } from "../../src/strategy/dca-atr/config.ts";
import {
  GATE_LONG,
  READY,
  SIGNAL_LONG,
  TREND_LONG,
} from "../../src/strategy/dca-atr/signal-flags.ts";
import { aLiveBot, ledgerOf, LiveWorld } from "../support/live-world.ts";

const LONG = READY | TREND_LONG | SIGNAL_LONG | GATE_LONG;

function settings() {
  const config = parseConfig({
    general: { entry_timeout_min: 0, entry_cooldown_min: 0 },
    exits: { tp_mode: "PCT", tp_pct: 1, sl_pct: 5, trail_distance_pct: 0 },
  });
  const instrument = parseInstrument({ price_tick: 0.01, qty_step: 0.001 });
  return { config, instrument, timeframeMin: 1, allocation: 1000, signals: LONG };
}

/** A bot that holds 1 at 100 since its first candle. */
function holding() {
  const world = new LiveWorld(settings());
  world.tell(ledgerOf(0));
  world.candle(0, 100);
  world.fillWhole("entry", 100);
  return world;
}

describe("what is stored", () => {
  const stored = () => JSON.parse(JSON.stringify(holding().bot.body())) as Record<string, unknown>;
  const restored = (body: unknown) => {
    const world = holding();
    const orders = world.orders.map(({ intent, fills }) => ({ intent, fills }));
    const answer = aLiveBot(settings()).restore(body, orders);
    return answer.ok ? "restored" : `${answer.reason}: ${answer.detail}`;
  };

  test("is read back whole", () => {
    expect(restored(stored())).toBe("restored");
  });

  test("and refused, never guessed at, when anything of it is not what it must be", () => {
    expect(restored({})).toStartWith("BODY_CORRUPT: body.format is missing");
    expect(restored({ ...stored(), extra: 1 })).toBe("BODY_CORRUPT: body.extra is not known");
    expect(restored({ ...stored(), lastPrice: "100" })).toStartWith("BODY_CORRUPT: body.lastPrice");
    expect(restored({ ...stored(), targets: [null] })).toStartWith("BODY_CORRUPT: body: 1 targets");
    const { strategy } = stored() as { strategy: Record<string, unknown> };
    const state = { ...(strategy["state"] as object), entries: -1 };
    expect(restored({ ...stored(), strategy: { ...strategy, state } })).toContain("state: entries");
    const older = { ...strategy, version: "0.0.1" };
    expect(restored({ ...stored(), strategy: older })).toContain("version 0.0.1");
    const other = { ...strategy, name: "other" };
    expect(restored({ ...stored(), strategy: other })).toStartWith("STRATEGY_DIFFERS");
  });

  test("needs the orders it speaks of", () => {
    const body = stored();
    const needed = ordersNeeded(body);
    expect(needed).toEqual({ ok: true, value: [1, 2, 3, 4] });
    expect(ordersNeeded(null)).toEqual({ ok: true, value: [] });
    expect(ordersNeeded({})).toMatchObject({ ok: false, reason: "BODY_CORRUPT" });
    const answer = aLiveBot(settings()).restore(body, []);
    expect(answer).toMatchObject({ ok: false, reason: "ORDERS_MISSING" });
  });

  test("a quantity off the step is refused and nothing of it is booked", () => {
    const world = holding();
    const tp = world.working("tp");
    world.execute(tp, 400, 101);
    const fills = tp.fills.map((fill) => ({ ...fill, qty: "0.4005" as typeof fill.qty }));
    const before = world.bot.body();
    const answer = world.bot.handle({ kind: "order", at: 1, news: { intent: tp.intent, fills } });
    expect(answer).toMatchObject({ ok: false, reason: "QTY_OFF_STEP" });
    expect(world.bot.body()).toEqual(before);
  });

  test("reasons of the exchange become the strategy's, and an unknown one is unknown", () => {
    expect(["INSUFFICIENT_MARGIN", "WOULD_TAKE", "NOTIONAL_TOO_SMALL"].map(refusalOf)).toEqual([
      "MARGIN",
      "WOULD_TAKE",
      "FILTERS",
    ]);
    expect([undefined, "BUSY", "toString"].map(refusalOf)).toEqual(Array(3).fill("UNKNOWN"));
  });
});
