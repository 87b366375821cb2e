// The program of the thread in which the demo exchange runs. Started by adapters/system/demo-venue.ts; it
// lies beside main.ts because a compiled executable finds it nowhere else. It must never touch a store or
// a file: what accounts hold comes with the request to start.
import type {
  DemoOrder,
  DemoReply,
  DemoRequest,
  DemoTrigger,
  PlainAccount,
  PlainKeys,
} from "./ports/demo-venue.ts";
import type { Account } from "./venue/account.ts";
import { addAccount } from "./venue/exchange.ts";
import type { LegSide } from "./venue/order.ts";
import { startVenue, type Venue } from "./venue/server.ts";
import {
  type AccountSettings,
  DEFAULT_MARKETS,
  type MarketSettings,
  venueSettings,
} from "./venue/settings.ts";

/** Prices are anchored here for ever; a change would move the past of every demo account. */
const ANCHOR_AT = Date.UTC(2025, 0, 1);
/** Candles reach back so far before the start, for backtests and warm-up. */
const HISTORY_DAYS = 400;
const DAY_MINUTES = 1440;

declare const self: Worker;

let venue: Venue | null = null;

self.addEventListener("message", ({ data }: MessageEvent<DemoRequest>) => {
  void answer(data).then((reply) => self.postMessage(reply));
});

async function answer(request: DemoRequest): Promise<DemoReply> {
  const { id } = request;
  try {
    if (request.kind === "start") return start(request);
    if (venue === null) return { id, kind: "refused", sentence: "the exchange is not running" };
    if (request.kind === "open") {
      const account = addAccount(venue.exchange, settingsOf(request.account));
      return { id, kind: "opened", keys: keysOf(account) };
    }
    await venue.stop();
    venue = null;
    return { id, kind: "stopped" };
  } catch (error) {
    const sentence = error instanceof Error ? error.message : String(error);
    return { id, kind: "refused", sentence };
  }
}

function start({ id, seed, idsAbove, accounts }: DemoRequest & { kind: "start" }): DemoReply {
  const { order, trade, trigger: algo, funding: payment } = idsAbove;
  const settings = venueSettings({
    seed,
    startAt: Date.now(),
    historyMinutes: HISTORY_DAYS * DAY_MINUTES,
    idsAbove: { order, trade, algo, payment },
    markets: DEFAULT_MARKETS.map(anchored),
    accounts: accounts.map(settingsOf),
  });
  venue = startVenue({ settings, speed: 1, port: 0, followsWallClock: true });
  const { url, wsUrl, adminToken, exchange } = venue;
  const keys = [...exchange.accounts.values()].map(keysOf);
  return { id, kind: "started", url, wsUrl, adminToken, keys };
}

function anchored(market: MarketSettings): MarketSettings {
  const { feed } = market;
  return feed.kind === "generator" ? { ...market, feed: { ...feed, anchorAt: ANCHOR_AT } } : market;
}

function keysOf({ apiKey, secret }: Account): PlainKeys {
  return { apiKey, apiSecret: secret };
}

function settingsOf(account: PlainAccount): AccountSettings {
  const { name, keys, mode, balance, feesPaid, fundingReceived } = account;
  return {
    name,
    ...(keys === null ? {} : { apiKey: keys.apiKey, secret: keys.apiSecret }),
    deposit: balance,
    mode: mode === "hedge" ? "HEDGE_MODE" : "ONE_WAY",
    opening: {
      feesPaid,
      fundingReceived,
      positions: account.positions.map(({ symbol, positionSide, qty, averagePrice }) => ({
        symbol,
        side: positionSide === "long" ? "LONG" : "SHORT",
        quantity: qty,
        averagePrice,
      })),
      orders: account.orders.map((order) => ({
        ...termsOf(order),
        orderId: Number(order.exchangeOrderId),
        type: order.isPostOnly ? "POST_ONLY" : "LIMIT",
        price: order.price,
        executedQuantity: order.filledQty,
      })),
      triggers: account.triggers.map((trigger) => ({
        ...termsOf(trigger),
        algoOrderId: Number(trigger.exchangeOrderId),
        triggerPrice: trigger.triggerPrice,
        firesAbove: trigger.direction === "rising",
        price: trigger.price,
      })),
      leverages: account.leverages.map(({ symbol, positionSide, leverage }) => ({
        symbol,
        positionSide: legOf(positionSide),
        leverage,
      })),
    },
  };
}

function termsOf(order: DemoOrder | DemoTrigger) {
  const { symbol, side, positionSide, qty, isReduceOnly, createdAt, clientOrderId } = order;
  return {
    symbol,
    side: side === "buy" ? ("BUY" as const) : ("SELL" as const),
    positionSide: legOf(positionSide),
    clientOrderId: clientOrderId ?? "0",
    quantity: qty,
    reduceOnly: isReduceOnly,
    createdAt,
  };
}

function legOf(positionSide: "long" | "short" | null): LegSide {
  if (positionSide === null) return "BOTH";
  return positionSide === "long" ? "LONG" : "SHORT";
}
