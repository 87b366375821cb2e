// Market data through the real ccxt client against fake exchanges over loopback: trading rules,
// time, what a page covers, and how failures are told.
import { afterAll, expect, test } from "bun:test";
import { createMarketData } from "../../../src/adapters/ccxt/market-data.ts";
import { InputError } from "../../../src/model/result.ts";
import { formatTimeframe } from "../../../src/model/time.ts";
import { startBinance } from "../../support/fake-exchange/binance.ts";
import { testClock } from "../../support/fake-exchange/clock.ts";
import { startOkx } from "../../support/fake-exchange/okx.ts";
import { type FakeExchange, tooMany } from "../../support/fake-exchange/server.ts";
import { startWoo } from "../../support/fake-exchange/woo.ts";
import { makeWorld, type World } from "../../support/fake-exchange/world.ts";
import { silentLog } from "../../support/silent-log.ts";

const FROM = Date.UTC(2024, 0, 1);
const MINUTE = 60_000;
const DIALECTS = { woox: startWoo, binance: startBinance, okx: startOkx };
const running: FakeExchange[] = [];
const unlimited = new AbortController().signal;

afterAll(() => {
  for (const exchange of running) exchange.stop();
});

function opened(name: keyof typeof DIALECTS, world: World) {
  const exchange = DIALECTS[name](world);
  running.push(exchange);
  const clock = testClock(world.now);
  const data = createMarketData({ clock, log: silentLog, loopbackUrls: { [name]: exchange.url } });
  const symbol = name === "woox" ? "PERP_BTC_USDT" : "BTC/USDT:USDT";
  const market = { exchangeId: name, symbol, kind: "perps" } as const;
  return { exchange, clock, data, market };
}

const small = (seed: number) => makeWorld({ seed, from: FROM, bars: 30 });

test("trading rules arrive as the exchange states them", async () => {
  const rules = { base: "BTC", quote: "USDT", settle: "USDT", isLinear: true, isActive: true };
  const expected = {
    woox: { priceTick: 0.1, qtyStep: 0.0001, minQty: 0.0001, minNotional: 10, contractSize: 1 },
    binance: { priceTick: 0.1, qtyStep: 0.001, minQty: 0.001, minNotional: 100, contractSize: 1 },
    okx: { priceTick: 0.1, qtyStep: 0.01, minQty: 0.01, minNotional: 0, contractSize: 0.01 },
  };
  for (const name of ["woox", "binance", "okx"] as const) {
    const { data, market } = opened(name, small(1));
    expect(await data.instrument(market)).toEqual({ ...market, ...rules, ...expected[name] });
    expect(await data.instruments(name, "perps")).toHaveLength(1);
  }
});

test("spot and perpetual of one exchange are kept apart", async () => {
  const { data } = opened("woox", small(2));
  const [spot] = await data.instruments("woox", "spot");
  expect(spot).toMatchObject({
    symbol: "SPOT_BTC_USDT",
    kind: "spot",
    settle: null,
    contractSize: 1,
  });
});

test("markets are loaded once, and currencies never", async () => {
  const { data, market, exchange } = opened("woox", small(3));
  await data.instrument(market);
  await data.instrument(market);
  await data.pageBars(market, 1);
  expect(exchange.asked.map(({ path }) => path)).toEqual(["/v3/public/instruments"]);
});

test("a failed load of the markets can be repeated", async () => {
  const { data, market, exchange } = opened("binance", small(4));
  exchange.fault = () => tooMany("3600");
  await expect(data.instrument(market)).rejects.toThrow(/the markets must wait/);
  exchange.fault = () => null;
  expect((await data.instrument(market)).symbol).toBe("BTC/USDT:USDT");
});

test("the exchange's clock is asked, carried on, and asked again once ours was set", async () => {
  const world = small(5);
  const { data, market, clock, exchange } = opened("okx", world);
  clock.nowMs = world.now - 90_000;
  expect(await data.exchangeTime(market)).toBe(world.now);
  const { length } = exchange.asked;
  const carried = await data.exchangeTime(market);
  expect(carried - world.now).toBeWithin(0, 1000);
  expect(exchange.asked).toHaveLength(length);
  clock.nowMs += 3_600_000;
  expect(await data.exchangeTime(market)).toBe(world.now);
  expect(exchange.asked).toHaveLength(length + 1);
});

test("Retry-After may be a date", async () => {
  const world = small(6);
  const { data, market, exchange, clock } = opened("binance", world);
  const date = new Date(clock.nowMs + 45_000).toUTCString();
  exchange.fault = (_, index) => (index === 0 ? tooMany(date) : null);
  await data.instrument(market);
  expect(clock.waits).toHaveLength(1);
  expect(Math.abs((clock.waits[0] ?? 0) - 45_000)).toBeLessThan(1000);
});

test("an exchange out of reach is told in one sentence after bounded waits", async () => {
  const { data, market, exchange, clock } = opened("woox", small(7));
  exchange.stop();
  const failure = await data.instrument(market).then(
    () => null,
    (error: Error) => error,
  );
  expect(failure?.name).toBe("MarketDataError");
  expect(failure?.message).toMatch(/^woo: the markets did not arrive in 7 attempts: /);
  expect(failure?.message).not.toContain("\n");
  expect(clock.waits).toEqual([500, 1000, 2000, 4000, 8000, 16000]);
});

test("a plain refusal is not repeated", async () => {
  const { data, market, exchange, clock } = opened("binance", small(8));
  await data.instrument(market);
  exchange.fault = () => Response.json({ code: -1121, msg: "Invalid symbol." }, { status: 400 });
  const pages = data.candles({
    market,
    timeframeMin: 1,
    range: { from: FROM, to: FROM + 1e9 },
    signal: unlimited,
  });
  await expect(pages[Symbol.asyncIterator]().next()).rejects.toThrow(
    /were refused: .*Invalid symbol/,
  );
  expect(clock.waits).toEqual([]);
});

test("an abort ends a wait and a request in flight at once", async () => {
  const { data, market, exchange } = opened("binance", small(9));
  await data.exchangeTime(market);
  const stop = new AbortController();
  exchange.fault = () => {
    stop.abort(new Error("enough"));
    return null;
  };
  const begin = performance.now();
  const range = { from: FROM, to: FROM + 1e9 };
  const pages = data.candles({ market, timeframeMin: 1, range, signal: stop.signal });
  await expect(pages[Symbol.asyncIterator]().next()).rejects.toThrow("enough");
  expect(performance.now() - begin).toBeLessThan(2000);
});

test("pages join without holes, and nothing of the last hour is settled", async () => {
  const world = makeWorld({ seed: 10, from: FROM, bars: 1000, holes: [[290, 320]] });
  const { data, market } = opened("okx", world);
  const range = { from: FROM + 30_000, to: world.now + 1e9 };
  let next = FROM + MINUTE;
  for await (const page of data.candles({ market, timeframeMin: 1, range, signal: unlimited })) {
    expect(page.covered.from).toBe(next);
    expect(page.settled.from).toBe(next);
    expect(page.settled.to).toBeLessThanOrEqual(Math.max(next, world.now - 60 * MINUTE));
    next = page.covered.to;
  }
  expect(next).toBe(Math.floor(world.now / MINUTE) * MINUTE);
});

test("unknown exchanges, markets and timeframes are refused as input", async () => {
  const { data, market } = opened("binance", small(11));
  const nowhere = { ...market, exchangeId: "nowhere" };
  await expect(data.instrument(nowhere)).rejects.toThrow(
    /"nowhere" is not an exchange we can reach/,
  );
  await expect(data.instruments("constructor", "spot")).rejects.toThrow(InputError);
  await expect(data.instruments("upbit", "perps")).rejects.toThrow(/upbit has no perps markets/);
  await expect(data.pageBars(market, 7)).rejects.toThrow(/has no 7m candles/);
  expect(formatTimeframe(7)).toBe("7m");
});
