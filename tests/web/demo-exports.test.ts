// The watermark on every page of a workspace with a demo and in every file about it; files about anything else stay
// what they were, byte for byte.
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { RunId } from "../../src/ports/run-store.ts";
import { DEMO_WATERMARK } from "../../src/model/demo-watermark.ts";
import { parseCandleCsv } from "../../src/model/candle-csv.ts";
import { runCase } from "./run-case.ts";
import { browserOf, type TestBrowser, type WebCase, webCase } from "./web-case.ts";

const LIMIT_MS = 90_000;
const CELL = `,"${DEMO_WATERMARK}"`;
const FILES = ["export.json", "fills.csv", "cycles.csv"];

let made: WebCase;
let trader: TestBrowser;
let other: RunId;
let demoRun: RunId;
/** Files of a run that is not the demo's, before there was one. */
const before = new Map<string, string>();

const textOf = async (path: string) => (await trader.get(path)).text();
const fileOf = (id: RunId, name: string) => textOf(`/runs/${id}/${name}`);

beforeAll(async () => {
  made = await webCase({ hasDemoExchange: true });
  const world = await runCase(made, "alpha");
  trader = browserOf(made);
  await trader.signIn("trader@alpha.example");
  other = await world.finished();
  for (const name of FILES) before.set(name, await fileOf(other, name));
  before.set("runs.csv", await textOf("/runs.csv"));
  before.set("candles", await textOf(`/candles/${world.seriesId}/csv`));
  await trader.get("/");
  await trader.post("/demo/begin");
  const state = await made.deps.demo.state(world.scope);
  demoRun = state?.run?.id as RunId;
  await made.deps.runs.settled(world.scope, demoRun, LIMIT_MS);
}, LIMIT_MS);
afterAll(() => made.database.drop());

test("every page says it, whatever the page is about", async () => {
  for (const path of [
    "/",
    "/demo",
    "/runs",
    `/runs/${other}`,
    "/candles",
    "/accounts",
    "/account",
  ]) {
    expect([path, (await textOf(path)).includes(DEMO_WATERMARK)]).toEqual([path, true]);
  }
});

test("files of the demo's run say it: a first field, a last column", async () => {
  const { watermark, ...result } = JSON.parse(await fileOf(demoRun, "export.json"));
  expect(watermark).toBe(DEMO_WATERMARK);
  expect(result).toHaveProperty("fills_sha256");
  for (const name of ["fills.csv", "cycles.csv"]) {
    const [head, ...rows] = (await fileOf(demoRun, name)).split("\r\n");
    expect(head?.endsWith(",watermark")).toBe(true);
    expect(rows.pop()).toBe("");
    expect(rows.length).toBeGreaterThan(10);
    expect(rows.filter((row) => !row.endsWith(CELL))).toEqual([]);
  }
});

test("files of another run are what they were", async () => {
  for (const name of FILES) expect(await fileOf(other, name)).toBe(before.get(name) ?? "");
});

test("the list of runs has the column from the first demo run on, empty for the others", async () => {
  expect(before.get("runs.csv")).not.toContain("watermark");
  const [head, ...rows] = (await textOf("/runs.csv")).split("\r\n");
  expect(head?.endsWith(",watermark")).toBe(true);
  const marked = rows.filter((row) => row.endsWith(CELL));
  expect(marked.map((row) => row.split(",")[0])).toEqual([String(demoRun)]);
  const [plain] = rows.filter((row) => row.startsWith(`${other},`));
  expect(`${plain}\r\n`).toBe(`${(before.get("runs.csv") ?? "").split("\r\n")[1]},\r\n`);
});

test("candles of the demo say it in the name of their file and can be imported again", async () => {
  const { sql } = made.database;
  const series = await sql<{ id: number; exchangeId: string }[]>`
    select id, exchange_id from market_series`;
  for (const { id, exchangeId } of series) {
    const answer = await trader.get(`/candles/${id}/csv`);
    const name = answer.headers.get("content-disposition") ?? "";
    const isDemo = exchangeId === "demo";
    expect(name.includes('"demo-invented-prices_PERP-BTC-USDT_1m.csv"')).toBe(isDemo);
    const text = await answer.text();
    if (isDemo) expect(parseCandleCsv(Buffer.from(text)).length).toBeGreaterThan(10_000);
    else expect(text).toBe(before.get("candles") ?? "");
  }
  expect(series).toHaveLength(2);
});
