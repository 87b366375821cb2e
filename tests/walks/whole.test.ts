// The whole of Dragon as a stranger gets it: the one file in an empty folder, a real browser, from the
// printed link to the exported list of runs; and a newcomer's first two minutes by the clock.
import { afterAll, beforeAll, expect } from "bun:test";
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { sampleCandles } from "../../src/engine/sample-candles.ts";
import { CANDLE_CSV_HEADER } from "../../src/model/candle-csv.ts";
import { DAY_MS } from "../../src/model/time.ts";
import { type Serving, serving } from "../support/dragon.ts";
import { BUILD_LIMIT_MS, executableFolder } from "../support/executable.ts";
import { needs, testIf } from "../support/needs.ts";
import { becomeOwner, HEIGHTS, launch, PASSWORD, type Walker, walker } from "../support/walker.ts";

const LIMIT_MS = 120_000;
/** What a newcomer may need from the start of the program to a result on the screen. */
const NEWCOMER_MS = 120_000;

let folder = "";

beforeAll(async () => {
  if (needs("browser").present) folder = await executableFolder();
}, BUILD_LIMIT_MS);
afterAll(() => {
  if (folder !== "") rmSync(folder, { recursive: true, force: true });
});

/** Starts the executable in a folder of its own, in which nothing else lies. */
async function start(name: string): Promise<Serving> {
  const cwd = join(folder, name);
  mkdirSync(cwd, { mode: 0o755 });
  expect(readdirSync(cwd)).toEqual([]);
  const env = { DRAGON_DATA_DIR: join(cwd, "data") };
  return serving([join(folder, "dragon"), "serve"], { cwd, env });
}

/** Half a year of candles of a market nobody trades, as the CSV of the manual. */
function history(): Buffer {
  const to = Math.floor(Date.now() / DAY_MS) * DAY_MS;
  const made = sampleCandles({
    ...{ seed: 5, timeframeMin: 15, from: to - 220 * DAY_MS, to },
    ...{ startPrice: 2000, tick: 0.01 },
  });
  const rows = Array.from({ length: made.length }, (_, i) =>
    [made.openAt, made.open, made.high, made.low, made.close, made.volume]
      .map((column) => column[i])
      .join(","),
  );
  return Buffer.from([CANDLE_CSV_HEADER, ...rows].join("\n"));
}

async function signInAgain({ page, fill, menu, judge }: Walker, running: Serving) {
  await menu();
  await page.click(".who >> text=Sign out");
  await page.waitForSelector("text=You are signed out");
  await judge("w1-signed-out");
  await fill({ email: "ann@example.org", password: PASSWORD });
  await page.click("main button");
  await page.waitForURL(`${running.url}/`);
}

async function importHistory({ page, judge, menu }: Walker) {
  await menu();
  await page.click("nav >> text=Candles");
  await page.waitForURL("**/candles");
  if (!(await page.isVisible("#fileSymbol"))) await page.click("#import summary");
  await page.setInputFiles("#file", {
    ...{ name: "eth.csv", mimeType: "text/csv", buffer: history() },
  });
  await page.fill("#fileSymbol", "ETH/USDT:USDT");
  await page.fill("#fileExchange", "binance");
  await page.click("#import-form button[type=submit]");
  await page.waitForSelector("#activity .job:first-child .pill.green");
  await page.locator(".series-table .coverage").scrollIntoViewIfNeeded();
  await page.waitForSelector(".series-table .coverage rect");
  await judge("w2-candles");
}

async function backtest({ page, judge, menu }: Walker) {
  await menu();
  await page.click("nav >> text=Backtest");
  await page.waitForURL("**/backtest");
  await page.fill("#name", "first look");
  const rules = { price_tick: "0.01", qty_step: "0.001", min_notional: "5" };
  for (const [field, value] of Object.entries(rules)) {
    await page.fill(`[name="instrument.${field}"]`, value);
  }
  await judge("w3-backtest");
  await page.click("button:has-text('Run backtest')");
  await page.waitForURL("**/runs/*");
  await page.waitForSelector("text=Max drawdown");
  await page.waitForSelector("canvas");
  expect(await page.textContent("h1")).toContain("first look");
  await judge("w4-run");
}

async function grid({ page, judge, menu }: Walker, running: Serving) {
  await menu();
  await page.click("nav >> text=Runs");
  await page.waitForURL("**/runs");
  await page.waitForSelector("main a[href^='/runs/1']");
  await judge("w5-runs");
  const search = async (text: string) => {
    await page.fill(".filter-bar [type=search]", text);
    await page.keyboard.press("Enter");
    await page.waitForURL((url) => url.searchParams.get("q") === text);
  };
  await search("nothing like this");
  expect(await page.locator("main a[href^='/runs/1']").count()).toBe(0);
  await judge("w6-runs-none");
  await search("first look");
  await page.waitForSelector("main a[href^='/runs/1']");
  const [file] = await Promise.all([page.waitForEvent("download"), page.click("main a[download]")]);
  const csv = await Bun.file((await file.path()) ?? "").text();
  expect(csv.trim().split("\n")).toHaveLength(2);
  expect(csv).toContain("first look");
  expect(page.url()).toStartWith(`${running.url}/runs?`);
}

for (const [width, height] of HEIGHTS) {
  testIf(
    "browser",
    `from the link to the exported list with the one file, ${width} px wide`,
    async () => {
      const running = await start(`walk-${width}`);
      const browser = await launch();
      try {
        const walk = walker(await browser.newPage({ viewport: { width, height } }));
        await becomeOwner(walk, running);
        await walk.judge("w0-start");
        await signInAgain(walk, running);
        await importHistory(walk);
        await backtest(walk);
        await grid(walk, running);
        await walk.menu();
        await walk.page.click(".who >> text=Sign out");
        await walk.page.waitForSelector("text=You are signed out");
        walk.quiet();
      } finally {
        await browser.close();
        expect(await running.stop()).toBe(0);
      }
    },
    LIMIT_MS,
  );
}

testIf(
  "browser",
  "a newcomer reads a first backtest within two minutes of starting the one file",
  async () => {
    const browser = await launch();
    const beganMs = performance.now();
    const running = await start("newcomer");
    try {
      const walk = walker(await browser.newPage({ viewport: { width: 1366, height: 768 } }));
      const { page } = walk;
      await becomeOwner(walk, running);
      await page.click("text=Try with sample candles");
      await page.waitForURL("**/backtest?series=*");
      await page.click("button:has-text('Run backtest')");
      await page.waitForURL("**/runs/*");
      await page.waitForSelector("canvas");
      expect(await page.textContent("main")).toContain("Max drawdown");
      const tookMs = performance.now() - beganMs;
      console.log(`newcomer: ${(tookMs / 1000).toFixed(1)} s without reading and typing`);
      expect(tookMs).toBeLessThan(NEWCOMER_MS);
      walk.quiet();
    } finally {
      await browser.close();
      expect(await running.stop()).toBe(0);
    }
  },
  LIMIT_MS,
);
