// The backtest page over the real app: who may open it, what is said at which field, what a former run or a series
// fills in, and what is kept for whom.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createRunRepository } from "../../src/adapters/postgres/run-repository.ts";
import type { RunId } from "../../src/ports/run-store.ts";
import { storeCandles, walkCandles } from "../support/research-case.ts";
import {
  BARS,
  type BacktestCase,
  backtestCase,
  type Fields,
  formOf,
  FROM,
  OTHER,
  problemAt,
} from "./backtest-case.ts";
import { fieldsOfForm } from "./form-fields.ts";

let made: BacktestCase;

beforeAll(async () => {
  made = await backtestCase();
}, 60_000);

afterAll(() => made.end());

async function runCount(): Promise<number> {
  const [row] = await made.database.sql<{ count: number }[]>`select count(*)::int from runs`;
  return row?.count ?? -1;
}

test("viewers are kept out, traders and owners are let in, strangers sign in first", async () => {
  for (const [role, status] of [
    ["viewer", 403],
    ["trader", 200],
    ["owner", 200],
  ] as const) {
    const browser = await made.signedIn(`${role}@alpha.example`);
    expect((await browser.get("/backtest")).status).toBe(status);
    expect((await browser.get("/backtest/periods")).status).toBe(status);
    for (const path of ["", "/preview", "/instrument", "/instrument/fetch", "/reset"]) {
      const answer = await browser.post(`/backtest${path}`);
      expect([path, role, answer.status === 403]).toEqual([path, role, role === "viewer"]);
    }
  }
  const stranger = await made.stranger().get("/backtest?series=1");
  expect(stranger.headers.get("location")).toBe("/login?next=%2Fbacktest%3Fseries%3D1");
});

test("without any candles the page says where to get some", async () => {
  const page = await (await (await made.signedIn("trader@beta.example")).get("/backtest")).text();
  expect(page).toContain("Nothing is stored yet.");
  expect(page).toContain('href="/candles"');
});

describe("asking for a run", () => {
  test("a run is stored as it was typed, computed, and its page is next", async () => {
    const fields = await made.runnable({
      name: "first try",
      direction: "both",
      "config.general.entry_order_style": "market",
      "config.exits.tp_mode": "PCT",
      "config.exits.tp_pct": "1.5",
      "config.trend.enabled": "",
      "range.mode": "bars",
      "range.bars": "2000",
      "run.leverage": "3",
      "run.taker_fee": "0.07",
    });
    const answer = await made.trader.post("/backtest", fields);
    expect(answer.status).toBe(303);
    // A short run is over before its page is asked for.
    expect(made.waits).toEqual([400]);
    const id = Number(/^\/runs\/(\d+)$/.exec(answer.headers.get("location") ?? "")?.[1]) as RunId;
    await made.deps.runs.settled(made.world.scope, id, 20_000);
    const run = await createRunRepository(made.database.sql).find(made.world.scope, id);
    expect([run?.status, run?.name, run?.direction, run?.seriesId]).toEqual([
      "finished",
      "first try",
      "both",
      made.series,
    ]);
    expect(run?.config).toMatchObject({
      general: { allow_long: true, allow_short: true, entry_order_style: "market" },
      exits: { tp_mode: "PCT", tp_pct: 1.5 },
      trend: { enabled: false },
    });
    const to = FROM + BARS * 300_000;
    expect(run?.runSettings).toMatchObject({
      taker_fee: 0.0007,
      leverage: 3,
      from: to - 2000 * 300_000,
      to,
    });
    const again = await formOf(await made.signedIn("owner@alpha.example"), `?run=${id}`);
    const { "range.mode": mode, "range.from": from, "range.to": until, ...rest } = again;
    expect([mode, from, until]).toEqual(["dates", "2024-01-14T21:20", "2024-01-21T20:00"]);
    const { "config.trend.enabled": _, funding: __, ...typed } = fields;
    const asked = Object.entries(typed).filter(([name]) =>
      /^(config|run|instr|name|dir|ser)/.test(name),
    );
    for (const [name, text] of asked) {
      if (name === "instrument.market") continue;
      expect([name, rest[name] ?? ""]).toEqual([name, text]);
    }
  });

  const REFUSALS: readonly [changes: Fields, field: string, sentence: string][] = [
    [{ "config.general.max_entries": "51" }, "config.general.max_entries", "is 51; it must be"],
    [{ "config.exits.sl_pct": "five" }, "config.exits.sl_pct", 'is "five"; it must be'],
    [{ "config.macd.fast": "26" }, "config.macd.fast", "must be below Slow (26)"],
    [{ "config.bbands.interval_min": "7" }, "config.bbands.interval_min", "whole multiple"],
    [{ "instrument.price_tick": "" }, "instrument.price_tick", "Price tick is empty"],
    [{ "instrument.qty_step": "0" }, "instrument.qty_step", "must be a number above 0"],
    [{ "run.leverage": "0" }, "run.leverage", "from 1 to 200"],
    [{ "run.maker_fee": "-100" }, "run.maker_fee", "above -100 and below 100"],
    [{ "run.timeframe_min": "7" }, "run.timeframe_min", "must divide 1440"],
    [{ "run.timeframe_min": "3" }, "run.timeframe_min", "multiple of a stored one (5m)"],
    [{ "range.mode": "bars", "range.bars": "5" }, "range.bars", "from 10 to 1000000"],
    [{ "range.mode": "period" }, "range.period", "Choose a saved period"],
    [
      { "range.mode": "dates", "range.from": "2020-01-01", "range.to": "2020-02-01" },
      "range.from",
      "holds no candles",
    ],
    [{ series: "999999" }, "series", "no longer stored"],
    [{ ...OTHER }, "series", "No candles of this market are stored"],
    [{ ...OTHER, "market.symbol": "??", fetch: "on" }, "market.symbol", "is not understood"],
    [{ funding: "on" }, "funding", "No rates are stored"],
    [{ name: "x".repeat(201) }, "name", "201 characters"],
  ];
  for (const [changes, field, sentence] of REFUSALS) {
    test(`${JSON.stringify(changes)} is refused at ${field}, and nothing is stored`, async () => {
      const before = await runCount();
      const answer = await made.trader.post("/backtest", await made.runnable(changes));
      const page = await answer.text();
      expect(answer.status).toBe(422);
      expect(problemAt(page, field)).toContain(sentence);
      expect(page).toContain(`href="#${field.replaceAll(".", "-")}"`);
      const shown = await fieldsOfForm(page, "backtest-form");
      for (const [name, text] of Object.entries(changes)) {
        if (name !== "funding" && name !== "series")
          expect([name, shown[name]]).toEqual([name, text]);
      }
      expect(await runCount()).toBe(before);
    });
  }

  test("all sentences at once, the cursor on the first refused field alone", async () => {
    const fields = await made.runnable({
      "run.leverage": "x",
      "config.rsi.length": "0",
      "config.general.max_entries": "",
    });
    const page = await (await made.trader.post("/backtest", fields)).text();
    expect(page).toContain("3 things keep this run from starting");
    // The others are in the frame: the search and the stop dialog.
    expect(page.match(/autofocus/g)?.length).toBe(3);
    expect(page).toMatch(/id="config-general-max_entries"[^>]*aria-invalid="true"[^>]*autofocus/);
    expect(page).toMatch(/<details open=""[^>]*>(?:(?!<\/details>).)*config-rsi-length/s);
  });

  test("what does not matter is no problem", async () => {
    const fields = await made.runnable({ "config.exits.sl_atr_mult": "abc", "range.bars": "" });
    expect((await made.trader.post("/backtest", fields)).status).toBe(303);
  });

  test("shorts on a spot market are refused at the direction", async () => {
    const market = { exchangeId: "kraken", symbol: "ETH/USDT", kind: "spot" } as const;
    const spot = await storeCandles(
      made.database.sql,
      made.world.scope,
      walkCandles(500),
      5,
      market,
    );
    const fields = { series: String(spot), direction: "short", "instrument.market": "" };
    const page = await (await made.trader.post("/backtest", await made.runnable(fields))).text();
    expect(page).toContain("Direction must be long only, because ETH/USDT is a spot market.");
  });

  test("an empty or a nonsensical post is a refused form, never an error", async () => {
    for (const fields of [{}, { series: "\0", direction: "x".repeat(999) }]) {
      const answer = await made.trader.post("/backtest", fields as Fields);
      expect(answer.status).toBe(422);
      expect((await made.trader.post("/backtest/preview", fields as Fields)).status).toBe(200);
      expect((await made.trader.post("/backtest/instrument", fields as Fields)).status).toBe(200);
      expect((await made.trader.post("/backtest/instrument/fetch", fields as Fields)).status).toBe(
        200,
      );
    }
  });
});

describe("what is filled in", () => {
  test("a series chosen elsewhere comes with its timeframe", async () => {
    const fields = await formOf(made.trader, `?series=${made.series}`);
    expect([fields["series"], fields["run.timeframe_min"]]).toEqual([String(made.series), "5"]);
  });

  test("a run that is not there, or of another workspace, is not found", async () => {
    const [run] = await made.database.sql<{ id: number }[]>`select id from runs limit 1`;
    const stranger = await made.signedIn("trader@beta.example");
    expect((await stranger.get(`/backtest?run=${run?.id}`)).status).toBe(404);
    expect((await made.trader.get("/backtest?run=999999")).status).toBe(404);
    expect((await made.trader.get("/backtest?run=x")).status).toBe(404);
    expect((await made.trader.get(`/backtest?run=${run?.id}`)).status).toBe(200);
  });

  test("inputs stay for their user, over sessions, until they are reset", async () => {
    await made.trader.post(
      "/backtest/preview",
      await made.runnable({ "config.macd.slow": "33", name: "mine" }),
    );
    const later = await made.signedIn("trader@alpha.example");
    const kept = await formOf(later);
    expect([kept["config.macd.slow"], kept["name"]]).toEqual(["33", "mine"]);
    const other = await formOf(await made.signedIn("owner@alpha.example"));
    expect(other["config.macd.slow"]).not.toBe("33");
    const answer = await later.post("/backtest/reset");
    expect(answer.headers.get("location")).toBe("/backtest?done=reset");
    const page = await (await later.get("/backtest?done=reset")).text();
    expect(page).toContain("back at its defaults");
    expect((await fieldsOfForm(page, "backtest-form"))["config.macd.slow"]).toBe("26");
  });

  test("inputs that were typed wrongly come back as they were typed", async () => {
    await made.trader.post(
      "/backtest/preview",
      await made.runnable({ "config.exits.sl_pct": "<b>" }),
    );
    expect((await formOf(made.trader))["config.exits.sl_pct"]).toBe("<b>");
    await made.trader.post("/backtest/reset");
  });
});
