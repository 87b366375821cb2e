// The preview of the backtest form and the rules of its instrument, over the real app and a WOO X of this machine.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createInstrumentRepository } from "../../src/adapters/postgres/instrument-repository.ts";
import { keep } from "../../src/web/routes/backtest-inputs.ts";
import { walkCandles } from "../support/research-case.ts";
import {
  BARS,
  type BacktestCase,
  backtestCase,
  type Fields,
  OTHER,
  problemAt,
} from "./backtest-case.ts";

let made: BacktestCase;

beforeAll(async () => {
  made = await backtestCase();
}, 60_000);

afterAll(() => made.end());

describe("the preview", () => {
  const preview = async (changes: Fields) => {
    const answer = await made.trader.post("/backtest/preview", await made.runnable(changes));
    expect(answer.status).toBe(200);
    const text = await answer.text();
    expect(text).not.toContain("<html");
    return text;
  };
  const rungs = (text: string) =>
    (text.match(/<tr(?: class="idle")?><th scope="row">/g) ?? []).length;

  test("follows what is typed: rungs, prices, both directions", async () => {
    const open = { "preview.price": "2000", "config.exits.sl_pct": "0", "run.leverage": "50" };
    const three = await preview({ ...open, "config.general.max_entries": "3" });
    expect(rungs(three)).toBe(3);
    expect(three).toContain("1,980.00");
    expect(three).toContain("as typed");
    const wider = await preview({ ...open, "config.dca.base_deviation_pct": "2" });
    expect(wider).toContain("-2.00%");
    expect([three.includes("-1.00%"), wider.includes("-1.00%")]).toEqual([true, false]);
    const both = await preview({ ...open, direction: "both" });
    expect([both.includes("Long ladder"), both.includes("Short ladder")]).toEqual([true, true]);
    expect(both).toContain("2,020.00");
  });

  test("without a typed price it starts from the last stored close", async () => {
    const close = walkCandles(BARS).close.at(-1) ?? 0;
    const text = await preview({ "preview.price": "" });
    expect(text).toContain(close.toLocaleString("en-US", { minimumFractionDigits: 2 }));
    expect(text).toContain("the close of 21/01/24 20:00");
  });

  test("names what is skipped, refused for margin, and behind the stop", async () => {
    const base = { "preview.price": "2000", "config.exits.sl_pct": "0" };
    expect(await preview({ ...base, "config.general.max_entries": "9" })).toContain(
      "not enough margin",
    );
    expect(await preview({ ...base, "config.exits.sl_pct": "0.5" })).toContain(
      "The stop comes first",
    );
    expect(await preview({ ...base, "instrument.min_notional": "99.9" })).toContain(
      "below the minimum",
    );
    expect(await preview({ ...base, "instrument.min_qty": "9" })).toContain(
      "nothing is ever opened",
    );
  });

  test("says what is wrong instead of failing, and what the run will read", async () => {
    const wrong = await preview({ "config.dca.base_deviation_pct": "-1" });
    expect(wrong).toContain("First distance is -1; it must be a number of at least 0.1.");
    expect(rungs(wrong)).toBe(0);
    const fine = await preview({ "range.mode": "bars", "range.bars": "1000" });
    expect(fine).toMatch(/<dt>Candles<\/dt><dd>1,000<\/dd>/);
    expect(fine).toContain("Stored 5m: 6,000 candles");
    expect(fine).toContain("days of history before the window");
  });

  test("warns where settings can hardly trade, by the names of the form", async () => {
    const text = await preview({ "config.general.initial_entry_balance_pct": "0" });
    expect(text).toContain("First entry is 0: no entry can ever be sized.");
    const gone = await preview({
      "config.exits.sl_pct": "0",
      "config.exits.trail_distance_pct": "0",
    });
    expect(gone).toContain("no stop is set");
  });
});

describe("rules of the instrument", () => {
  test("the exchange's are fetched, stored, and shown again for the market", async () => {
    const fields = await made.runnable({ ...OTHER, fetch: "on" });
    const before = await (await made.trader.post("/backtest/instrument", fields)).text();
    expect(before).toContain("No rules of PERP_BTC_USDT on woox are stored");
    const answer = await made.trader.post("/backtest/instrument/fetch", fields);
    expect(answer.headers.get("hx-trigger")).toBe('{"rules":{}}');
    const text = await answer.text();
    expect(text).toMatch(/name="instrument.price_tick"[^>]*|value="0.1"/);
    expect(text).toContain('value="woox PERP_BTC_USDT perps"');
    const stored = createInstrumentRepository(made.database.sql);
    expect(await stored.find("woox", "PERP_BTC_USDT", "perps")).toMatchObject({
      priceTick: 0.1,
      qtyStep: 0.0001,
      minNotional: 10,
    });
    const again = await (await made.trader.post("/backtest/instrument", fields)).text();
    expect(again).toContain("as published on");
    expect(again).toContain('value="0.0001"');
  });

  test("a symbol it does not list, and an exchange that does not answer, leave the fields to be typed", async () => {
    const typed = {
      "instrument.price_tick": "0.5",
      "instrument.market": "woox PERP_NOPE_USDT perps",
    };
    const fields = {
      ...(await made.runnable({ ...OTHER, "market.symbol": "NOPE-PERP" })),
      ...typed,
    };
    const unknown = await made.trader.post("/backtest/instrument/fetch", fields);
    expect(unknown.status).toBe(200);
    const text = await unknown.text();
    expect(text).toContain("NOPE");
    expect(text).toContain("The fields below can be typed in.");
    expect(text).toContain('value="0.5"');
    const kraken = {
      ...fields,
      "market.exchange": "woo",
      "market.kind": "spot",
      "market.symbol": "BTC/USDT",
    };
    made.woo.fault = () => new Response("gone", { status: 502 });
    const dead = await (await made.trader.post("/backtest/instrument/fetch", kraken)).text();
    made.woo.fault = () => null;
    expect(dead).toContain('role="alert"');
  }, 60_000);

  test("rules of another market are never used silently, and own ones are remembered", async () => {
    const fields = await made.runnable({ "instrument.market": "okx X perps" });
    const page = await (await made.trader.post("/backtest", fields)).text();
    expect(problemAt(page, "instrument.price_tick")).toContain(
      "These are the rules of okx X perps",
    );
    const typed = await made.runnable({ "instrument.price_tick": "0.25" });
    expect((await made.trader.post("/backtest", typed)).status).toBe(303);
    const back = await made.trader.post("/backtest/instrument", {
      ...typed,
      "instrument.market": "okx X perps",
    });
    expect(await back.text()).toContain('value="0.25"');
  });

  test("rules typed for a market give way to those its exchange publishes", async () => {
    const fields = await made.runnable({ ...OTHER, "instrument.price_tick": "0.7" });
    const { backtestDesk } = made.deps;
    const scope = { ...made.world.scope, userId: made.world.trader.id };
    const market = "woox PERP_BTC_USDT perps";
    const empty = { values: null, typed: {} };
    await keep(backtestDesk, scope, empty, fields, { market, isTyped: true });
    const tick = async () => {
      const asked = { ...fields, "instrument.market": "" };
      const answer = await (await made.trader.post("/backtest/instrument", asked)).text();
      return /value="([\d.]+)"[^>]*id="instrument-price_tick"/.exec(answer)?.[1];
    };
    expect(await tick()).toBe("0.7");
    await made.trader.post("/backtest/instrument/fetch", fields);
    expect(await tick()).toBe("0.1");
  });
});
