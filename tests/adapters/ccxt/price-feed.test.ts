// Live prices through the real ccxt client: from the simulated exchange over loopback, and from fake
// exchanges that leave something out.
import { afterEach, expect, test } from "bun:test";
import { createPriceFeeds } from "../../../src/adapters/ccxt/price-feed.ts";
import { createRateLimiter, type Need } from "../../../src/adapters/resilience/rate-limiter.ts";
import { createClock } from "../../../src/adapters/system/clock.ts";
import { decimal } from "../../../src/model/decimal.ts";
import { startBinance } from "../../support/fake-exchange/binance.ts";
import { type Asked, type FakeExchange, tooMany } from "../../support/fake-exchange/server.ts";
import { startWoo } from "../../support/fake-exchange/woo.ts";
import { makeWorld } from "../../support/fake-exchange/world.ts";
import { silentLog } from "../../support/silent-log.ts";
import { type LabOptions, startLab, stopLabs } from "../../venue/lab.ts";

const BTC = "PERP_BTC_USDT";
const running: FakeExchange[] = [];
const signal = new AbortController().signal;
const clock = createClock();

afterEach(async () => {
  for (const exchange of running.splice(0)) exchange.stop();
  await stopLabs();
});

/** Answers in an exchange's place, by path; null leaves it to the fake. */
type Answers = (asked: Asked) => unknown;

function feedsAt(urls: Record<string, string>) {
  const limiter = createRateLimiter({ clock });
  const feeds = createPriceFeeds({ clock, log: silentLog, loopbackUrls: urls, limiter });
  return feeds;
}

/** What an exchange tells without a word about prices. */
const TIME = /systemInfo$|\/time$/;

/** Unless `tellsTime`, the fake's clock, which shows another year, is not there to be read. */
function fake(name: "woox" | "binance", answers: Answers, tellsTime = false) {
  const world = makeWorld({ seed: 1, from: Date.UTC(2024, 0, 1), bars: 10 });
  const exchange = (name === "woox" ? startWoo : startBinance)(world);
  running.push(exchange);
  exchange.fault = (asked) => {
    if (TIME.test(asked.path) && !tellsTime) return new Response("not found", { status: 404 });
    const answer = answers(asked);
    if (answer instanceof Response) return answer;
    return answer === null ? null : Response.json(answer);
  };
  const feeds = feedsAt({ [name]: exchange.url });
  const isOther = (path: string) => /instruments|exchangeInfo/.test(path) || TIME.test(path);
  const priced = () => exchange.asked.filter(({ path }) => !isOther(path));
  return { feed: feeds(name, "perps"), feeds, exchange, priced, world };
}

/** A simulated exchange in real time, and its feed. */
function demo(options: LabOptions = {}) {
  const lab = startLab({ startAt: Date.now(), speed: 1, ...options });
  return { lab, feed: feedsAt({ demo: lab.venue.url })("demo", "perps") };
}

/** What a WOO X tells of one symbol. */
const futures = (rows: readonly object[], timestamp = 1_700_000_000_000) => ({
  success: true,
  data: { rows },
  timestamp,
});
const book = (bids: readonly object[], asks: readonly object[]) => ({
  success: true,
  data: { bids, asks },
  timestamp: 1_700_000_000_500,
});

test("the mark price of the simulated exchange arrives with its age and follows the market", async () => {
  const { lab, feed } = demo({ house: { markBasisTicks: 1 } });
  const before = Date.now();
  const first = (await feed.read([BTC], { signal })).get(BTC);
  expect(first).toMatchObject({ source: "ticker", top: null, mark: { price: decimal("100.5") } });
  expect(Math.abs((first?.mark.at ?? 0) - before)).toBeLessThan(5000);
  await lab.price("120");
  const second = (await feed.read([BTC], { signal })).get(BTC);
  expect(second?.mark.price).toBe(decimal("120.5"));
});

test("the book comes with a look that asks for it", async () => {
  const { lab, feed } = demo();
  const found = (await feed.read([BTC], { signal, needsTop: true })).get(BTC);
  const { data } = (await lab.call("GET", "/v3/public/orderbook", { symbol: BTC })).json;
  const bid = data?.bids?.[0];
  const ask = data?.asks?.[0];
  expect(found?.top).toMatchObject({
    bid: decimal(String(bid?.price)),
    bidQty: decimal(String(bid?.quantity)),
    ask: decimal(String(ask?.price)),
    askQty: decimal(String(ask?.quantity)),
  });
});

test("symbols the exchange does not list are absent, and nothing is asked for them", async () => {
  const { feed } = demo();
  const found = await feed.read([BTC, "PERP_NONE_USDT", BTC], { signal });
  expect([...found.keys()]).toEqual([BTC]);
  const { feed: other, priced } = fake("woox", () => null);
  expect((await other.read(["PERP_NONE_USDT"], { signal })).size).toBe(0);
  expect((await other.read([], { signal })).size).toBe(0);
  expect(priced()).toEqual([]);
});

test("all symbols take one request where the exchange has one for all", async () => {
  const row = { symbol: BTC, markPrice: "63028", "24hClose": "63020" };
  const { feed, priced } = fake("woox", ({ path }) =>
    path === "/v3/public/futures" ? futures([row, { symbol: "PERP_X_USDT" }]) : null,
  );
  const found = await feed.read([BTC], { signal });
  expect(found.get(BTC)).toEqual({
    mark: { price: decimal("63028"), at: 1_700_000_000_000 },
    source: "ticker",
    top: null,
  });
  expect(priced().map(({ path }) => path)).toEqual(["/v3/public/futures"]);
});

test("without a mark price the middle of the book counts, without a book the last trade", async () => {
  const sides = {
    bids: [{ price: "100", quantity: "2" }],
    asks: [{ price: "101", quantity: "3" }],
  };
  let asks = sides.asks;
  const { feed } = fake("woox", ({ path }) => {
    if (path === "/v3/public/futures") return futures([{ symbol: BTC, "24hClose": "99.5" }]);
    return path === "/v3/public/orderbook" ? book(sides.bids, asks) : null;
  });
  expect((await feed.read([BTC], { signal })).get(BTC)).toMatchObject({
    source: "book",
    mark: { price: decimal("100.5"), at: 1_700_000_000_500 },
    top: { bidQty: "2", askQty: "3" },
  });
  for (const broken of [[], [{ price: "99", quantity: "3" }], [{ price: "0", quantity: "3" }]]) {
    asks = broken;
    expect((await feed.read([BTC], { signal })).get(BTC)).toEqual({
      source: "candle",
      mark: { price: decimal("99.5"), at: 1_700_000_000_000 },
      top: null,
    });
  }
});

test("a symbol without any price is absent, not 0", async () => {
  const nothing = { symbol: BTC, markPrice: "0", "24hClose": null };
  const { feed } = fake("woox", ({ path }) => {
    if (path === "/v3/public/futures") return futures([nothing]);
    return path === "/v3/public/orderbook" ? book([], []) : null;
  });
  expect((await feed.read([BTC], { signal })).size).toBe(0);
});

test("an exchange's instants are told by our clock once its own was read", async () => {
  const row = { symbol: BTC, markPrice: "9" };
  const answers: Answers = ({ path }) => (path === "/v3/public/futures" ? futures([row]) : null);
  const { feed, world } = fake("woox", answers, true);
  const oldMs = world.now - futures([]).timestamp;
  for (;;) {
    const at = (await feed.read([BTC], { signal })).get(BTC)?.mark.at ?? 0;
    if (Math.abs(Date.now() - at - oldMs) < 10_000) break;
    // As long as the clock is being read, instants are told as they come.
    expect(at).toBe(futures([]).timestamp);
    await Bun.sleep(5);
  }
});

test("where mark prices have a list of their own, it is asked first and tickers are not needed", async () => {
  const symbol = "BTC/USDT:USDT";
  const { feed, priced } = fake("binance", ({ path }) =>
    path === "/fapi/v1/premiumIndex"
      ? [{ symbol: "BTCUSDT", markPrice: "50000.12345678", time: 1_700_000_000_000 }]
      : null,
  );
  expect((await feed.read([symbol], { signal })).get(symbol)).toMatchObject({
    source: "ticker",
    mark: { price: decimal("50000.12345678"), at: 1_700_000_000_000 },
  });
  expect(priced().map(({ path }) => path)).toEqual(["/fapi/v1/premiumIndex"]);
});

test("spot without tickers is priced by its book", async () => {
  const { feeds, priced } = fake("woox", ({ path }) =>
    path === "/v3/public/orderbook"
      ? book([{ price: "10", quantity: "1" }], [{ price: "12", quantity: "1" }])
      : null,
  );
  const found = await feeds("woox", "spot").read(["SPOT_BTC_USDT"], { signal });
  expect(found.get("SPOT_BTC_USDT")).toMatchObject({ source: "book", mark: { price: "11" } });
  expect(priced().map(({ path }) => path)).toEqual(["/v3/public/orderbook"]);
});

test("an exchange that does not answer is told at once and asked again by the next look", async () => {
  let isDown = true;
  const { feed, priced } = fake("woox", ({ path }) => {
    if (path !== "/v3/public/futures") return null;
    return isDown
      ? new Response("down", { status: 503 })
      : futures([{ symbol: BTC, markPrice: "9" }]);
  });
  await expect(feed.read([BTC], { signal })).rejects.toMatchObject({ name: "MarketDataError" });
  expect(priced()).toHaveLength(1);
  isDown = false;
  expect((await feed.read([BTC], { signal })).get(BTC)?.mark.price).toBe(decimal("9"));
});

test("every request takes its turn in the address's budget, and a busy exchange is left alone", async () => {
  const calls: string[] = [];
  const limiter = {
    acquire: async ({ key, priority }: Need) => void calls.push(`${priority}: ${key}`),
    penalise: ({ key }: Pick<Need, "key">) => void calls.push(`penalised: ${key}`),
  };
  const { exchange } = fake("woox", () => null);
  exchange.fault = ({ path }) => (path.endsWith("instruments") ? null : tooMany());
  const deps = { clock, log: silentLog, limiter };
  for (const name of ["woox", "demo"]) {
    const feeds = createPriceFeeds({ ...deps, loopbackUrls: { [name]: exchange.url } });
    const look = feeds(name, "perps").read([BTC], { signal });
    await expect(look).rejects.toMatchObject({ name: "MarketDataError" });
  }
  expect(calls).toEqual([
    ...["data: woox futures", "penalised: woox futures"],
    ...["data: demo futures", "penalised: demo futures"],
  ]);
});

test("a look that is stopped ends at once with the reason", async () => {
  const stop = new AbortController();
  const { feed } = fake("woox", ({ path }) => {
    if (path === "/v3/public/futures") stop.abort(new Error("enough"));
    return null;
  });
  await expect(feed.read([BTC], { signal: stop.signal })).rejects.toThrow("enough");
  await expect(feed.read([BTC], { signal: stop.signal })).rejects.toThrow("enough");
});

test("the feed of an exchange and a kind is one and the same", () => {
  const feeds = feedsAt({});
  expect(feeds("woox", "perps")).toBe(feeds("woox", "perps"));
  expect(feeds("woox", "perps")).not.toBe(feeds("woox", "spot"));
});

test("the simulated exchange is not asked anywhere else than on this machine", async () => {
  const nowhere = feedsAt({})("demo", "perps");
  await expect(nowhere.read([BTC], { signal })).rejects.toThrow(/is not running here/);
  const { exchange } = fake("woox", () => null);
  const { exchange: elsewhere } = fake("woox", () => null);
  exchange.fault = ({ path }) => Response.redirect(elsewhere.url + path);
  const astray = feedsAt({ demo: exchange.url })("demo", "perps");
  await expect(astray.read([BTC], { signal: AbortSignal.timeout(300) })).rejects.toThrow();
  expect(elsewhere.asked).toEqual([]);
  const abroad = feedsAt({ demo: "https://api.woox.io" })("demo", "perps");
  await expect(abroad.read([BTC], { signal })).rejects.toThrow(/address of this machine/);
});
