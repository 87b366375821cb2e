// A live bot together with a patient exchange: commands become orders with ids, cancels are answered at once or when
// the test says so, and fills happen when the test says so. Everything the bot is told can be told again.
import {
  createLiveBot,
  type LiveBot,
  type LiveCommand,
  type LiveFill,
  type LiveInput,
  type LiveOrder,
  type LiveOutput,
  type OrderNews,
} from "../../src/engine/live-bot.ts";
import { intentsOf } from "../../src/engine/replay.ts";
import type { Candle } from "../../src/model/candle.ts";
import { type Decimal, decimal } from "../../src/model/decimal.ts";
import type { Instrument } from "../../src/model/instrument.ts";
import type { IntentStatus } from "../../src/model/order-status.ts";
import type { TargetOrder } from "../../src/model/order.ts";
import type { DcaAtrConfig } from "../../src/strategy/dca-atr/config.ts";
import { createDcaAtr } from "../../src/strategy/dca-atr/dca-atr.ts";
import { SignalFeed } from "../../src/strategy/dca-atr/signal-feed.ts";
import type { DcaAtrState } from "../../src/strategy/dca-atr/state.ts";

/** An order of the world, changeable. */
export type WorldOrder = {
  intent: { -readonly [K in keyof LiveOrder]: LiveOrder[K] };
  fills: LiveFill[];
  target: TargetOrder;
};

/** What the world is made of. */
export type WorldSettings = {
  readonly config: DcaAtrConfig;
  readonly instrument: Instrument;
  readonly timeframeMin: number;
  readonly allocation?: number;
  readonly balanceCap?: number;
  /** false: a cancel is only answered by `settle` */
  readonly answersCancels?: boolean;
  /** signals of every candle instead of the indicators' */
  readonly signals?: number;
};

/** A fresh bot of these settings. */
export function aLiveBot(settings: WorldSettings): LiveBot<DcaAtrState> {
  const { config, instrument, timeframeMin, signals } = settings;
  const { balanceCap } = settings;
  return createLiveBot({
    strategy: createDcaAtr(config, instrument),
    createSignals: () =>
      signals === undefined
        ? new SignalFeed(config, timeframeMin)
        : { atr: 1, push: () => signals },
    priceTick: instrument.priceTick,
    qtyStep: instrument.qtyStep,
    contractSize: instrument.contractSize,
    timeframeMin,
    allocation: decimal(settings.allocation ?? 0),
    balanceCap: balanceCap === undefined ? null : decimal(balanceCap),
  });
}

/** One bot and its exchange. */
export class LiveWorld {
  bot: LiveBot<DcaAtrState>;
  readonly orders: WorldOrder[] = [];
  /** what the bot wanted, in words without ids */
  readonly wanted: string[] = [];
  readonly settings: WorldSettings;
  readonly wrap: (bot: LiveBot<DcaAtrState>) => LiveBot<DcaAtrState>;
  at = 0;
  /** orders the bot asked to leave and nobody answered yet */
  readonly asked = new Set<WorldOrder>();
  private trades = 0;

  constructor(
    settings: WorldSettings,
    wrap: (bot: LiveBot<DcaAtrState>) => LiveBot<DcaAtrState> = (bot) => bot,
  ) {
    this.settings = settings;
    this.wrap = wrap;
    this.bot = wrap(aLiveBot(settings));
    const restored = this.bot.restore(null, []);
    if (!restored.ok) throw new Error(restored.detail);
  }

  /** Tells the bot and does what it wants; returns the commands in words. */
  tell(input: LiveInput): string[] {
    const heard = this.bot.handle(input);
    if (!heard.ok) throw new Error(`${heard.reason}: ${heard.detail}`);
    const { timeframeMin } = this.settings;
    const closeAt = (openAt: number) => openAt + timeframeMin * 60_000;
    if ("at" in input) this.at = Math.max(this.at, input.at);
    else if (input.kind === "candle") this.at = Math.max(this.at, closeAt(input.candle.openAt));
    return this.carryOut(heard.value);
  }

  /** Does what an output wants. */
  carryOut(output: LiveOutput): string[] {
    const words = intentsOf(output);
    this.wanted.push(...words);
    const answers: (() => string[])[] = [];
    for (const command of output.commands) answers.push(this.obey(command));
    for (const answer of answers) words.push(...answer());
    return words;
  }

  private obey(command: LiveCommand): () => string[] {
    if (command.op === "cancel") {
      const order = this.order(command.intentId);
      if (this.settings.answersCancels === false) {
        this.asked.add(order);
        return () => [];
      }
      if (isOver(order)) return () => this.news(order);
      order.intent.status = "cancelled";
      return () => this.news(order);
    }
    if (command.op === "activate") {
      const order = this.order(command.intentId);
      order.intent.status = "open";
      return () => this.news(order);
    }
    const order = this.write(command.approved.target, command.op === "park" ? "parked" : "open");
    return () => this.news(order);
  }

  private write(target: TargetOrder, status: IntentStatus): WorldOrder {
    const { instrument } = this.settings;
    const price = decimal(Number((target.priceTicks * instrument.priceTick).toPrecision(15)));
    const qty = decimal(Number((target.qtyLots * instrument.qtyStep).toPrecision(15)));
    const order: WorldOrder = {
      intent: {
        id: this.orders.length + 1,
        status,
        targetKey: target.key,
        purpose: target.purpose,
        reason: target.reason,
        side: target.side,
        positionSide: target.positionSide,
        isReduceOnly: target.isReduceOnly,
        terms: target.kind === "market" ? { kind: "market" } : { kind: target.kind, price },
        qty,
        reportedFilledQty: null,
        decidedAt: target.decidedAt,
      },
      fills: [],
      target,
    };
    this.orders.push(order);
    return order;
  }

  /** The order with this id. */
  order(id: number): WorldOrder {
    const order = this.orders[id - 1];
    if (!order) throw new Error(`there is no order ${id}`);
    return order;
  }

  /** The order that works for a key now. */
  working(key: string): WorldOrder {
    const order = this.orders.findLast(
      ({ intent }) => intent.targetKey === key && !FINAL.has(intent.status),
    );
    if (!order) throw new Error(`no order works for ${key}`);
    return order;
  }

  /** Executes lots of an order without telling the bot; the last lot makes it filled. */
  execute(order: WorldOrder, lots: number, price: number, at = this.at): LiveFill {
    const { qtyStep } = this.settings.instrument;
    this.trades += 1;
    const fill: LiveFill = {
      symbol: "X",
      tradeId: `${1000 + this.trades}`,
      side: order.intent.side,
      price: decimal(price),
      qty: decimal(Number((lots * qtyStep).toPrecision(15))),
      fee: null,
      liquidity: "maker",
      at,
    };
    order.fills.push(fill);
    const filled = filledLots(order, qtyStep);
    const whole = Math.round(Number(order.intent.qty) / qtyStep);
    order.intent.reportedFilledQty = decimal(Number((filled * qtyStep).toPrecision(15)));
    if (filled >= whole) order.intent.status = "filled";
    else if (!FINAL.has(order.intent.status)) order.intent.status = "partly_filled";
    return fill;
  }

  /** Executes and tells. */
  fill(order: WorldOrder, lots: number, price: number, at = this.at): string[] {
    this.execute(order, lots, price, at);
    return this.news(order, at);
  }

  /** Executes a whole order and tells. */
  fillWhole(key: string, price: number, at = this.at): string[] {
    const order = this.working(key);
    const { qtyStep } = this.settings.instrument;
    const whole = Math.round(Number(order.intent.qty) / qtyStep);
    return this.fill(order, whole - filledLots(order, qtyStep), price, at);
  }

  /** Ends an order with a status and tells. */
  end(order: WorldOrder, status: IntentStatus, refusal?: string): string[] {
    order.intent.status = status;
    return this.news(order, this.at, refusal);
  }

  /** Tells everything that is known of an order, or only some of its fills. */
  news(
    order: WorldOrder,
    at = this.at,
    refusal?: string,
    fills: readonly LiveFill[] = order.fills,
  ): string[] {
    const news: OrderNews = {
      intent: { ...order.intent },
      fills: [...fills],
      ...(refusal === undefined ? {} : { refusal }),
    };
    return this.tell({ kind: "order", at, news });
  }

  /** Orders that are not over. */
  alive(): WorldOrder[] {
    return this.orders.filter((order) => !isOver(order));
  }

  /** Lots held according to every execution, told or not; negative for a short. */
  heldLots(): number {
    const { qtyStep } = this.settings.instrument;
    return this.orders.reduce((sum, order) => {
      const lots = filledLots(order, qtyStep);
      return sum + (order.intent.side === "buy" ? lots : -lots);
    }, 0);
  }

  /** Lots of an order that are still to be executed. */
  restLots(order: WorldOrder): number {
    const { qtyStep } = this.settings.instrument;
    return Math.round(Number(order.intent.qty) / qtyStep) - filledLots(order, qtyStep);
  }

  /** A candle of one price, one timeframe after the last one. */
  candle(openAt: number, close: number, change: Partial<Candle> = {}): string[] {
    const candle = { openAt, open: close, high: close, low: close, close, volume: 1, ...change };
    return this.tell({ kind: "candle", candle, mayEnter: true, isGapKnown: true });
  }

  /** Throws the bot away and goes on with one restored from what is stored. */
  restart(
    history: readonly Candle[],
    change: (body: unknown) => unknown = (body) => body,
  ): string[] {
    const body: unknown = JSON.parse(JSON.stringify(this.bot.body()));
    this.bot = this.wrap(aLiveBot(this.settings));
    const orders = this.orders.map(({ intent, fills }) => ({
      intent: { ...intent },
      fills: [...fills],
    }));
    const restored = this.bot.restore(change(body), orders);
    if (!restored.ok) throw new Error(`${restored.reason}: ${restored.detail}`);
    this.bot.handle({ kind: "history", candles: history });
    return this.carryOut(restored.value);
  }
}

const FINAL: ReadonlySet<IntentStatus> = new Set([
  "filled",
  "cancelled",
  "refused",
  "expired",
  "abandoned",
]);

function isOver(order: WorldOrder): boolean {
  return FINAL.has(order.intent.status);
}

/** Lots executed of an order so far. */
export function filledLots(order: WorldOrder, qtyStep: number): number {
  const sum = order.fills.reduce((lots, { qty }) => lots + Number(qty) / qtyStep, 0);
  return Math.round(sum);
}

/** Money as the ledger tells it. */
export function ledgerOf(net: number, at = 0): LiveInput {
  return { kind: "ledger", at, net: String(net) as Decimal, freeCollateral: null };
}
