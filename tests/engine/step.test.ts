// The step with the real strategy: what a trading state lets through, takes back and gives back, and that events
// without consequences plan nothing. The table itself is in tests/risk.
import { describe, expect, test } from "bun:test";
import { type EngineEvent, emptyOutput } from "../../src/engine/event.ts";
import { initialState } from "../../src/engine/state.ts";
import { type StepContext, step } from "../../src/engine/step.ts";
import type { TradingState } from "../../src/risk/trading-state.ts";
import { parseInstrument } from "../../src/services/research/backtest-inputs.ts";
import { parseConfig } from "../../src/strategy/dca-atr/config.ts";
import { createDcaAtr } from "../../src/strategy/dca-atr/dca-atr.ts";
import {
  GATE_LONG,
  READY,
  SIGNAL_LONG,
  TREND_LONG,
} from "../../src/strategy/dca-atr/signal-flags.ts";
import {
  type DcaAtrState,
  ENTRY,
  RUNG,
  STOP,
  TAKE_PROFIT,
} from "../../src/strategy/dca-atr/state.ts";

const NAMES = ["stop", "exit", "take-profit", "rung", "entry"];
const LONG = READY | TREND_LONG | SIGNAL_LONG | GATE_LONG;

/** A bot with 1000 that buys 1 at 100, with stop, take-profit and ladder in percent. */
function aBot(live: Pick<StepContext<DcaAtrState>, "awaitsCancels"> = {}) {
  const config = parseConfig({
    general: { entry_timeout_min: 0, exit_order_style: "limit" },
    exits: { tp_mode: "PCT", tp_pct: 1, sl_pct: 5, trail_distance_pct: 0 },
  });
  const strategy = createDcaAtr(config, parseInstrument({ price_tick: 0.01, qty_step: 0.001 }));
  const contract = { lots: strategy.context.lots, contractSize: 1 };
  const context: StepContext<DcaAtrState> = { strategy, contract, ...live };
  const state = initialState(strategy, 1000);
  const output = emptyOutput();
  const send = (event: EngineEvent) => {
    step(context, state, event, output);
    const named = (intents: readonly { op: string; slot: number }[]) =>
      intents.map(({ op, slot }) => `${op} ${NAMES[slot]}`);
    return {
      sent: named(output.approved),
      denied: named(output.denied.map(({ intent }) => intent)),
    };
  };
  let at = 0;
  const close = (signals = LONG) => {
    at += 300_000;
    return send({
      kind: "candle_closed",
      at,
      openAt: at - 300_000,
      close: 100,
      reachedHigh: 100,
      reachedLow: 100,
      signals,
      atr: 1,
      mayEnter: true,
    });
  };
  const goTo = (to: TradingState) => send({ kind: "trading_state_changed", at, state: to });
  const fill = (slot: number, price: number) => {
    const order = state.working[slot];
    if (!order) throw new Error(`no working order in slot ${slot}`);
    return send({
      kind: "order_filled",
      at,
      slot,
      atr: 1,
      isAtClose: false,
      fill: {
        at,
        candleOpenAt: at,
        side: order.side,
        positionSide: order.positionSide,
        priceTicks: Math.round(price * 100),
        qtyLots: order.qtyLots,
        price,
        qty: order.qtyLots / 1000,
        pathPrice: price,
        fee: 0,
        liquidity: "maker",
        reason: order.reason,
        cycle: 1,
      },
    });
  };
  return { state, close, goTo, fill, send };
}

describe("an active bot", () => {
  test("places its entry, then stop, take-profit and rung with the fill", () => {
    const bot = aBot();
    expect(bot.close()).toEqual({ sent: ["place entry"], denied: [] });
    expect(bot.fill(ENTRY, 100)).toEqual({
      sent: ["place stop", "place take-profit", "place rung"],
      denied: [],
    });
  });

  test("plans nothing on an event that changes nothing", () => {
    const bot = aBot();
    bot.close();
    bot.fill(ENTRY, 100);
    expect(bot.close(0)).toEqual({ sent: [], denied: [] });
    const paid = bot.send({ kind: "funding_paid", at: 1, payment: -2 });
    expect(paid).toEqual({ sent: [], denied: [] });
    expect(bot.state.balance).toBe(998);
  });

  test("refuses a reducing fill without a position as a broken assumption", () => {
    const bot = aBot();
    bot.close();
    bot.fill(ENTRY, 100);
    const stop = bot.state.working[STOP];
    bot.fill(TAKE_PROFIT, 101);
    bot.state.working[STOP] = stop ?? null;
    expect(() => bot.fill(STOP, 95)).toThrow("a reducing fill needs a position");
  });
});

describe("a stricter trading state", () => {
  for (const state of ["reducing", "halted", "frozen"] as const) {
    test(`${state}: a new entry is denied`, () => {
      const bot = aBot();
      bot.goTo(state);
      expect(bot.close()).toEqual({ sent: [], denied: ["place entry"] });
      expect(bot.state.working[ENTRY]).toBeNull();
    });
  }

  test("reducing: resting entries are cancelled at once", () => {
    const bot = aBot();
    bot.close();
    expect(bot.goTo("reducing").sent).toEqual(["cancel entry"]);
  });

  test("reducing: a resting rung is cancelled, the exits are kept", () => {
    const bot = aBot();
    bot.close();
    bot.fill(ENTRY, 100);
    expect(bot.goTo("reducing").sent).toEqual(["cancel rung"]);
    expect(bot.state.working[STOP]).not.toBeNull();
    expect(bot.state.working[TAKE_PROFIT]).not.toBeNull();
  });

  test("halted: resting entries are cancelled, the protective stop is kept", () => {
    const bot = aBot();
    bot.close();
    bot.fill(ENTRY, 100);
    expect(bot.goTo("halted").sent).toContain("cancel rung");
    expect(bot.state.working[STOP]).not.toBeNull();
  });

  test("halted: an entry that still fills gets its protective stop and nothing else", () => {
    const bot = aBot();
    bot.close();
    // The fill was under way when the state changed.
    const entry = bot.state.working[ENTRY];
    bot.goTo("halted");
    bot.state.working[ENTRY] = entry ?? null;
    const { sent, denied } = bot.fill(ENTRY, 100);
    expect(sent).toEqual(["place stop"]);
    expect(denied).toEqual(["place take-profit", "place rung"]);
  });

  test("frozen: nothing is sent, resting orders stay as they are", () => {
    const bot = aBot();
    bot.close();
    expect(bot.goTo("frozen").sent).toEqual([]);
    expect(bot.state.working[ENTRY]).not.toBeNull();
  });

  test("active again: what was denied and is still wanted is placed", () => {
    const bot = aBot();
    bot.close();
    bot.fill(ENTRY, 100);
    bot.goTo("halted");
    bot.state.working[RUNG] = null;
    bot.state.working[TAKE_PROFIT] = null;
    expect(bot.goTo("active").sent).toEqual(["place take-profit", "place rung"]);
  });
});

describe("events of a real exchange", () => {
  /** The bot of a live market: what is asked to leave keeps its slot until it is gone. */
  function aLiveBot() {
    const bot = aBot({ awaitsCancels: true });
    bot.close();
    bot.fill(ENTRY, 100);
    return bot;
  }
  const gone = (slot: number) =>
    ({ kind: "order_cancelled", at: 9, slot, atr: 1, lots: 0, price: 0 }) as const;

  test("an order in doubt changes nothing", () => {
    const bot = aLiveBot();
    const before = JSON.stringify(bot.state);
    const said = bot.send({ kind: "order_unverified", at: 9, slot: STOP });
    expect(said).toEqual({ sent: [], denied: [] });
    expect(JSON.stringify(bot.state)).toBe(before);
  });

  test("a replaced order is cancelled first, and its successor placed when it is gone", () => {
    const bot = aLiveBot();
    const target = bot.state.book.targets[STOP]!;
    bot.state.book.targets[STOP] = { ...target, priceTicks: target.priceTicks + 1 };
    bot.state.book.touched = 1 << STOP;
    expect(bot.send({ kind: "price_ticked", at: 9, price: 100 }).sent).toEqual(["cancel stop"]);
    expect(bot.state.working[STOP]).toEqual(target);
    bot.state.book.touched = 1 << STOP;
    expect(bot.send({ kind: "price_ticked", at: 9, price: 100 }).sent).toEqual([]);
    expect(bot.send(gone(STOP)).sent).toEqual(["place stop"]);
  });

  test("what was withheld is planned again at the next price, or at the next candle", () => {
    const bot = aLiveBot();
    const lost = { kind: "order_withheld", at: 9, op: "place" } as const;
    expect(bot.send({ ...lost, slot: STOP, untilCandle: false }).sent).toEqual([]);
    bot.send({ ...lost, slot: RUNG, untilCandle: true });
    expect(bot.send({ kind: "price_ticked", at: 10, price: 100 }).sent).toEqual(["place stop"]);
    expect(bot.close(0).sent).toEqual(["place rung"]);
    expect(bot.close(0).sent).toEqual([]);
  });

  test("a cancel that was withheld leaves its order working and is planned again", () => {
    const bot = aLiveBot();
    bot.goTo("reducing");
    const lost = { kind: "order_withheld", at: 9, op: "cancel", untilCandle: false } as const;
    bot.send({ ...lost, slot: RUNG });
    expect(bot.state.working[RUNG]).not.toBeNull();
    expect(bot.send({ kind: "price_ticked", at: 10, price: 100 }).sent).toEqual(["cancel rung"]);
  });

  test("a balance is taken as told, and a transfer is none", () => {
    const bot = aLiveBot();
    bot.send({ kind: "balance_told", at: 9, balance: 1234 });
    expect(bot.state.balance).toBe(1234);
  });

  test("a position turned over by late records is protected on its new side", () => {
    const bot = aLiveBot();
    const { sent } = bot.send({
      ...{ kind: "position_adjusted", at: 9, atr: 1, sign: -1, lots: 500, average: 200 },
    });
    expect(sent).toContain("cancel stop");
    expect(bot.state.book.targets[STOP]).toMatchObject({
      side: "buy",
      priceTicks: 21_000,
      qtyLots: 500,
    });
  });
});
