// The backtest page over the real app with a stored series and a WOO X of this machine: one case per file. Used by the
// tests of the page, its preview, its rules and its periods.
import { createMarketData } from "../../src/adapters/ccxt/market-data.ts";
import { createInstrumentRepository } from "../../src/adapters/postgres/instrument-repository.ts";
import { createMarkets } from "../../src/services/research/markets.ts";
import { createApp } from "../../src/web/app.tsx";
import { testClock } from "../support/fake-exchange/clock.ts";
import { startWoo } from "../support/fake-exchange/woo.ts";
import { makeWorld } from "../support/fake-exchange/world.ts";
import { storeCandles, walkCandles } from "../support/research-case.ts";
import { silentLog } from "../support/test-database.ts";
import { fieldsOfForm } from "./form-fields.ts";
import { browserOf, type TestBrowser, webCase, workspaceWith } from "./web-case.ts";

/** Fields as they are posted. */
export type Fields = Record<string, string>;

/** First candle and number of candles of the stored series, five minutes each. */
export const FROM = Date.UTC(2024, 0, 1);
export const BARS = 6000;

/** A market that is not stored. */
export const OTHER: Fields = {
  series: "other",
  "market.exchange": "woo",
  "market.symbol": "BTC-PERP",
  "market.kind": "perps",
};

const RULES: Fields = { "instrument.price_tick": "0.01", "instrument.qty_step": "0.001" };

/** The fields of the backtest form as it is shown. */
export async function formOf(browser: TestBrowser, query = ""): Promise<Fields> {
  const page = await (await browser.get(`/backtest${query}`)).text();
  return fieldsOfForm(page, "backtest-form");
}

const idOf = (field: string) => field.replaceAll(".", "-");

/** The sentence that stands at a field; undefined without one. */
export function problemAt(page: string, field: string): string | undefined {
  const found = new RegExp(`id="${idOf(field)}-problem">([^<]*)<`).exec(page)?.[1];
  return found?.replaceAll("&quot;", '"');
}

/** Two workspaces, the first with a series and somebody signed in who may trade. */
export async function backtestCase() {
  const made = await webCase();
  const history = makeWorld({ seed: 1, from: FROM, bars: 10 });
  const woo = startWoo(history);
  const markets = createMarkets({
    instruments: createInstrumentRepository(made.database.sql),
    marketData: createMarketData({
      clock: testClock(history.now),
      log: silentLog,
      loopbackUrls: { woox: woo.url },
    }),
    clock: made.clock,
  });
  const waits: number[] = [];
  const { runs } = made.deps;
  const settled: typeof runs.settled = (scope, id, limitMs) => {
    waits.push(limitMs);
    return runs.settled(scope, id, limitMs);
  };
  const app = createApp({ ...made.deps, markets, runs: { ...runs, settled } });
  const world = await workspaceWith(made, "alpha");
  const foreign = await workspaceWith(made, "beta");
  const series = await storeCandles(made.database.sql, world.scope, walkCandles(BARS));
  const signedIn = async (email: string) => {
    const browser = browserOf({ app });
    await browser.signIn(email);
    return browser;
  };
  const trader = await signedIn("trader@alpha.example");
  return {
    ...made,
    woo,
    /** How long a page was willing to wait for a run, in ms. */
    waits,
    world,
    foreign,
    series,
    signedIn,
    stranger: () => browserOf({ app }),
    trader,
    /** A form that can run, whatever was typed before. */
    async runnable(changes: Fields = {}): Promise<Fields> {
      await trader.post("/backtest/reset");
      return { ...(await formOf(trader, `?series=${series}`)), ...RULES, ...changes };
    },
    async end() {
      woo.stop();
      await made.database.drop();
    },
  };
}

/** What `backtestCase` gives. */
export type BacktestCase = Awaited<ReturnType<typeof backtestCase>>;
