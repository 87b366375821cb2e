// Downloads end to end: the real ccxt client against three fake exchanges over loopback, into a
// real PostgreSQL. What is stored must be the made-up history, bit by bit.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { InputError } from "../../../src/model/result.ts";
import { startOkx } from "../../support/fake-exchange/okx.ts";
import { type FakeExchange, tooMany } from "../../support/fake-exchange/server.ts";
import { closedCandles, makeWorld, type World } from "../../support/fake-exchange/world.ts";
import { type TestDatabase, testDatabase } from "../../support/test-database.ts";
import {
  candlesIn,
  DIALECTS,
  type DownloadCase,
  downloadCase,
  EXCHANGES,
  type ExchangeName,
  FROM,
  MINUTE,
} from "./download-case.ts";

const END = FROM + 1e9;
const HOUR = 60 * MINUTE;
const LIMIT_MS = 30_000;
const exchanges: FakeExchange[] = [];
let database: TestDatabase;

beforeAll(async () => {
  database = await testDatabase();
});

afterAll(async () => {
  for (const exchange of exchanges) exchange.stop();
  await database.drop();
});

async function opened(
  name: ExchangeName,
  world: World,
  start?: (world: World) => FakeExchange,
): Promise<DownloadCase> {
  const made = await downloadCase(database, name, world, start);
  exchanges.push(made.exchange);
  return made;
}

/** Three pages and a half, with holes inside a page, at the begin and across a page's end. */
function worldFor(name: ExchangeName, seed = 7): World {
  const { page } = DIALECTS[name];
  const holes = [
    [0, 3],
    [40, 47],
    [page - 2, page + 5],
  ] as const;
  return makeWorld({ seed, from: FROM, bars: Math.floor(page * 3.5), holes });
}

for (const name of EXCHANGES) {
  test(
    `${name}: the stored history equals the exchange's, without its unfinished candle`,
    async () => {
      const world = worldFor(name);
      const at = await opened(name, world);
      const report = await at.download();
      const truth = closedCandles(world, FROM, END);
      expect(candlesIn(await at.stored())).toEqual(truth);
      expect(report).toMatchObject({ added: truth.length, replaced: 0, unchanged: 0 });
      expect(report.quality).toMatchObject({ gapCount: 2, missingBars: 14 });
    },
    LIMIT_MS,
  );

  test(
    `${name}: after a failure the next run asks only for what is missing`,
    async () => {
      const world = worldFor(name);
      const at = await opened(name, world);
      at.exchange.fault = () => (at.exchange.history().length > 2 ? tooMany("86400") : null);
      await expect(at.download()).rejects.toThrow(/come back in 86400 s/);
      const before = candlesIn(await at.stored());
      expect(before.length).toBeGreaterThan(DIALECTS[name].page / 2);
      const asked = at.starts();
      const resumeAt = asked[asked.length - 1] ?? 0;

      at.exchange.fault = () => null;
      at.exchange.asked.length = 0;
      await at.restart().download();
      const starts = at.starts();
      expect(starts[0]).toBe(resumeAt);
      expect(Math.min(...starts)).toBe(resumeAt);
      const requests = at.exchange.history().map(({ params }) => JSON.stringify(params));
      expect(new Set(requests).size).toBe(requests.length);
      expect(candlesIn(await at.stored())).toEqual(closedCandles(world, FROM, END));
    },
    LIMIT_MS,
  );

  test(
    `${name}: a storm of 429 is waited out as long as the exchange asks`,
    async () => {
      const world = worldFor(name);
      const at = await opened(name, world);
      let refusals = 0;
      at.exchange.fault = ({ path }) => {
        const isTurn = /kline|candles/.test(path) && refusals < 5;
        if (isTurn) refusals += 1;
        return isTurn ? tooMany(refusals === 2 ? "7" : undefined) : null;
      };
      await at.download();
      expect(candlesIn(await at.stored())).toEqual(closedCandles(world, FROM, END));
      expect(at.clock.waits).toEqual([500, 7000, 2000, 4000, 8000]);
    },
    LIMIT_MS,
  );

  test(
    `${name}: an endless storm of 429 ends in a sentence, and what was stored stays`,
    async () => {
      const world = worldFor(name);
      const at = await opened(name, world);
      at.exchange.fault = () => (at.exchange.history().length > 2 ? tooMany("1") : null);
      const failure = await at.download().then(
        () => null,
        (error: Error) => error,
      );
      expect(failure?.name).toBe("MarketDataError");
      expect(failure?.message).toContain("did not arrive in 7 attempts");
      expect((await at.stored()).length).toBeGreaterThan(0);
    },
    LIMIT_MS,
  );

  test(
    `${name}: a complete range is not asked for again, not even its holes`,
    async () => {
      const world = worldFor(name);
      const at = await opened(name, world);
      const range = { from: FROM, to: world.now - 2 * HOUR };
      await at.download(range);
      at.exchange.asked.length = 0;
      const again = await at.restart().download(range);
      expect(at.exchange.asked).toEqual([]);
      expect(again).toMatchObject({ asked: [], added: 0, pages: 0 });
      expect(again.quality.gapCount).toBe(2);
    },
    LIMIT_MS,
  );

  test(
    `${name}: a garbled answer is asked for again instead of being taken as empty`,
    async () => {
      const world = worldFor(name);
      const at = await opened(name, world);
      let garbled = 0;
      at.exchange.fault = ({ path }) => {
        if (!/kline|candles/.test(path) || garbled === 2) return null;
        garbled += 1;
        return new Response(garbled === 1 ? "<html>busy</html>" : '{"rows": [1, 2');
      };
      await at.download();
      expect(garbled).toBe(2);
      expect(candlesIn(await at.stored())).toEqual(closedCandles(world, FROM, END));
    },
    LIMIT_MS,
  );
}

test(
  "an hour later only the new candles are asked for",
  async () => {
    const world = makeWorld({ seed: 3, from: FROM, bars: 900, opened: 600 });
    const at = await opened("binance", world);
    await at.download();
    world.now += HOUR;
    at.exchange.asked.length = 0;
    const later = at.restart();
    const report = await later.download();
    expect(at.starts()).toEqual([FROM + 599 * MINUTE]);
    expect(report.added).toBe(60);
    expect(candlesIn(await at.stored())).toEqual(closedCandles(world, FROM, END));
  },
  LIMIT_MS,
);

test(
  "a hole younger than an hour is asked for again, because a candle may be published late",
  async () => {
    const complete = makeWorld({ seed: 4, from: FROM, bars: 400, opened: 300 });
    const late = FROM + 290 * MINUTE;
    const world = {
      ...complete,
      candles: complete.candles.filter(({ openAt }) => openAt !== late),
    };
    const at = await opened("binance", world);
    await at.download();
    const candle = complete.candles.find(({ openAt }) => openAt === late);
    (world.candles as unknown[]).splice(290, 0, candle);
    const report = await at.restart().download();
    expect(report.added).toBe(1);
    expect(candlesIn(await at.stored())).toEqual(closedCandles(complete, FROM, END));
  },
  LIMIT_MS,
);

test(
  "closed means closed by the exchange's clock when ours is a day ahead",
  async () => {
    const world = makeWorld({ seed: 5, from: FROM, bars: 300, opened: 250 });
    const at = await opened("okx", world);
    at.clock.nowMs = world.now + 24 * HOUR;
    await at.download();
    expect(candlesIn(await at.stored())).toEqual(closedCandles(world, FROM, END));
    expect((await at.stored()).length).toBe(249);
  },
  LIMIT_MS,
);

test(
  "an exchange that sends only the newest rows of a window loses nothing",
  async () => {
    const world = makeWorld({ seed: 6, from: FROM, bars: 900 });
    const at = await opened("okx", world, (truth) => startOkx(truth, 200));
    await at.download();
    expect(candlesIn(await at.stored())).toEqual(closedCandles(world, FROM, END));
  },
  LIMIT_MS,
);

test(
  "the years before a listing cost a few requests",
  async () => {
    const world = makeWorld({ seed: 8, from: FROM, bars: 200 });
    const at = await opened("okx", world);
    const from = FROM - 3 * 365 * 24 * HOUR;
    await at.download({ from, to: END });
    expect(at.exchange.history().length).toBeLessThan(20);
    expect(candlesIn(await at.stored())).toEqual(closedCandles(world, FROM, END));
  },
  LIMIT_MS,
);

test(
  "an exchange that sends the same page for ever is refused, and its candles stay",
  async () => {
    const world = makeWorld({ seed: 9, from: FROM, bars: 900 });
    const at = await opened("binance", world);
    at.exchange.fault = ({ path }) => {
      if (path !== "/fapi/v1/klines") return null;
      const rows = world.candles
        .slice(0, 300)
        .map((c) => [c.openAt, c.open, c.high, c.low, c.close, c.volume]);
      return Response.json(rows);
    };
    await expect(at.download()).rejects.toThrow(/same page of BTC\/USDT:USDT whatever is asked/);
    expect(at.exchange.history().length).toBeLessThan(5);
    expect((await at.stored()).length).toBe(300);
  },
  LIMIT_MS,
);

test(
  "a stop keeps the pages stored so far, and the next run goes on behind them",
  async () => {
    const world = worldFor("binance");
    const at = await opened("binance", world);
    const stop = new AbortController();
    const onProgress = ({ bars }: { bars: number }) => {
      if (bars > 400) stop.abort(new Error("stopped by the test"));
    };
    const stopped = at.download(undefined, { signal: stop.signal, onProgress });
    await expect(stopped).rejects.toThrow("stopped by the test");
    const kept = await at.stored();
    expect(kept.length).toBeGreaterThan(400);
    at.exchange.asked.length = 0;
    await at.restart().download();
    expect(Math.min(...at.starts())).toBeGreaterThan(kept.openAt[kept.length - 1] ?? 0);
    expect(candlesIn(await at.stored())).toEqual(closedCandles(world, FROM, END));
  },
  LIMIT_MS,
);

test(
  "two programs that fetch the same series at once ask for each page once",
  async () => {
    const world = makeWorld({ seed: 10, from: FROM, bars: 1200, opened: 1200 });
    const at = await opened("binance", world);
    const range = { from: FROM, to: FROM + 1000 * MINUTE };
    const [one, two] = await Promise.all([at.download(range), at.restart().download(range)]);
    expect(one.added + two.added).toBe(1000);
    expect(at.starts()).toEqual([FROM, FROM + 500 * MINUTE]);
  },
  LIMIT_MS,
);

test(
  "candles already imported are not asked for",
  async () => {
    const world = makeWorld({ seed: 11, from: FROM, bars: 2000 });
    const at = await opened("binance", world);
    await at.download({ from: FROM + 600 * MINUTE, to: FROM + 1400 * MINUTE });
    at.exchange.asked.length = 0;
    await at.restart().download();
    expect(
      at.exchange.history().map(({ params }) => [Number(params.startTime), Number(params.limit)]),
    ).toEqual([
      [FROM, 500],
      [FROM + 500 * MINUTE, 100],
      [FROM + 1400 * MINUTE, 500],
      [FROM + 1900 * MINUTE, 98],
    ]);
    expect(candlesIn(await at.stored())).toEqual(closedCandles(world, FROM, END));
  },
  LIMIT_MS,
);

test(
  "what cannot be a candle is named and left out",
  async () => {
    const world = makeWorld({ seed: 12, from: FROM, bars: 300 });
    const candles = world.candles.map((candle, i) =>
      i === 20
        ? { ...candle, high: candle.low / 2 }
        : i === 30
          ? { ...candle, openAt: candle.openAt + 1 }
          : candle,
    );
    const at = await opened("woox", { ...world, candles });
    const report = await at.download();
    expect(report.rejectedCount).toBe(2);
    expect(report.rejected.map(({ reason }) => reason)).toEqual([
      expect.stringMatching(/^high .* is below open or close$/),
      "it is off the grid of the timeframe",
    ]);
    expect((await at.stored()).length).toBe(296);
  },
  LIMIT_MS,
);

test(
  "an unknown symbol or timeframe is refused and leaves no empty series",
  async () => {
    const at = await opened("binance", makeWorld({ seed: 13, from: FROM, bars: 50 }));
    const market = { ...at.market, symbol: "BTC/EUR:EUR" };
    const request = {
      scope: at.scope,
      market,
      range: { from: FROM, to: END },
      timeframeMin: 1,
      signal: new AbortController().signal,
    };
    const { downloadCandles } = await import("../../../src/services/research/candle-download.ts");
    const unlisted = downloadCandles(at.deps, request);
    await expect(unlisted).rejects.toThrow(InputError);
    await expect(unlisted).rejects.toThrow(
      /no perps market "BTC\/EUR:EUR"; it lists BTC\/USDT:USDT/,
    );
    const odd = downloadCandles(at.deps, { ...request, market: at.market, timeframeMin: 10 });
    await expect(odd).rejects.toThrow(/binance has no 10m candles; it has .*15m/);
    expect(await at.store.listSeries(at.scope)).toEqual([]);
  },
  LIMIT_MS,
);
