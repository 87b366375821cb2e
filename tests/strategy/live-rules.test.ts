// What the strategy already does with the events of live trading (rule E63): ticks with real times, and the clock of
// a touched take-profit that runs from the instant it was reported.
import { describe, expect, test } from "bun:test";
import type { OrderPurpose } from "../../src/model/order.ts";
import { parseInstrument } from "../../src/services/research/backtest-inputs.ts";
import { parseConfig } from "../../src/strategy/dca-atr/config.ts";
import { createDcaAtr } from "../../src/strategy/dca-atr/dca-atr.ts";
import { EXIT, RUNG, STOP, TAKE_PROFIT } from "../../src/strategy/dca-atr/state.ts";
import type { StrategyEvent, TargetBook } from "../../src/strategy/strategy.ts";

/** The strategy holding 1 at 100 since the instant 0, without an engine around it. */
function aHolder(config: object, isAtClose = false) {
  const instrument = parseInstrument({ price_tick: 0.01, qty_step: 0.001 });
  const strategy = createDcaAtr(parseConfig(config), instrument);
  const state = strategy.initialState();
  const book: TargetBook = { targets: strategy.slots.map(() => null), touched: 0 };
  const view = { position: { sign: 1 as const, lots: 1000, qty: 1, average: 100 }, balance: 1000 };
  const send = (event: StrategyEvent) => strategy.onEvent(state, event, view, book);
  const entry = strategy.slots.indexOf("entry" satisfies OrderPurpose);
  const order = { isComplete: true, orderLots: 1000, orderPrice: 100, averageShift: 0 };
  send({ kind: "order_filled", at: 0, slot: entry, price: 100, atr: 1, isAtClose, ...order });
  const close = (at: number, price: number, reachedHigh = price) =>
    send({
      kind: "candle_closed",
      at,
      openAt: at - 300_000,
      close: price,
      reachedHigh,
      reachedLow: price,
      signals: 0,
      atr: 1,
      mayEnter: true,
    });
  return { state, book, send, close };
}

describe("live events", () => {
  const config = {
    general: { exit_order_style: "maker_or_cancel", exit_timeout_min: 10 },
    exits: { tp_mode: "PCT", tp_pct: 1, trail_distance_pct: 0 },
  };

  test("E63 the exit clock starts at the real time of the touch", () => {
    const bot = aHolder(config);
    bot.send({ kind: "order_touched", at: 123_457, slot: TAKE_PROFIT });
    bot.close(123_457 + 599_999, 101);
    expect(bot.book.targets[EXIT]).toBeNull();
    bot.close(123_457 + 600_000, 101);
    expect(bot.book.targets[EXIT]).toMatchObject({ kind: "market", reason: "TP_PCT" });
  });

  test("E63 only the first touch starts it, and only one of the take-profit", () => {
    const bot = aHolder(config);
    bot.send({ kind: "order_touched", at: 50, slot: RUNG });
    expect(bot.state.touchedAt).toBe(-1);
    bot.send({ kind: "order_touched", at: 100, slot: TAKE_PROFIT });
    bot.send({ kind: "order_touched", at: 900, slot: TAKE_PROFIT });
    expect(bot.state.touchedAt).toBe(100);
  });

  test("E63 an armed trailing stop follows ticks, and its order carries the tick's time", () => {
    const bot = aHolder({
      exits: {
        tp_mode: "PCT",
        tp_pct: 0,
        sl_pct: 0,
        trail_activation_pct: 1,
        trail_distance_pct: 2,
      },
    });
    bot.close(300_000, 101);
    expect(bot.book.targets[STOP]).toMatchObject({ priceTicks: 9898, decidedAt: 300_000 });
    bot.send({ kind: "price_ticked", at: 301_234, price: 103 });
    expect(bot.book.targets[STOP]).toMatchObject({ priceTicks: 10_094, decidedAt: 301_234 });
    bot.send({ kind: "price_ticked", at: 302_000, price: 102 });
    expect(bot.book.targets[STOP]).toMatchObject({ priceTicks: 10_094, decidedAt: 301_234 });
  });

  test("E48 the close that opened the position does not arm, whichever event comes first", () => {
    const exits = { tp_mode: "PCT", tp_pct: 0, sl_pct: 0, trail_activation_pct: 0 };
    const bot = aHolder({ exits }, true);
    bot.close(0, 100);
    expect(bot.state.isTrailing).toBe(false);
    bot.close(300_000, 100);
    expect(bot.state.isTrailing).toBe(true);
    const onPath = aHolder({ exits }, false);
    onPath.close(0, 100);
    expect(onPath.state.isTrailing).toBe(true);
  });

  test("E63 the take-profit carries the replace threshold for the planner", () => {
    const exits = { ...config.exits, tp_replace_threshold_pct: 0.2 };
    const bot = aHolder({ ...config, exits });
    expect(bot.book.targets[TAKE_PROFIT]).toMatchObject({ priceTicks: 10_100, replacePct: 0.2 });
    expect(bot.book.targets[STOP]).toMatchObject({ replacePct: 0 });
    expect(bot.book.targets[RUNG]).toMatchObject({ replacePct: 0 });
  });
});
