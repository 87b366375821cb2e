// Live prices over ccxt's public data, behind ports/price-feed.ts: one request for all symbols where
// the exchange has it, within the budget of this machine's address. Built by the composition root, one
// for every exchange. Nothing is kept between looks and nothing is made up.
import { NotSupported, RateLimitExceeded } from "ccxt-src/base/errors.js";
import { add, compare, type Decimal, decimal, multiply } from "../../model/decimal.ts";
import { DEMO_EXCHANGE } from "../../model/demo-exchange.ts";
import { assert } from "../../model/result.ts";
import type { EpochMs } from "../../model/time.ts";
import type { TopOfBook } from "../../ports/broker.ts";
import type { InstrumentKind } from "../../ports/instrument-store.ts";
import type { FeedPrice, PriceFeed } from "../../ports/price-feed.ts";
import { limitOf } from "../resilience/limits.ts";
import type { Need, RateLimiter } from "../resilience/rate-limiter.ts";
import { type ConnectionDeps, type Connections, createConnections } from "./connections.ts";
import { MarketDataError, shortText } from "./errors.ts";
import type { CcxtExchange } from "./exchange.ts";

/** What the composition root decides. */
export type PriceFeedDeps = ConnectionDeps & {
  /** Shared by everything in this process that asks exchanges. */
  readonly limiter: Pick<RateLimiter, "acquire" | "penalise">;
};

/** The feed of an exchange and a kind of market; the same one every time. */
export type PriceFeeds = (exchangeId: string, kind: InstrumentKind) => PriceFeed;

/** A row as ccxt parses it; every exchange leaves something out. */
type Row = { readonly [field: string]: unknown };
type Rows = Readonly<Record<string, Row>>;
type Book = {
  readonly bids: readonly (readonly unknown[])[];
  readonly asks: readonly (readonly unknown[])[];
  readonly timestamp?: unknown;
};
type PriceExchange = CcxtExchange & {
  fetchTickers(symbols: string[]): Promise<Rows>;
  fetchTicker(symbol: string): Promise<Row>;
  fetchMarkPrices(symbols: string[]): Promise<Rows>;
  fetchOrderBook(symbol: string, limit: number): Promise<Book>;
};
type Stamped = { readonly price: Decimal; readonly at: EpochMs };

/** When a look was made: by our clock, and by the exchange's; null when that is not known. */
type Asked = { readonly ours: EpochMs; readonly theirs: EpochMs | null };

/** What one look has found out about a symbol so far; `name` is ccxt's word for it. */
type Look = {
  readonly symbol: string;
  readonly name: string;
  readonly asked: Asked;
  mark: Stamped | null;
  last: Stamped | null;
  top: TopOfBook | null;
};

/** Asks once, in turn; null when the exchange does not have the question. */
type Ask = <T>(
  operation: "markPrice" | "topOfBook",
  what: string,
  question: () => Promise<T>,
) => Promise<T | null>;
type Desk = { readonly exchange: PriceExchange; readonly ask: Ask; readonly deps: PriceFeedDeps };

const SYMBOLS_MAX = 200;
const REQUESTS_AT_ONCE = 4;
/** The fewest levels every exchange accepts. */
const BOOK_LEVELS = 20;
const HALF = decimal("0.5");
/** Its list of mark prices is that of another market. */
const WITHOUT_MARKS: ReadonlySet<string> = new Set(["kucoinfutures"]);

/** Feeds that share connections and budgets. */
export function createPriceFeeds(deps: PriceFeedDeps): PriceFeeds {
  const connections = createConnections(deps);
  const feeds = new Map<string, PriceFeed>();
  return (exchangeId, kind) => {
    const key = `${exchangeId} ${kind}`;
    const feed = feeds.get(key) ?? createFeed(deps, connections, exchangeId, kind);
    feeds.set(key, feed);
    return feed;
  };
}

function createFeed(
  deps: PriceFeedDeps,
  connections: Connections,
  exchangeId: string,
  kind: InstrumentKind,
): PriceFeed {
  return {
    exchangeId,
    async read(symbols, { signal, needsTop = false }) {
      assert(symbols.length <= SYMBOLS_MAX, `symbols: at most ${SYMBOLS_MAX} in one look`);
      signal.throwIfAborted();
      if (symbols.length === 0) return new Map();
      const connection = await connections.open(exchangeId, kind, signal);
      const { exchange, markets } = connection;
      assert(isPriced(exchange), "every ccxt exchange has prices");
      const asked: Asked = { ours: deps.clock.now(), theirs: connections.timeNow(connection) };
      const looks = [...new Set(symbols)].flatMap((symbol): Look[] => {
        const name = markets.get(symbol)?.symbol;
        return name ? [{ symbol, name, asked, mark: null, last: null, top: null }] : [];
      });
      if (looks.length === 0) return new Map();
      const desk: Desk = { exchange, ask: asker(deps, exchangeId, signal), deps };
      if (kind === "perps") await seeMarks(desk, looks);
      if (looks.some(({ mark }) => mark === null)) await seeTickers(desk, looks);
      await seeBooks(
        desk,
        looks.filter(({ mark, top }) => top === null && (needsTop || mark === null)),
      );
      return new Map(looks.flatMap((look) => entryOf(look)));
    },
  };
}

function isPriced(exchange: CcxtExchange): exchange is PriceExchange {
  return "fetchTickers" in exchange && "fetchOrderBook" in exchange;
}

function asker(deps: PriceFeedDeps, exchangeId: string, signal: AbortSignal): Ask {
  const { limiter } = deps;
  return async (operation, what, question) => {
    // The simulated exchange has the limits of the one it imitates.
    const limit = limitOf(exchangeId === DEMO_EXCHANGE ? "woox" : exchangeId, operation);
    const key = `${exchangeId} ${limit.bucket}`;
    const need: Need = { key, limit, priority: "data", signal };
    await limiter.acquire(need);
    const stopped = Promise.withResolvers<never>();
    const onAbort = () => stopped.reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      return await Promise.race([question(), stopped.promise]);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof NotSupported) return null;
      if (error instanceof RateLimitExceeded) limiter.penalise(need, null);
      const sentence = `${exchangeId}: ${what} did not arrive: ${shortText(error)}`;
      throw new MarketDataError(sentence, { cause: error });
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  };
}

/** Mark prices of all symbols at once, where there is a list of them. */
async function seeMarks({ exchange, ask }: Desk, looks: readonly Look[]): Promise<void> {
  if (exchange.has.fetchMarkPrices !== true || WITHOUT_MARKS.has(exchange.id)) return;
  const names = looks.map(({ name }) => name);
  const rows = await ask("markPrice", "mark prices", () => exchange.fetchMarkPrices(names));
  for (const look of looks) takeRow(look, rows?.[look.name]);
}

async function seeTickers(desk: Desk, looks: readonly Look[]): Promise<void> {
  const { exchange, ask } = desk;
  if (exchange.has.fetchTickers === true) {
    const names = looks.map(({ name }) => name);
    const rows = await ask("markPrice", "tickers", () => exchange.fetchTickers(names));
    for (const look of looks) takeRow(look, rows?.[look.name]);
    return;
  }
  await oneByOne(desk, looks, async (look) => {
    const what = `the ticker of ${look.name}`;
    takeRow(look, await ask("markPrice", what, () => exchange.fetchTicker(look.name)));
  });
}

async function seeBooks(desk: Desk, looks: readonly Look[]): Promise<void> {
  const { exchange, ask } = desk;
  await oneByOne(desk, looks, async (look) => {
    const what = `the book of ${look.name}`;
    const book = await ask("topOfBook", what, () =>
      exchange.fetchOrderBook(look.name, BOOK_LEVELS),
    );
    const [bid, bidQty] = book?.bids[0] ?? [];
    const [askPrice, askQty] = book?.asks[0] ?? [];
    look.top = topOf({ bid, bidQty, ask: askPrice, askQty }, instantOf(book?.timestamp, look));
  });
}

/** Asks for every symbol by itself; one that fails stays without, unless all of them do. */
async function oneByOne(
  { deps }: Desk,
  looks: readonly Look[],
  see: (look: Look) => Promise<void>,
): Promise<void> {
  const waiting = [...looks];
  const failures: unknown[] = [];
  const work = async () => {
    for (let look = waiting.shift(); look !== undefined; look = waiting.shift()) {
      await see(look).catch((error: unknown) => failures.push(error));
    }
  };
  await Promise.all(Array.from({ length: REQUESTS_AT_ONCE }, work));
  if (failures.length === 0) return;
  if (failures.length === looks.length) throw failures[0];
  deps.log.debug("some prices did not arrive", {
    failed: failures.length,
    of: looks.length,
    first: shortText(failures[0]),
  });
}

/** What a ticker or a row of mark prices tells; what it leaves out stays as it was. */
function takeRow(look: Look, row: Row | null | undefined): void {
  if (row === null || row === undefined) return;
  const at = instantOf(row.timestamp, look);
  const mark = positive(row.markPrice);
  const last = positive(row.last);
  if (mark !== null) look.mark = { price: mark, at };
  if (last !== null) look.last = { price: last, at };
  const { bid, bidVolume, ask, askVolume } = row;
  look.top ??= topOf({ bid, bidQty: bidVolume, ask, askQty: askVolume }, at);
}

type RawTop = Readonly<Record<"bid" | "bidQty" | "ask" | "askQty", unknown>>;

/** Null when a side is missing or the sides are crossed: no such book can be traded on. */
function topOf(raw: RawTop, at: EpochMs): TopOfBook | null {
  const bid = positive(raw.bid);
  const bidQty = positive(raw.bidQty);
  const ask = positive(raw.ask);
  const askQty = positive(raw.askQty);
  if (bid === null || bidQty === null || ask === null || askQty === null) return null;
  return compare(bid, ask) < 0 ? { bid, bidQty, ask, askQty, at } : null;
}

function entryOf({ symbol, mark, last, top }: Look): [string, FeedPrice][] {
  if (mark !== null) return [[symbol, { mark, source: "ticker", top }]];
  if (top !== null) {
    const price = multiply(add(top.bid, top.ask), HALF);
    return [[symbol, { mark: { price, at: top.at }, source: "book", top }]];
  }
  return last === null ? [] : [[symbol, { mark: last, source: "candle", top }]];
}

function positive(value: unknown): Decimal | null {
  return typeof value === "number" && Number.isFinite(value) && value > 0 ? decimal(value) : null;
}

/** An instant of the exchange by our clock, whatever that says. */
function instantOf(value: unknown, { asked: { ours, theirs } }: Look): EpochMs {
  if (typeof value !== "number" || !Number.isFinite(value) || value <= 0) return ours;
  return theirs === null ? value : value + ours - theirs;
}
