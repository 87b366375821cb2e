// The run page in a real browser over real threads and a real database: a run that ends while somebody
// looks, charts and their zoom, rows and markers leading to each other, exports, mark, note, delete.
import { afterAll, beforeAll, expect } from "bun:test";
import { join } from "node:path";
import type { Browser, Locator, Page } from "playwright-core";
import { createCandleRepository } from "../../src/adapters/postgres/candle-repository.ts";
import type { RunId } from "../../src/ports/run-store.ts";
import { listen, type WebServer } from "../../src/web/server.ts";
import { dragon } from "../support/dragon.ts";
import { needs, testIf } from "../support/needs.ts";
import { storeCandles, walkCandles } from "../support/research-case.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { HEIGHTS, launch, PASSWORD, type Walker, walker } from "../support/walker.ts";
import { runCase } from "../web/run-case.ts";
import { type WebCase, webCase } from "../web/web-case.ts";

let made: WebCase;
let world: Awaited<ReturnType<typeof runCase>>;
let server: WebServer;
let browser: Browser;
let base = "";

beforeAll(async () => {
  if (!needs("browser").present) return;
  made = await webCase();
  world = await runCase(made, "alpha");
  server = listen(made.app, { host: "127.0.0.1", port: 0 });
  base = `http://127.0.0.1:${server.port}`;
  browser = await launch();
}, 60_000);

afterAll(async () => {
  await browser?.close();
  made?.deps.streams.closeAll();
  await server?.stop(1000);
  await made?.database.drop();
});

/** A signed-in trader at a window of this width. */
async function open(width: number): Promise<Walker> {
  const viewport = { width, height: HEIGHTS.get(width) ?? 900 };
  const context = await browser.newContext({ viewport, acceptDownloads: true });
  const walk = walker(await context.newPage());
  await walk.page.goto(`${base}/login`);
  await walk.fill({ email: world.trader.email, password: PASSWORD });
  await walk.page.click("main button");
  await walk.page.waitForURL(`${base}/`);
  await walk.page.waitForLoadState("load");
  return walk;
}

/** Waits until the chart has the buckets of its window. */
async function drawn(page: Page) {
  await page.waitForSelector("#charts[aria-busy=false][data-ready]");
}

/** Colours that occur in the canvas of a plot; a blank one has a single one. */
async function coloursOf(page: Page, name: string): Promise<number> {
  return (await page.evaluate(`(() => {
    const canvas = document.querySelector('[data-plot="${name}"] canvas');
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const found = new Set();
    for (let i = 0; i < data.length; i += 4) {
      found.add((data[i] << 24) | (data[i + 1] << 16) | (data[i + 2] << 8) | data[i + 3]);
    }
    return found.size;
  })()`)) as number;
}

const markersOf = async (page: Page) =>
  Number(await page.getAttribute('[data-plot="price"]', "data-markers"));

async function markerPlaces(page: Page) {
  const places = await page.evaluate(`document.querySelector('[data-plot="price"]').plot.markers`);
  return places as readonly { readonly x: number; readonly y: number }[];
}

/** Somewhere in the price chart that is a candle's and no marker's. */
async function freePlace(page: Page, box: { width: number; height: number }) {
  const markers = await markerPlaces(page);
  for (let x = 30; x < box.width - 20; x += 10) {
    for (const y of [box.height - 20, 20]) {
      if (markers.every((each) => Math.hypot(each.x - x, each.y - y) > 25)) return { x, y };
    }
  }
  throw new Error("markers are everywhere");
}

const paramsOf = (page: Page) => new URL(page.url()).searchParams;

async function plotBox(page: Page, name: string) {
  const over = page.locator(`[data-plot="${name}"] .u-over`);
  await over.scrollIntoViewIfNeeded();
  const box = await over.boundingBox();
  if (!box) throw new Error(`${name} is not drawn`);
  return box;
}

/** The last run of a queue that keeps the one thread busy for seconds. */
async function lastOfMany(): Promise<RunId> {
  const asked = Array.from({ length: 150 }, () => world.ask({ name: "a long queue" }));
  return Math.max(...(await Promise.all(asked))) as RunId;
}

async function endsByItself({ page, look }: Walker) {
  await page.goto(`${base}/runs/${await lastOfMany()}`);
  await page.waitForSelector("#run-progress");
  await page.waitForSelector("#charts");
  await drawn(page);
  expect(await page.textContent("h1")).toBe("a long queue");
  // A stream that tells nothing holds the page still for the picture.
  const silent = { status: 200, contentType: "text/event-stream", body: ": open\n\n" };
  await page.route("**/events", (route) => route.fulfill(silent));
  await page.goto(`${base}/runs/${await lastOfMany()}`);
  await page.waitForSelector("#run-progress");
  await look("r01-busy");
  await page.goto(`${base}/help`);
  await page.unroute("**/events");
}

async function charts(walk: Walker, id: RunId) {
  const { page } = walk;
  await page.goto(`${base}/runs/${id}`);
  await drawn(page);
  for (const name of ["equity", "drawdown", "price"]) {
    expect([name, (await coloursOf(page, name)) > 20]).toEqual([name, true]);
  }
  expect(await markersOf(page)).toBeGreaterThan(20);
  await walk.judge("r02-result");
  await page.click("text=Log scale");
  expect(await page.getAttribute("text=Log scale", "aria-pressed")).toBe("true");
}

async function zoom(walk: Walker) {
  const { page } = walk;
  const before = await markersOf(page);
  const box = await plotBox(page, "price");
  await page.mouse.move(box.x + box.width * 0.3, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.5, box.y + box.height / 2, { steps: 5 });
  await page.mouse.up();
  await page.waitForURL(/from=/);
  await drawn(page);
  const shown = { from: paramsOf(page).get("from"), to: paramsOf(page).get("to") };
  const days = (Date.parse(shown.to ?? "") - Date.parse(shown.from ?? "")) / 86_400_000;
  expect(days).toBeGreaterThan(9);
  expect(days).toBeLessThan(13);
  expect(await markersOf(page)).toBeLessThan(before);
  await walk.look("r03-zoomed");
  // The address alone brings the same stretch.
  const words = await page.textContent('[data-value="window"]');
  await page.reload();
  await drawn(page);
  expect(await page.textContent('[data-value="window"]')).toBe(words);
  for (const action of ["in", "left", "right", "out"]) {
    const address = page.url();
    await page.click(`[data-chart-action="${action}"]`);
    await page.waitForURL((url) => url.href !== address);
  }
  await page.focus('[data-chart-action="in"]');
  const address = page.url();
  await page.keyboard.press("ArrowLeft");
  await page.waitForURL((url) => url.href !== address);
  const again = await plotBox(page, "price");
  await page.mouse.dblclick(again.x + 40, again.y + 30);
  await page.waitForURL((url) => !url.searchParams.has("from"));
  await drawn(page);
  expect(await markersOf(page)).toBe(before);
}

async function cursors({ page }: Walker) {
  const box = await plotBox(page, "price");
  await page.mouse.move(box.x + box.width * 0.4, box.y + 20);
  await page.mouse.move(box.x + box.width * 0.5, box.y + 20, { steps: 3 });
  const left = (name: string) =>
    page.evaluate(`document.querySelector('[data-plot="${name}"]').plot.cursor.left`);
  const idx = (name: string) =>
    page.evaluate(`document.querySelector('[data-plot="${name}"]').plot.cursor.idx`);
  expect(Math.abs(Number(await left("equity")) - box.width * 0.5)).toBeLessThan(3);
  expect(await idx("equity")).toBe(await idx("price"));
  expect(await idx("drawdown")).toBe(await idx("price"));
  const widths = `[...document.querySelectorAll("[data-legend] dd")].map((each) => each.offsetWidth)`;
  const first = await page.evaluate(widths);
  await page.mouse.move(box.x + box.width * 0.8, box.y + 20, { steps: 3 });
  expect(await page.evaluate(widths)).toEqual(first);
}

async function rowsAndMarkers(walk: Walker) {
  const { page } = walk;
  await page.click('.tabs a[href*="tab=cycles"]');
  await page.waitForSelector("#run-panel[data-tab=cycles]");
  await page.click('th a[href*="sort=net"]');
  await page.waitForSelector("th[aria-sort=descending]");
  expect(paramsOf(page).get("sort")).toBe("net");
  await walk.look("r04-cycles");
  const row = await page.locator(".row-link").first().boundingBox();
  // Rows are dense under a mouse and high enough under a finger.
  expect(row?.height ?? 0).toBeGreaterThanOrEqual(walk.width > 760 ? 24 : 44);
  await page.locator(".row-link").nth(3).click();
  await page.waitForURL(/from=/);
  await drawn(page);
  const cycle = await page.locator("tr.is-found .row-link").textContent();
  expect(await markersOf(page)).toBeGreaterThan(1);
  await walk.look("r05-cycle-shown");
  // A marker in the middle of that stretch leads back to the row.
  await page.click('.tabs a[href*="tab=fills"]');
  await page.waitForSelector("#run-panel[data-tab=fills]");
  expect(paramsOf(page).has("from")).toBe(true);
  const box = await plotBox(page, "price");
  const places = await markerPlaces(page);
  const first = places[0];
  if (!first) throw new Error("no marker is drawn");
  await page.mouse.move(box.x + first.x, box.y + first.y);
  await page.waitForSelector(".chart-tip:not([hidden])");
  expect(await page.textContent(".chart-tip")).toContain("cycle");
  await page.mouse.click(box.x + first.x, box.y + first.y);
  await page.waitForSelector("#run-panel[data-tab=fills] tr.is-found");
  expect(await page.locator("tr.is-found").count()).toBe(1);
  expect(await page.locator("tr.is-found td").last().textContent()).toMatch(/^#\d+$/);
  expect(cycle).toMatch(/^#\d+$/);
  await walk.look("r06-fill-shown");
}

async function decision(walk: Walker) {
  const { page } = walk;
  const box = await plotBox(page, "price");
  const free = await freePlace(page, box);
  await page.mouse.click(box.x + free.x, box.y + free.y);
  await page.waitForSelector("#run-panel[data-tab=decision] .verdict");
  expect(await page.textContent(".verdict")).toMatch(/entry/i);
  expect(paramsOf(page).get("at")).toMatch(/^2024-/);
  await walk.look("r07-decision");
  const before = paramsOf(page).get("at");
  await page.click("text=Candle after");
  await page.waitForURL((url) => url.searchParams.get("at") !== before);
  await page.fill("#decision-at", "2031-01-01");
  await page.click("text=Explain");
  await page.waitForSelector("#decision-problem");
  expect(await page.textContent("#decision-problem")).toContain("pick a time within it");
}

async function otherTabs(walk: Walker) {
  const { page } = walk;
  for (const tab of ["analysis", "settings", "figures"]) {
    await page.click(`.tabs a[href*="tab=${tab}"]`);
    await page.waitForSelector(`#run-panel[data-tab=${tab}]`);
    await walk.judge(`r08-${tab}`);
  }
}

/** What the command prints for the files the page offers. */
async function sameAsCommand({ page }: Walker) {
  const folder = temporaryFolder();
  await page.click('.tabs a[href*="tab=settings"]');
  await page.waitForSelector("#run-panel[data-tab=settings]");
  const args: string[] = [];
  for (const name of ["config.json", "instrument.json", "run.json", "candles.csv"]) {
    const path = join(folder, name);
    await save(page, page.locator(`#run-panel a[download="${name}"]`).last(), path);
    args.push(`--${name.split(".")[0]}`, path);
  }
  const printed = await dragon(["backtest", ...args, "--json"]);
  expect([printed.code, printed.stderr]).toEqual([0, ""]);
  await page.click("summary >> text=Export");
  const exported = join(folder, "export.json");
  await save(page, page.locator('a[download$="export.json"]'), exported);
  expect(await Bun.file(exported).text()).toBe(printed.stdout);
}

async function save(page: Page, link: Locator, path: string) {
  const [download] = await Promise.all([page.waitForEvent("download"), link.click()]);
  await download.saveAs(path);
}

async function markAndDelete(walk: Walker) {
  const { page } = walk;
  const saved = () => page.waitForResponse((answer) => answer.url().endsWith("/shortlist"));
  await page.fill("#note", "typed, not saved");
  await Promise.all([saved(), page.click(".star")]);
  await page.waitForSelector(".star.on");
  expect(await page.inputValue("#note")).toBe("typed, not saved");
  await page.fill("#note", "steady <b>through</b> March");
  await Promise.all([saved(), page.click("text=Save note")]);
  await page.waitForSelector('#note[value="steady <b>through</b> March"]');
  await page.waitForSelector(".toast >> nth=1");
  await page.click("text=Rename");
  await page.fill("#name", "The steady one");
  await page.click("text=Save name");
  await page.waitForSelector("h1 >> text=The steady one");
  await page.reload();
  expect(await page.inputValue("#note")).toBe("steady <b>through</b> March");
  expect(await page.getAttribute(".star", "aria-pressed")).toBe("true");
  await walk.look("r09-marked");
  await page.click("text=Delete run…");
  await page.fill("input[name=confirm]", "delete");
  await page.click("form >> text=Delete run");
  await page.waitForSelector("text=nothing was deleted");
  await page.fill("input[name=confirm]", "DELETE");
  await page.click("form >> text=Delete run");
  await page.waitForURL(/\/runs\?done=deleted/);
}

for (const width of HEIGHTS.keys()) {
  testIf(
    "browser",
    `a trader watches a run end, reads it, exports and deletes it, ${width} px wide`,
    async () => {
      const walk = await open(width);
      await endsByItself(walk);
      const id = await world.finished({ name: "ETH, both sides" });
      await charts(walk, id);
      await zoom(walk);
      await cursors(walk);
      await rowsAndMarkers(walk);
      await decision(walk);
      await otherTabs(walk);
      walk.quiet(422);
      await sameAsCommand(walk);
      await markAndDelete(walk);
      walk.quiet(422);
      await walk.page.context().close();
    },
    180_000,
  );
}

testIf(
  "browser",
  "a run whose candles are gone still shows equity, cycles and fills, and says why",
  async () => {
    const walk = await open(1440);
    const { page } = walk;
    const market = { exchangeId: "kraken", symbol: "SOL/USDT:USDT", kind: "perps" as const };
    const { sql } = made.database;
    const series = await storeCandles(sql, world.scope, walkCandles(20_000), 5, market);
    const id = await world.finished({ market });
    await createCandleRepository(sql).deleteSeries(world.scope, series);
    await page.goto(`${base}/runs/${id}?tab=cycles`);
    await drawn(page);
    expect(await page.textContent("[data-chart-problem]")).toContain("equity, cycles and fills");
    expect(await coloursOf(page, "equity")).toBeGreaterThan(20);
    expect(await page.isVisible('[data-plot="price"]')).toBe(false);
    expect(await page.locator(".row-link").count()).toBeGreaterThan(10);
    await walk.look("r10-gone");
    walk.quiet();
    await page.context().close();
  },
  60_000,
);
