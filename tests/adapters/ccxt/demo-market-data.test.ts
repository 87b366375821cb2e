// Market data of the simulated exchange: the real ccxt client against the real venue over loopback.
import { afterEach, expect, test } from "bun:test";
import { createMarketData } from "../../../src/adapters/ccxt/market-data.ts";
import { createClock } from "../../../src/adapters/system/clock.ts";
import { silentLog } from "../../support/silent-log.ts";
import { START, startLab, stopLabs } from "../../venue/lab.ts";

const MINUTE = 60_000;
const MARKET = { exchangeId: "demo", symbol: "PERP_BTC_USDT", kind: "perps" } as const;
const signal = new AbortController().signal;

afterEach(stopLabs);

function opened(startAt?: number) {
  const lab = startLab(startAt === undefined ? {} : { startAt });
  const deps = { clock: createClock(), log: silentLog };
  return { lab, data: createMarketData({ ...deps, loopbackUrls: { demo: lab.venue.url } }) };
}

test("the instrument carries our symbol, our exchange id and the venue's rules", async () => {
  const { data } = opened();
  expect(await data.instrument(MARKET)).toMatchObject({
    ...MARKET,
    priceTick: 0.5,
    qtyStep: 0.01,
    minNotional: 1,
    contractSize: 1,
    settle: "USDT",
  });
  expect(await data.instruments("demo", "perps")).toHaveLength(1);
});

test("the time is the venue's, not ours", async () => {
  const { data } = opened();
  expect(Math.abs((await data.exchangeTime(MARKET)) - START)).toBeLessThan(MINUTE);
});

test("candles are the venue's closed ones, by its own clock", async () => {
  const { lab, data } = opened();
  await lab.price("110");
  await lab.step(MINUTE);
  await lab.price("90");
  const range = { from: START, to: START + 10 * MINUTE };
  const closes: number[] = [];
  for await (const page of data.candles({ market: MARKET, timeframeMin: 1, range, signal })) {
    closes.push(...page.series.close);
  }
  expect(closes).toEqual([110]);
});

test("symbols are understood as on the exchange it imitates", () => {
  const { data } = opened();
  for (const text of ["PERP_BTC_USDT", "BTC-PERP", "BTC/USDT:USDT"]) {
    expect(data.normaliseMarket("demo", text)).toEqual(MARKET);
  }
});

test("it is an exchange of ours only while it runs, and is never asked anywhere else", async () => {
  const { data } = opened();
  expect(data.exchangeIds()).toContain("demo");
  expect(data.exchangeIds()).toEqual([...data.exchangeIds()].sort());
  const without = createMarketData({ clock: createClock(), log: silentLog });
  expect(without.exchangeIds()).not.toContain("demo");
  await expect(without.instrument(MARKET)).rejects.toThrow(/simulated exchange is not running/);
});
