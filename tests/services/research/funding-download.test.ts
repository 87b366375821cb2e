// Funding rates end to end: the real ccxt client against three fake exchanges, into a real
// PostgreSQL.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { InputError } from "../../../src/model/result.ts";
import { downloadFunding } from "../../../src/services/research/funding-download.ts";
import { type FakeExchange, tooMany } from "../../support/fake-exchange/server.ts";
import { type Funding, makeWorld, type World } from "../../support/fake-exchange/world.ts";
import { type TestDatabase, testDatabase } from "../../support/test-database.ts";
import {
  type DownloadCase,
  downloadCase,
  EXCHANGES,
  type ExchangeName,
  FROM,
} from "./download-case.ts";

const HOUR = 3_600_000;
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

async function opened(name: ExchangeName, world: World): Promise<DownloadCase> {
  const made = await downloadCase(database, name, world);
  exchanges.push(made.exchange);
  return made;
}

function fetchAll(at: DownloadCase, range = { from: FROM, to: FROM + 1e11 }) {
  const { scope, market } = at;
  return downloadFunding(at.deps, { scope, market, range, signal: new AbortController().signal });
}

async function stored(at: DownloadCase): Promise<Funding[]> {
  const id = await at.store.findFunding(at.scope, at.market);
  if (id === null) throw new Error("nothing is stored");
  const { at: instants, rate } = await at.store.loadFunding(at.scope, id);
  return Array.from(instants, (instant, i) => ({ at: instant, rate: rate[i] ?? Number.NaN }));
}

/** Daily candles keep the world small while funding goes on for months. */
const months = (seed: number, fundingEveryH: number) =>
  makeWorld({ seed, from: FROM, bars: 70, timeframeMin: 1440, fundingEveryH });

const past = (world: World) => world.funding.filter(({ at }) => at <= world.now);

for (const name of EXCHANGES) {
  test(
    `${name}: the stored rates equal the exchange's, every 8 hours`,
    async () => {
      const world = months(1, 8);
      const at = await opened(name, world);
      const report = await fetchAll(at);
      expect(await stored(at)).toEqual(past(world));
      expect(report.added).toBe(past(world).length);
    },
    LIMIT_MS,
  );

  test(
    `${name}: hourly rates do not fall out of full pages`,
    async () => {
      const world = makeWorld({
        seed: 2,
        from: FROM,
        bars: 12,
        timeframeMin: 1440,
        fundingEveryH: 1,
      });
      const at = await opened(name, world);
      await fetchAll(at);
      expect(await stored(at)).toEqual(past(world));
    },
    LIMIT_MS,
  );

  test(
    `${name}: what was answered is not asked for again`,
    async () => {
      const world = months(3, 8);
      const at = await opened(name, world);
      const range = { from: FROM, to: world.now - 2 * HOUR };
      await fetchAll(at, range);
      at.exchange.asked.length = 0;
      const again = await fetchAll(at.restart(), range);
      expect(at.exchange.asked).toEqual([]);
      expect(again).toMatchObject({ asked: [], added: 0 });
    },
    LIMIT_MS,
  );
}

test(
  "after a failure the next run goes on behind what was stored",
  async () => {
    const world = months(4, 8);
    const at = await opened("woox", world);
    at.exchange.fault = () => (at.exchange.history().length > 4 ? tooMany("86400") : null);
    await expect(fetchAll(at)).rejects.toThrow(/come back in 86400 s/);
    const kept = await stored(at);
    expect(kept.length).toBeGreaterThan(50);
    at.exchange.fault = () => null;
    at.exchange.asked.length = 0;
    await fetchAll(at.restart());
    const starts = at.exchange.history().map(({ params }) => Number(params.startTime));
    expect(Math.min(...starts)).toBeGreaterThan(kept.at(-1)?.at ?? 0);
    expect(await stored(at)).toEqual(past(world));
  },
  LIMIT_MS,
);

test(
  "a spot market has no funding",
  async () => {
    const at = await opened("woox", months(5, 8));
    const market = { exchangeId: "woox", symbol: "SPOT_BTC_USDT", kind: "spot" } as const;
    const signal = new AbortController().signal;
    const range = { from: FROM, to: FROM + HOUR };
    const refused = downloadFunding(at.deps, { scope: at.scope, market, range, signal });
    await expect(refused).rejects.toThrow(InputError);
    await expect(refused).rejects.toThrow("SPOT_BTC_USDT is a spot market");
  },
  LIMIT_MS,
);
