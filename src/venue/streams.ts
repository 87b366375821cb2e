// The WebSocket side: who is connected, who listens to what, and what is pushed when something happens.
// Also where streams misbehave. It implements the exchange's Listener.
import type { Account, Trade } from "./account.ts";
import type { Algo } from "./algo-order.ts";
import { VenueError } from "./errors.ts";
import type { Order } from "./order.ts";
import type { Leg } from "./position.ts";
import { verifyStream } from "./signature.ts";
import type { Exchange, Listener, Market, Print } from "./state.ts";
import {
  algoData,
  balanceData,
  bboData,
  type BookImage,
  bookChanges,
  bookData,
  bookImage,
  executionData,
  fundingData,
  GLOBAL_TOPICS,
  klineData,
  MARKET_TOPICS,
  positionData,
  priceData,
  PRIVATE_TOPICS,
  tickerData,
  tradeData,
} from "./stream-topics.ts";
import { isObject, parseExact, scalarsOf, type TextObject } from "./wire.ts";

/** Topics of one connection. */
const TOPICS_MAX = 100;
/** Connections at a time; a limit of the real exchange, like the others here. */
export const STREAMS_MAX = 100;
const LIFE_MS = 86_400_000;
const MISSED_PINGS_MAX = 10;

/** The sending end of a connection; a WebSocket of the server. */
export type Pipe = { send(text: string): unknown; close(code: number, reason: string): void };

/** One connection. */
export type Stream = {
  readonly pipe: Pipe;
  readonly isPrivate: boolean;
  readonly openedAt: number;
  /** The listen key it was opened with. */
  readonly listenKey: string | null;
  account: Account | null;
  readonly topics: Set<string>;
  /** A message that waits for its successor. */
  held: string | null;
  missedPings: number;
};

/** All connections of a venue. */
export type Streams = {
  readonly listener: Listener;
  open(
    pipe: Pipe,
    seat: { isPrivate: boolean; account: Account | null; listenKey: string | null },
  ): Stream;
  close(stream: Stream): void;
  /** Handles what a client sent. `clockMs` is the clock signatures are compared with. */
  receive(stream: Stream, text: string, clockMs: number): void;
  /** Pings every connection, drops dead and expired ones. */
  ping(isKeyValid: (key: string) => boolean): void;
  /** Closes the streams that `isMeant`. */
  drop(isMeant: (stream: Stream) => boolean, code: number, reason: string): void;
  count(): number;
};

type Hub = {
  readonly x: Exchange;
  readonly streams: Set<Stream>;
  readonly images: Map<Market, BookImage>;
  readonly stamps: Map<string, number>;
};

/** No connection yet. */
export function createStreams(x: Exchange): Streams {
  const hub: Hub = { x, streams: new Set(), images: new Map(), stamps: new Map() };
  return {
    listener: listenerOf(hub),
    open(pipe, seat) {
      const stream: Stream = {
        ...seat,
        pipe,
        openedAt: x.now,
        topics: new Set(),
        held: null,
        missedPings: 0,
      };
      hub.streams.add(stream);
      return stream;
    },
    close: (stream) => void hub.streams.delete(stream),
    receive: (stream, text, clockMs) => receive(hub, stream, text, clockMs),
    ping(isKeyValid) {
      for (const stream of [...hub.streams]) tend(hub, stream, isKeyValid);
    },
    drop(isMeant, code, reason) {
      for (const stream of [...hub.streams]) {
        if (isMeant(stream)) end(hub, stream, code, reason);
      }
    },
    count: () => hub.streams.size,
  };
}

function end(hub: Hub, stream: Stream, code: number, reason: string): void {
  hub.streams.delete(stream);
  stream.pipe.close(code, reason);
}

function tend(hub: Hub, stream: Stream, isKeyValid: (key: string) => boolean): void {
  const isOld = hub.x.now - stream.openedAt >= LIFE_MS;
  const hasLostKey = stream.listenKey !== null && !isKeyValid(stream.listenKey);
  if (isOld || hasLostKey || stream.missedPings >= MISSED_PINGS_MAX) {
    end(hub, stream, 1001, isOld || hasLostKey ? "expired" : "no pong");
    return;
  }
  stream.missedPings++;
  reply(hub, stream, { event: "ping", ts: hub.x.now });
}

/** Answers, acknowledgements and pings: only silence keeps them back. */
function reply(hub: Hub, stream: Stream, message: object): void {
  const occasion = { account: stream.account?.name };
  // Not counted: pings follow real time and must leave no trace in the event hash.
  if (hub.x.faults.on("ws_silent", occasion)) return;
  stream.pipe.send(JSON.stringify(message));
}

/** A pushed message, which may be lost, doubled or late by one. */
function push(hub: Hub, stream: Stream, topic: string, text: string): void {
  const { faults } = hub.x;
  const occasion = { topic, account: stream.account?.name };
  if (faults.on("ws_silent", occasion) || faults.take("ws_gap", occasion)) return;
  if (stream.held === null && faults.take("ws_out_of_order", occasion)) {
    stream.held = text;
    return;
  }
  stream.pipe.send(text);
  if (faults.take("ws_dup", occasion)) stream.pipe.send(text);
  if (stream.held !== null) {
    stream.pipe.send(stream.held);
    stream.held = null;
  }
}

/** Sends to everybody who listens; `make` runs only when somebody does. */
function publish(
  hub: Hub,
  topic: string,
  account: Account | null,
  make: () => object | null,
): void {
  let text: string | null = null;
  for (const stream of hub.streams) {
    if (!stream.topics.has(topic) || (account && stream.account !== account)) continue;
    if (text === null) {
      const data = make();
      if (data === null) return;
      text = JSON.stringify({ topic, ts: stampOf(hub, topic), data });
    }
    push(hub, stream, topic, text);
  }
}

/** Instant of a message; two of one topic never share it. */
function stampOf(hub: Hub, topic: string): number {
  const stamp = Math.max(hub.x.now, (hub.stamps.get(topic) ?? 0) + 1);
  hub.stamps.set(topic, stamp);
  return stamp;
}

function listenerOf(hub: Hub): Listener {
  const { x } = hub;
  return {
    onOrder: (account: Account, order: Order, trade: Trade | null) =>
      publish(hub, "executionreport", account, () => executionData(x, order, trade)),
    onAlgo: (account: Account, algo: Algo) =>
      publish(hub, "algoexecutionreportv2", account, () => [algoData(x, algo)]),
    onPosition: (account: Account, leg: Leg) =>
      publish(hub, "position", account, () => positionData(x, account, leg)),
    onBalance: (account: Account) =>
      publish(hub, "balance", account, () => balanceData(x, account)),
    onPrint: (market: Market, print: Print) =>
      publish(hub, `${market.instrument.symbol}@trade`, null, () => tradeData(market, print)),
    onBook: (market: Market) => publishMarket(hub, market),
    onFunding: (market: Market) =>
      publish(hub, `${market.instrument.symbol}@estfundingrate`, null, () => fundingData(market)),
  };
}

/** Everything that may have changed with a book. */
function publishMarket(hub: Hub, market: Market): void {
  if (hub.streams.size === 0) return;
  const { x } = hub;
  const { symbol } = market.instrument;
  const topic = (name: string) => `${symbol}@${name}`;
  publish(hub, topic("orderbook"), null, () => bookData(market));
  publishChanges(hub, market);
  publish(hub, topic("ticker"), null, () => tickerData(x, market));
  publish(hub, "tickers", null, () => [...x.markets.values()].map((each) => tickerData(x, each)));
  publish(hub, "bbos", null, () => {
    const row = bboData(market);
    return row === null ? null : [row];
  });
  publish(hub, topic("markprice"), null, () => priceData(market, market.markTicks));
  publish(hub, "markprices", null, () =>
    [...x.markets.values()].map((each) => priceData(each, each.markTicks)),
  );
  publish(hub, topic("indexprice"), null, () => priceData(market, market.indexTicks));
  for (const type of market.candles.series.keys()) {
    publish(hub, topic(`kline_${type}`), null, () => klineData(market, type));
  }
}

function publishChanges(hub: Hub, market: Market): void {
  const topic = `${market.instrument.symbol}@orderbookupdate`;
  publish(hub, topic, null, () => {
    const before = hub.images.get(market) ?? { asks: new Map(), bids: new Map() };
    const after = bookImage(market);
    hub.images.set(market, after);
    return bookChanges(market, before, after, hub.stamps.get(topic) ?? hub.x.now);
  });
}

function receive(hub: Hub, stream: Stream, text: string, clockMs: number): void {
  const message = parsed(text);
  if (!message) {
    reply(hub, stream, { event: "error", success: false, ts: hub.x.now, errorMsg: "invalid JSON" });
    return;
  }
  const { event, id, topic } = scalarsOf(message);
  switch (event) {
    case "ping":
      reply(hub, stream, { event: "pong", ts: hub.x.now });
      return;
    case "pong":
      stream.missedPings = 0;
      return;
    case "auth":
      authenticate(hub, stream, message, clockMs);
      return;
    case "subscribe":
    case "unsubscribe":
      changeTopic(hub, stream, { event, id: id ?? "", topic: topic ?? "" });
      return;
    default:
      reply(hub, stream, { id, event, success: false, ts: hub.x.now, errorMsg: "unknown event" });
  }
}

function parsed(text: string): TextObject | null {
  try {
    const value = parseExact(text);
    return isObject(value) ? value : null;
  } catch {
    // Whatever is not JSON is answered as such by the caller.
    return null;
  }
}

function authenticate(hub: Hub, stream: Stream, message: TextObject, clockMs: number): void {
  const { x } = hub;
  const params = isObject(message.params) ? scalarsOf(message.params) : {};
  const given = {
    key: params.apikey ?? "",
    timestamp: params.timestamp ?? "",
    sign: params.sign ?? "",
  };
  try {
    const account = verifyStream(x, given, clockMs);
    if (x.faults.take("ws_auth_fail", { account: account.name })) throw new VenueError(-1002);
    stream.account = account;
    reply(hub, stream, { event: "auth", success: true, ts: x.now });
  } catch (error) {
    if (!(error instanceof VenueError)) throw error;
    reply(hub, stream, { event: "auth", success: false, ts: x.now, errorMsg: error.message });
  }
}

function changeTopic(
  hub: Hub,
  stream: Stream,
  asked: { event: "subscribe" | "unsubscribe"; id: string; topic: string },
): void {
  const { x } = hub;
  const { event, id, topic } = asked;
  const problem = event === "subscribe" ? refusal(hub, stream, topic) : null;
  if (problem !== null) {
    reply(hub, stream, { id, event, success: false, ts: x.now, errorMsg: problem });
    return;
  }
  if (event === "subscribe") stream.topics.add(topic);
  else stream.topics.delete(topic);
  reply(hub, stream, { id, event, success: true, ts: x.now, data: topic });
  if (event === "subscribe") greet(hub, stream, topic);
}

/** Why a topic cannot be listened to; null when it can. */
function refusal({ x }: Hub, stream: Stream, topic: string): string | null {
  if (PRIVATE_TOPICS.includes(topic)) {
    return stream.isPrivate && stream.account ? null : "Auth is needed.";
  }
  const [symbol = "", name = ""] = topic.split("@");
  const isKnown =
    GLOBAL_TOPICS.includes(topic) || (x.markets.has(symbol) && MARKET_TOPICS.includes(name));
  if (!isKnown) return `unknown topic ${topic}`;
  if (stream.topics.size >= TOPICS_MAX) return `at most ${TOPICS_MAX} topics`;
  return null;
}

/** A new listener of a book or a price gets the present state at once. */
function greet(hub: Hub, stream: Stream, topic: string): void {
  const { x } = hub;
  const [symbol = "", name = ""] = topic.split("@");
  const market = x.markets.get(symbol);
  if (!market) return;
  const data = firstWord(hub, market, name);
  if (data) push(hub, stream, topic, JSON.stringify({ topic, ts: stampOf(hub, topic), data }));
}

function firstWord({ x }: Hub, market: Market, name: string): object | null {
  if (name === "orderbook") return bookData(market);
  if (name === "ticker") return tickerData(x, market);
  if (name === "markprice") return priceData(market, market.markTicks);
  if (name === "indexprice") return priceData(market, market.indexTicks);
  if (name === "estfundingrate") return fundingData(market);
  return name.startsWith("kline_") ? klineData(market, name.slice("kline_".length)) : null;
}
