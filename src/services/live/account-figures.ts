// How a bot and an account stand, as the documents pages read. Called by the account loop after every tick.
// Everything comes from what was read already; what is not known stays null.
import { isFinal } from "../../execution/order-machine.ts";
import { add, type Decimal, multiply, subtract } from "../../model/decimal.ts";
import { averageEntry } from "../../model/leg-position.ts";
import type {
  BotFigures,
  GateView,
  HealthLevel,
  OrderView,
  PnlView,
  PositionView,
} from "../../model/live-figures.ts";
import type { OrderRules } from "../../model/order-rules.ts";
import { type EpochMs, MINUTE_MS } from "../../model/time.ts";
import type { FeedPrice, PriceSource } from "../../ports/price-feed.ts";
import type { StoredIntent } from "../../ports/trading-store.ts";
import { DECISIONS } from "../../strategy/dca-atr/state.ts";
import type { RunningBot } from "./account-bots.ts";
import type { BotRunner } from "./bot-runner.ts";

const ZERO = "0" as Decimal;
const BEATS_SHOWN = 60;

/** What is known beside the bot itself. */
export type Surroundings = {
  readonly at: EpochMs;
  readonly price: FeedPrice | null;
  readonly rules: OrderRules;
  readonly gates: readonly GateView[];
};

/** The document of a bot that was restored. */
export function botFigures(
  { bot, heartbeats, rungsMax }: RunningBot,
  runner: BotRunner,
  { at, price, rules, gates }: Surroundings,
): BotFigures {
  const view = runner.view();
  const position = positionOf(runner, rules, price, rungsMax);
  const unrealised = position === null ? ZERO : position.unrealised;
  const pnl = pnlOf(runner, unrealised);
  const balance = add(bot.config.allocation, runner.totals()?.net ?? ZERO);
  const lastAt = view.lastCandleOpenAt;
  const nextAt = lastAt === null ? null : lastAt + 2 * bot.timeframeMin * MINUTE_MS;
  const closed = gates.find(({ isOpen }) => !isOpen) ?? null;
  const isUnprotected = position !== null && position.stopPrice === null && wantsStop(runner);
  return {
    format: 1,
    health: healthOf(bot.status === "error" || isUnprotected, closed),
    nextAction: nextAction(bot.status === "error" ? bot.lastError : null, closed, runner),
    gates,
    price:
      price === null
        ? null
        : { price: price.mark.price, at: price.mark.at, source: SOURCES[price.source] },
    position,
    orders: runner.orders().flatMap((intent) => (isFinal(intent.status) ? [] : [orderOf(intent)])),
    pnl,
    balance,
    equity: unrealised === null ? null : add(balance, unrealised),
    lastTickAt: at,
    lastCandleAt: lastAt,
    nextCandleAt: nextAt,
    heartbeats: heartbeats.slice(-BEATS_SHOWN),
    blockedActions: runner.blockedActions(),
    leverage: bot.config.leverage,
    lastDecision: DECISIONS[view.strategy.decision] ?? null,
  };
}

const SOURCES: Readonly<Record<PriceSource, "mark" | "book" | "last">> = {
  ticker: "mark",
  book: "book",
  candle: "last",
};

function wantsStop(runner: BotRunner): boolean {
  return runner.view().slots.some(({ purpose, wanted }) => {
    return purpose === "protective_stop" && wanted !== null;
  });
}

function healthOf(isBad: boolean, closed: GateView | null): HealthLevel {
  if (isBad) return "error";
  const isQuiet = closed === null || closed.key === "desired_status" || closed.key === "warm_up";
  return isQuiet ? "ok" : "warning";
}

function nextAction(error: string | null, closed: GateView | null, runner: BotRunner): string {
  if (error !== null) return `Needs a person: ${error}`;
  if (closed !== null) return `Opens nothing: ${closed.sentence}`;
  const { position, slots } = runner.view();
  const resting = slots.filter(({ status }) => status === "resting").map(({ purpose }) => purpose);
  if (position.sign === 0) {
    return resting.includes("entry") ? "Waits for its entry to fill" : "Looks for an entry";
  }
  if (resting.includes("take_profit")) return "Holds a position and waits for its take-profit";
  return "Holds a position and follows it";
}

function pnlOf(runner: BotRunner, unrealised: Decimal | null): PnlView {
  const totals = runner.totals();
  if (totals === null) {
    const nothing = { realised: ZERO, fees: ZERO, funding: ZERO, missing: 0, estimated: 0 };
    return { ...nothing, unrealised, net: null };
  }
  const { realised, fees, funding, net, missing, estimated } = totals;
  const whole = unrealised === null ? null : add(net, unrealised);
  return { realised, fees, funding, unrealised, net: whole, missing, estimated };
}

function positionOf(
  runner: BotRunner,
  rules: OrderRules,
  price: FeedPrice | null,
  rungsMax: number,
): PositionView | null {
  const held = runner.holding();
  if (held === null || held.positionSide === null) return null;
  const average = averageEntry(held);
  if (average === null) return null;
  const { positionSide, qty } = held;
  const mark = price?.mark.price ?? null;
  const worth = (at: Decimal) => multiply(multiply(at, qty), rules.contractSize);
  const gain =
    mark === null ? null : subtract(worth(mark), multiply(held.cost, rules.contractSize));
  const alive = runner.orders().filter(({ status }) => !isFinal(status));
  const { strategy } = runner.view();
  const rung = alive.find(({ purpose }) => purpose === "rung");
  return {
    positionSide,
    qty,
    averageEntry: average,
    openedAt: strategy.lastEntryExitAt,
    unrealised: gain === null || positionSide === "long" ? gain : subtract(ZERO, gain),
    notional: mark === null ? null : worth(mark),
    liquidationPrice: null,
    stopPrice: triggerOf(alive.find(({ purpose }) => purpose === "protective_stop")),
    takeProfitPrice: priceOf(alive.find(({ purpose }) => purpose === "take_profit")),
    nextRungPrice: priceOf(rung) ?? triggerOf(rung),
    rungsFilled: Math.max(0, strategy.entries - 1),
    rungsMax,
  };
}

function priceOf(intent: StoredIntent | undefined): Decimal | null {
  if (!intent) return null;
  return "price" in intent.terms ? intent.terms.price : null;
}

function triggerOf(intent: StoredIntent | undefined): Decimal | null {
  return intent?.terms.kind === "trigger" ? intent.terms.triggerPrice : null;
}

function orderOf(intent: StoredIntent): OrderView {
  const { id, targetKey, purpose, side, positionSide, status, qty, filledQty } = intent;
  return {
    ...{ intentId: id, targetKey, purpose, side, positionSide, status, qty, filledQty },
    price: priceOf(intent),
    triggerPrice: triggerOf(intent),
    clientOrderId: intent.clientOrderId,
    exchangeOrderId: intent.exchangeOrderId,
    decidedAt: intent.decidedAt,
  };
}
