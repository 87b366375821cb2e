// Scenarios of the run page: who may do what, what every address answers, what a change leaves, and
// exports against the engine itself. Real threads, real database.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { someMetrics } from "../support/runs.ts";
import { HELP_TOPICS } from "../../views/help/index.ts";
import { createCandleRepository } from "../../src/adapters/postgres/candle-repository.ts";
import type { RunId } from "../../src/ports/run-store.ts";
import type { ChartData } from "../../src/services/research/chart-data.ts";
import { RUN_TABS } from "../../src/web/routes/run-query.ts";
import { storeCandles, walkCandles } from "../support/research-case.ts";
import { runCase } from "./run-case.ts";
import { browserOf, type TestBrowser, type WebCase, webCase } from "./web-case.ts";

let made: WebCase;
let world: Awaited<ReturnType<typeof runCase>>;
let foreign: Awaited<ReturnType<typeof runCase>>;
let run: RunId;
let trader: TestBrowser;
let viewer: TestBrowser;
let stranger: TestBrowser;

beforeAll(async () => {
  made = await webCase();
  world = await runCase(made, "alpha");
  foreign = await runCase(made, "beta", 100);
  run = await world.finished({ name: "seen by many" });
  const signedIn = async (email: string) => {
    const browser = browserOf(made);
    await browser.signIn(email);
    return browser;
  };
  trader = await signedIn(world.trader.email);
  viewer = await signedIn(world.viewer.email);
  stranger = await signedIn(foreign.owner.email);
}, 60_000);
afterAll(() => made.database.drop());

const AJAX = { "hx-request": "true" };

type Look = readonly [
  name: string,
  path: () => string,
  status: number,
  contains: readonly string[],
  lacks?: readonly string[],
];

const LOOKS: readonly Look[] = [
  [
    "the page of a finished run",
    () => `/runs/${run}`,
    200,
    ["seen by many", "Net profit", "Max drawdown", "ETH/USDT", "▲ LONG", "▼ SHORT", "this page"],
    ["undefined", "NaN", "[object"],
  ],
  ["cycles", () => `/runs/${run}/panel?tab=cycles`, 200, ["#1", "TP_PCT", "Page 1 of 2"]],
  [
    "cycles by net",
    () => `/runs/${run}/panel?tab=cycles&sort=net&dir=desc`,
    200,
    ['aria-sort="descending"', 'data-query="tab=cycles&amp;sort=net&amp;dir=desc"'],
  ],
  [
    "the page of the marked cycle",
    () => `/runs/${run}/panel?tab=cycles&cycle=52`,
    200,
    ['class="is-found"', "Page 2 of 2"],
  ],
  [
    "a table page beyond the last",
    () => `/runs/${run}/panel?tab=cycles&page=99`,
    200,
    ["Page 2 of 2"],
    ["Next →"],
  ],
  ["fills", () => `/runs/${run}/panel?tab=fills`, 200, ["ENTRY", "taker", "Page 1 of 3"]],
  [
    "the analysis",
    () => `/runs/${run}/panel?tab=analysis`,
    200,
    ["Jan", "Exit reasons", "<circle"],
  ],
  ["the settings", () => `/runs/${run}/panel?tab=settings`, 200, ["exits.sl_pct", "changed"]],
  [
    "the settings as files without what only the page knows",
    () => `/runs/${run}/run.json`,
    200,
    ['"timeframe_min": 5', '"leverage": 3'],
    ["with_funding", "fetch_missing"],
  ],
  [
    "a decision",
    () => `/runs/${run}/panel?tab=decision&at=2024-02-01T10:00Z`,
    200,
    ["entry", "Trend filter", "RSI vote", "at=2024-02-01T09:55Z", "at=2024-02-01T10:05Z"],
  ],
  [
    "a decision outside the window",
    () => `/runs/${run}/panel?tab=decision&at=2025-01-01`,
    422,
    ["pick a time within it", 'aria-invalid="true"'],
  ],
  [
    "a typed time that is none",
    () => `/runs/${run}?tab=decision&at=${encodeURIComponent("<soon>")}`,
    422,
    ["&lt;soon&gt;", "is not a date such as", 'aria-invalid="true"', "Net profit"],
  ],
  [
    "a tab that does not exist",
    () => `/runs/${run}?tab=secrets`,
    400,
    ["secrets", "figures, cycles, fills, analysis, decision, settings"],
  ],
  ["an unknown order", () => `/runs/${run}/panel?tab=cycles&sort=pnl`, 400, ["pnl", "avg_entry"]],
  ["a page that is no number", () => `/runs/${run}?tab=fills&page=0`, 400, ["page", "from 1"]],
  ["half a window", () => `/runs/${run}?from=2024-02-01`, 400, ["give both or none"]],
  [
    "a window the wrong way round",
    () => `/runs/${run}/chart.json?from=2024-02-02&to=2024-02-01`,
    400,
    ["must be after from"],
  ],
  ["a window that is no time", () => `/runs/${run}?from=soon&to=later`, 400, ["soon"]],
  ["too many buckets", () => `/runs/${run}/chart.json?buckets=100000`, 400, ["50 to 2000"]],
  ["no run", () => "/runs/999999", 404, ["Not found"]],
  ["an id that is none", () => "/runs/12x", 404, []],
  ["the panel of no run", () => "/runs/999999/panel", 404, []],
];

for (const [name, path, status, contains, lacks = []] of LOOKS) {
  test(`GET: ${name}`, async () => {
    const answer = await viewer.get(path());
    const text = await answer.text();
    expect(answer.status).toBe(status);
    for (const part of contains) expect(text).toContain(part);
    for (const part of lacks) expect(text).not.toContain(part);
  });
}

test("every piece and file of a run is not found from another workspace", async () => {
  const pieces = ["", "/panel", "/chart.json", "/events", "/export.json", "/fills.csv"];
  for (const piece of [...pieces, "/cycles.csv", "/config.json", "/run.json", "/instrument.json"]) {
    const answer = await stranger.get(`/runs/${run}${piece}`);
    expect([piece, answer.status]).toEqual([piece, 404]);
    expect(await answer.text()).not.toContain("seen by many");
  }
  for (const change of ["name", "shortlist", "cancel", "delete"]) {
    const fields = { name: "taken", shortlisted: "yes", note: "x", confirm: "DELETE" };
    const answer = await stranger.post(`/runs/${run}/${change}`, fields);
    expect([change, answer.status]).toEqual([change, 404]);
  }
  expect((await made.deps.runs.find(world.scope, run))?.name).toBe("seen by many");
});

test("a viewer sees no way to rename, cancel, run again or delete, and is refused", async () => {
  const page = await (await viewer.get(`/runs/${run}`)).text();
  for (const word of ["Rename", "Re-run", "Delete run"]) expect(page).not.toContain(word);
  for (const change of ["name", "cancel", "delete"]) {
    const answer = await viewer.post(`/runs/${run}/${change}`, { name: "x", confirm: "DELETE" });
    expect([change, answer.status]).toEqual([change, 403]);
  }
});

test("mark and note belong to the one who set them", async () => {
  const fields = { shortlisted: "yes", note: "  mine alone " };
  const answer = await viewer.post(`/runs/${run}/shortlist`, fields, AJAX);
  expect(answer.status).toBe(200);
  expect(JSON.parse(answer.headers.get("hx-trigger") ?? "{}").toast.tone).toBe("done");
  expect(await answer.text()).toContain('value="mine alone"');
  expect(await (await viewer.get(`/runs/${run}`)).text()).toContain('aria-pressed="true"');
  const others = await (await trader.get(`/runs/${run}`)).text();
  expect(others).not.toContain("mine alone");
  expect(others).not.toContain('class="star on"');
});

test("a mark alone keeps the note, and a note alone keeps the mark", async () => {
  const id = await world.finished();
  const markOf = async () => {
    const found = await made.deps.runs.find(world.scope, id);
    return [found?.isShortlisted, found?.note];
  };
  await trader.post(`/runs/${id}/shortlist`, { note: "first" });
  expect(await markOf()).toEqual([false, "first"]);
  await trader.post(`/runs/${id}/shortlist`, { shortlisted: "yes" });
  expect(await markOf()).toEqual([true, "first"]);
  await trader.post(`/runs/${id}/shortlist`, { note: "" });
  expect(await markOf()).toEqual([true, null]);
});

const REFUSED: readonly (readonly [string, Record<string, string>, string])[] = [
  ["name", { name: "n".repeat(201) }, "201 characters; 200 are allowed"],
  ["name", { name: "n".repeat(5000) }, "5000 characters; 200 are allowed"],
  ["shortlist", { shortlisted: "yes", note: "n".repeat(2001) }, "2001 characters; 2000"],
  ["shortlist", { shortlisted: "perhaps", note: "lost?" }, "perhaps"],
];

test("a name or note that is refused leaves what was there, with and without a script", async () => {
  await trader.post(`/runs/${run}/shortlist`, { shortlisted: "yes", note: "kept" });
  for (const [change, fields, sentence] of REFUSED) {
    for (const headers of [{}, AJAX]) {
      const answer = await trader.post(`/runs/${run}/${change}`, fields, headers);
      expect(answer.status).toBe(422);
      expect(await answer.text()).toContain(sentence);
    }
  }
  const after = await made.deps.runs.find(world.scope, run);
  expect([after?.name, after?.note, after?.isShortlisted]).toEqual(["seen by many", "kept", true]);
});

test("a name is saved and taken away again; without a script the page comes back", async () => {
  const id = await world.finished({ name: "first" });
  const answer = await trader.post(`/runs/${id}/name`, { name: " <b>second</b> " });
  expect([answer.status, answer.headers.get("location")]).toEqual([
    303,
    `/runs/${id}?done=renamed`,
  ]);
  const page = await (await trader.get(`/runs/${id}?done=renamed`)).text();
  expect(page).toContain("&lt;b&gt;second&lt;/b&gt;");
  expect(page).toContain("The name is saved.");
  await trader.post(`/runs/${id}/name`, { name: "  " });
  expect((await made.deps.runs.find(world.scope, id))?.name).toBeNull();
  expect(await (await trader.get(`/runs/${id}`)).text()).toContain(`Run ${id}</h1>`);
});

test("a run is deleted only by its typed word, and then it is gone", async () => {
  const id = await world.finished();
  const refused = await trader.post(`/runs/${id}/delete`, { confirm: "delete" });
  expect(refused.status).toBe(422);
  expect(await refused.text()).toContain("nothing was deleted");
  const answer = await trader.post(`/runs/${id}/delete`, { confirm: "DELETE" });
  expect([answer.status, answer.headers.get("location")]).toEqual([303, "/runs?done=deleted-1"]);
  expect((await trader.get(`/runs/${id}`)).status).toBe(404);
});

test("a waiting run is cancelled from its page and can be edited and run again", async () => {
  const asked = await Promise.all(Array.from({ length: 60 }, () => world.ask()));
  const last = Math.max(...asked) as RunId;
  const busy = await (await trader.get(`/runs/${last}`)).text();
  expect(busy).toContain("Cancel run");
  expect(busy).toContain(`/runs/${last}/events`);
  const kept = await trader.post(`/runs/${last}/delete`, { confirm: "DELETE" });
  expect(kept.status).toBe(409);
  expect((await trader.post(`/runs/${last}/cancel`)).status).toBe(303);
  const page = await (await trader.get(`/runs/${last}?done=cancelled`)).text();
  expect(page).toContain("The run was cancelled");
  expect(page).toContain(`/backtest?run=${last}`);
  expect((await trader.get(`/runs/${last}/export.json`)).status).toBe(409);
});

test("the stream tells the progress and ends with the run", async () => {
  const asked = await Promise.all(Array.from({ length: 20 }, () => world.ask()));
  const last = Math.max(...asked) as RunId;
  const answer = await trader.get(`/runs/${last}/events`);
  expect(answer.headers.get("content-type")).toContain("text/event-stream");
  const text = await answer.text();
  expect(text).toContain("Waiting for a free thread");
  expect(text.trimEnd().endsWith("event: ended\ndata:")).toBe(true);
  expect(text).toContain('data-stage="ended"');
  expect((await made.deps.runs.find(world.scope, last))?.status).toBe("finished");
});

test("chart columns of a long window stay small, hold every fill's price and agree with the record", async () => {
  const answer = await viewer.get(`/runs/${run}/chart.json?buckets=2000`);
  const text = await answer.text();
  expect(text.length).toBeLessThan(300_000);
  const data = JSON.parse(text) as ChartData;
  expect(data.at.length).toBeGreaterThan(1000);
  const record = await made.deps.runs.record(world.scope, run);
  const counted = data.fills.reduce((sum, { count }) => sum + count, 0);
  expect(counted).toBe(record?.fills.length ?? -1);
  const part = await viewer.get(
    `/runs/${run}/chart.json?from=2024-02-01&to=2024-02-02&buckets=600`,
  );
  expect(((await part.json()) as ChartData).bucketMs).toBe(300_000);
});

test("a run whose candles changed says so and keeps what it has", async () => {
  const market = { exchangeId: "okx", symbol: "ETH/USDT:USDT", kind: "perps" as const };
  const { sql } = made.database;
  const candles = walkCandles(20_000);
  const series = await storeCandles(sql, world.scope, candles, 5, market);
  const id = await world.finished({ market });
  candles.close[15_000]! += 0.01;
  candles.high[15_000]! += 0.01;
  await createCandleRepository(sql).mergeCandles(
    world.scope,
    series,
    { series: candles },
    made.clock.now(),
  );
  const chart = (await (await viewer.get(`/runs/${id}/chart.json`)).json()) as {
    gap: string;
    sentence: string;
    equity: { at: number[] };
  };
  expect(chart.gap).toBe("candles_changed");
  expect(chart.sentence).toContain("equity, cycles and fills are kept");
  expect(chart.equity.at.length).toBeGreaterThan(100);
  const at = "2024-02-01T10:00Z";
  const decision = await (await viewer.get(`/runs/${id}/panel?tab=decision&at=${at}`)).text();
  expect(decision).toContain("not those this run was computed from");
  expect((await viewer.get(`/runs/${id}/fills.csv`)).status).toBe(200);
});

test("a run without a trade has no empty tables but the reason", async () => {
  const config = {
    general: { initial_entry_sizing_mode: "fixed_usd", initial_entry_fixed_usd: 0 },
  };
  const id = await world.finished({ config });
  for (const tab of RUN_TABS) {
    const answer = await viewer.get(`/runs/${id}?tab=${tab}`);
    expect([tab, answer.status]).toEqual([tab, 200]);
    const page = await answer.text();
    expect(page).not.toContain("NaN");
    expect(page).toContain("Nothing was traded.");
  }
});

test("fills and cycles are CSV: ISO times, plain decimals, one line each", async () => {
  const record = await made.deps.runs.record(world.scope, run);
  const read = async (name: string) => {
    const answer = await viewer.get(`/runs/${run}/${name}`);
    expect(answer.headers.get("content-disposition")).toContain(`run-${run}-${name}`);
    return (await answer.text()).split("\r\n");
  };
  const fills = await read("fills.csv");
  expect(fills[0]).toBe("time,side,position_side,price,qty,fee,liquidity,reason,cycle");
  expect(fills.length).toBe((record?.fills.length ?? 0) + 2);
  expect(fills[1]).toMatch(/^2024-01-\d\dT[\d:]+Z,(BUY|SELL),(LONG|SHORT),[\d.]+,[\d.]+,[\d.]+,/);
  const cycles = await read("cycles.csv");
  expect(cycles.length).toBe((record?.cycles.length ?? 0) + 2);
  expect(cycles.join("\n")).not.toMatch(/\de-\d/);
});

test("the manual explains every metric, and none that does not exist", () => {
  const topic = HELP_TOPICS.find(({ name }) => name === "results");
  const keys = [...(topic?.markdown ?? "").matchAll(/^\| `(\w+)` \|/gm)].map(([, key]) => key);
  expect(keys.sort()).toEqual(Object.keys(someMetrics).sort());
});
