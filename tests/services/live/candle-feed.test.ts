// Candles close by the exchange's clock, whatever ours says: ahead, behind, or set while bots trade.
import { expect, test } from "bun:test";
import type { CandleStore } from "../../../src/ports/candle-store.ts";
import type { MarketData } from "../../../src/ports/market-data.ts";
import { createCandleFeed } from "../../../src/services/live/candle-feed.ts";
import { MINUTE_MS } from "../../../src/model/time.ts";
import { silentLog } from "../../support/silent-log.ts";

const MARKET = { exchangeId: "woox", symbol: "PERP_BTC_USDT", kind: "perps" } as const;
const START = Date.UTC(2026, 0, 5, 8, 0, 0);

/** An exchange whose clock the test moves, our clock beside it, and what was asked for. */
function lab(shiftMs: number) {
  const state = { theirs: START + 20_000, shiftMs, monotonicMs: 0 };
  const asked: { from: number; to: number }[] = [];
  const market: Pick<MarketData, "exchangeTime" | "candles"> = {
    exchangeTime: async () => state.theirs,
    async *candles({ range: { from, to } }) {
      asked.push({ from, to });
      const openAt = Float64Array.from(
        { length: (to - from) / MINUTE_MS },
        (_, n) => from + n * MINUTE_MS,
      );
      const column = openAt.map(() => 1);
      const prices = { open: column, high: column, low: column, close: column, volume: column };
      const series = { length: openAt.length, timeframeMin: 1, openAt, ...prices };
      yield { series, covered: { from, to }, settled: { from, to }, rejected: [] };
    },
  };
  const feed = createCandleFeed({
    store: {} as CandleStore,
    market: market as MarketData,
    clock: {
      now: () => state.theirs + state.shiftMs,
      monotonicMs: () => state.monotonicMs,
      sleep: async () => undefined,
    },
    log: silentLog,
    signal: new AbortController().signal,
  });
  return {
    ...{ feed, state, asked },
    pass(ms: number) {
      state.theirs += ms;
      state.monotonicMs += ms;
    },
    /** What is known after whatever was missing has come. */
    async known() {
      feed.closedSince(MARKET, 1, START);
      await Bun.sleep(0);
      return feed.closedSince(MARKET, 1, START).map(({ openAt }) => (openAt - START) / MINUTE_MS);
    },
  };
}

for (const shiftMs of [0, 30_000, -30_000, 3_600_000, -3_600_000]) {
  test(`a clock off by ${shiftMs / 1000} s neither hides a closed candle nor closes the running one`, async () => {
    const { feed, asked, known, pass } = lab(shiftMs);
    expect(await known()).toEqual([]);
    expect(feed.now(MARKET)).toBe(START + 20_000);
    pass(45_000);
    expect(await known()).toEqual([0]);
    pass(120_000);
    expect(await known()).toEqual([0, 1, 2]);
    expect(asked).toHaveLength(2);
  });
}

test("a clock that is set while bots trade changes nothing about what has closed", async () => {
  const { known, pass, state } = lab(0);
  pass(45_000);
  expect(await known()).toEqual([0]);
  for (const shiftMs of [3_600_000, -3_600_000, 0]) {
    state.shiftMs = shiftMs;
    pass(3000);
    expect(await known()).toEqual([0]);
  }
  state.shiftMs = -3_600_000;
  pass(60_000);
  expect(await known()).toEqual([0, 1]);
});
