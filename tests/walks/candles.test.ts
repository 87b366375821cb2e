// The candles page in a real browser: files by button and by drop, a broken file, a download with
// progress and cancel, coverage, export, delete; at a wide and a narrow window. The app runs in this
// process, because only here an exchange can be led to a fake one over loopback.
import { expect } from "bun:test";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { createMarketData } from "../../src/adapters/ccxt/market-data.ts";
import { createCandleRepository } from "../../src/adapters/postgres/candle-repository.ts";
import { createClock } from "../../src/adapters/system/clock.ts";
import { CANDLE_CSV_HEADER } from "../../src/model/candle-csv.ts";
import { createCandles } from "../../src/services/research/candles.ts";
import { createApp } from "../../src/web/app.tsx";
import { listen } from "../../src/web/server.ts";
import { seriousFindings } from "../support/axe.ts";
import { startBinance } from "../support/fake-exchange/binance.ts";
import { tooMany } from "../support/fake-exchange/server.ts";
import { makeWorld } from "../support/fake-exchange/world.ts";
import { silentLog } from "../support/silent-log.ts";
import { testIf } from "../support/needs.ts";
import { HEIGHTS, launch } from "../support/walker.ts";
import { PASSWORD, webCase, workspaceWith } from "../web/web-case.ts";

const SCREENSHOTS = process.env.DRAGON_TEST_SCREENSHOTS;
const FROM = Date.UTC(2024, 0, 1);
const MINUTE = 60_000;

/** Candles of five minutes with two holes and one line that says nothing good about its maker. */
function csvText(lines: number, change: (line: string, i: number) => string = (line) => line) {
  const rows: string[] = [];
  for (let i = 0; i < lines; i++) {
    if ((i > 400 && i < 420) || i === 700) continue;
    const price = 100 + Math.abs((i % 50) - 25) / 5;
    const row = `${FROM + i * 5 * MINUTE},${price},${price + 2},${price - 2},${price + 1},3`;
    rows.push(change(row, i));
  }
  return `${[CANDLE_CSV_HEADER, ...rows].join("\n")}\n`;
}

/** The app on a real port, with a Binance of this machine. */
async function started() {
  const world = makeWorld({ seed: 3, from: FROM, bars: 4000, holes: [[100, 130]] });
  const exchange = startBinance(world);
  const made = await webCase();
  const { sql } = made.database;
  const clock = { ...createClock(), now: () => world.now };
  const candles = createCandles({
    store: createCandleRepository(sql),
    market: createMarketData({ clock, log: silentLog, loopbackUrls: { binance: exchange.url } }),
    ...{ audit: made.audit, clock, log: silentLog },
  });
  const app = createApp({ ...made.deps, candles });
  const server = listen(app, { host: "127.0.0.1", port: 0 });
  const { viewer, trader } = await workspaceWith(made, "alpha");
  return {
    exchange,
    url: `http://127.0.0.1:${server.port}`,
    viewer: viewer.email,
    trader: trader.email,
    async stop() {
      made.deps.streams.closeAll();
      await candles.stop();
      await server.stop(500);
      exchange.stop();
      await made.database.drop();
    },
  };
}

type World = Awaited<ReturnType<typeof started>>;

/** Drives one page and collects what the browser complains about. */
function walker(page: Page) {
  const problems: string[] = [];
  const width = page.viewportSize()?.width ?? 0;
  page.on("console", (message) => {
    const isNoise = message.text().includes("status of 422");
    if (["error", "warning"].includes(message.type()) && !isNoise) problems.push(message.text());
  });
  page.on("pageerror", (error) => problems.push(String(error)));
  return {
    page,
    problems,
    /** A picture; nothing wider than the window, no target too small, nothing serious for axe-core. */
    async look(name: string) {
      if (SCREENSHOTS) {
        mkdirSync(SCREENSHOTS, { recursive: true });
        const path = join(SCREENSHOTS, `candles-${name}-${width}.png`);
        // Hiding the caret would need an inline style.
        await page.screenshot({ path, fullPage: true, caret: "initial" });
      }
      const overflow =
        "document.documentElement.scrollWidth - document.documentElement.clientWidth";
      expect([name, await page.evaluate(overflow)]).toEqual([name, 0]);
      const small = `[...document.querySelectorAll("button, input:not([type=hidden]), select, summary")]
        .filter((each) => each.offsetParent !== null && !each.matches(".menu-toggle"))
        .map((each) => each.closest(".choices label") ?? each)
        .filter((each) => each.getBoundingClientRect().height < 43.5)
        .map((each) => each.outerHTML.slice(0, 80))`;
      expect([name, await page.evaluate(small)]).toEqual([name, []]);
      expect([name, await seriousFindings(page)]).toEqual([name, []]);
    },
    /** Drops a file on the page, as a file manager does. */
    async drop(name: string, content: Uint8Array) {
      const encoded = Buffer.from(content).toString("base64");
      const data = await page.evaluateHandle(`(() => {
        const bytes = Uint8Array.from(atob("${encoded}"), (each) => each.charCodeAt(0));
        const transfer = new DataTransfer();
        transfer.items.add(new File([bytes], "${name}"));
        return transfer;
      })()`);
      for (const event of ["dragenter", "dragover", "drop"]) {
        await page.dispatchEvent("h1", event, { dataTransfer: data });
      }
    },
    async fillFile(symbol: string, exchange: string) {
      await page.fill("#fileSymbol", symbol);
      await page.fill("#fileExchange", exchange);
    },
  };
}

type Walker = ReturnType<typeof walker>;

async function signIn({ page }: Walker, { url }: World, email: string) {
  await page.goto(`${url}/login?next=%2Fcandles`);
  await page.fill("#email", email);
  await page.fill("#password", PASSWORD);
  await page.click("main button");
  await page.waitForURL(`${url}/candles`);
}

async function importByButton({ page, look, fillFile }: Walker) {
  await page.waitForSelector("text=No candles yet");
  await look("a1-empty");
  const [chooser] = await Promise.all([page.waitForEvent("filechooser"), page.click(".drop")]);
  const buffer = Buffer.from(csvText(3000));
  await chooser.setFiles({ name: "btc.csv", mimeType: "text/csv", buffer });
  expect(await page.textContent("#file-name")).toContain("btc.csv, ");
  await fillFile("BTC/USDT", "binance");
  await page.click("#import-form button[type=submit]");
  await page.waitForSelector("#activity .job:first-child .pill.green");
  const report = (await page.textContent("#activity .job:first-child")) ?? "";
  expect(report).toContain("2,980 added, 0 replaced, 0 unchanged");
  expect(report).toContain("2 gaps with 20 candles missing");
  await page.locator(".series-table .coverage").scrollIntoViewIfNeeded();
  await page.waitForSelector(".series-table .coverage rect.some");
  expect(await page.textContent(".series-table")).toContain("99.3%, 2 gaps");
  await look("a2-imported");
}

/** A slow line: how much has been sent is seen, and Stop leaves nothing behind. */
async function stopSending({ page, look, fillFile }: Walker) {
  const line = await page.context().newCDPSession(page);
  await line.send("Network.enable");
  const slow = { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 200_000 };
  await line.send("Network.emulateNetworkConditions", slow);
  const buffer = Buffer.from(csvText(300_000));
  await page.setInputFiles("#file", { name: "slow.csv", mimeType: "text/csv", buffer });
  await fillFile("SLOW/USDT", "binance");
  await page.click("#import-form button[type=submit]");
  await page.waitForSelector("#import-progress >> text=/[1-9].* sent$/");
  const share = Number(
    await page.locator("#import-progress progress").evaluate((bar) => Reflect.get(bar, "value")),
  );
  expect(share).toBeGreaterThan(0);
  expect(share).toBeLessThan(1);
  await look("a2-sending");
  await page.click("#import-stop");
  await page.waitForSelector("#import-result >> text=Sending was stopped.");
  await line.detach();
  await page.waitForSelector(
    "#activity .job:first-child >> text=before the whole file had arrived",
  );
  await page.reload();
  expect(await page.textContent("#series")).not.toContain("SLOW");
}

async function dropFiles({ page, look, drop, fillFile }: Walker) {
  const rows = () => page.locator(".series-table td:not(.coverage-cell)").allTextContents();
  const before = await rows();
  const bad = csvText(60, (line, i) => {
    if (i === 10) return line.replace(",3", ",-1");
    return i === 20 ? "nonsense" : line;
  });
  await drop("broken.csv", new TextEncoder().encode(bad));
  expect(await page.evaluate("document.activeElement.id")).toBe("fileSymbol");
  await fillFile("BTC/USDT", "binance");
  await page.click("#import-form button[type=submit]");
  await page.waitForSelector("#activity .job:first-child .problems");
  expect(
    await page.locator("#activity .job:first-child .problems tbody td.number").allTextContents(),
  ).toEqual(["12", "22"]);
  expect(await page.textContent("#activity .job:first-child")).toContain("Nothing was stored");
  await look("a3-refused");
  await page.reload();
  await page.waitForSelector(".series-table");
  expect(await rows()).toEqual(before);
  const packed = Bun.gzipSync(new TextEncoder().encode(csvText(500)));
  await drop("eth.csv.gz", packed);
  await fillFile("ETH/USDT:USDT", "okx");
  await page.click("#import-form button[type=submit]");
  await page.waitForSelector("#activity .job:first-child .pill.green");
  await page.waitForSelector(".series-table >> text=ETH/USDT");
  await look("a4-two-series");
}

async function fillDownload({ page }: Walker, symbol: string) {
  const isOpen = await page.locator("#download").getAttribute("open");
  if (isOpen === null) await page.click("#download > summary");
  await page.fill("#symbol", symbol);
  await page.selectOption("#exchange", "binance");
  await page.selectOption("#timeframe", "1m");
  await page.check("[name=range][value=dates]");
  await page.fill("#from", "2024-01-01");
  await page.click("#download-form button[type=submit]");
}

/** An answer that stays away until the test lets it come. */
function heldAnswer() {
  const { promise, resolve } = Promise.withResolvers<void>();
  const body = new ReadableStream({
    async start(controller) {
      await promise;
      controller.enqueue(new TextEncoder().encode("[]"));
      controller.close();
    },
  });
  return { answer: new Response(body), release: resolve };
}

async function downloadAndCancel(walk: Walker, world: World) {
  const { page, look } = walk;
  await fillDownload(walk, "what is this");
  await page.waitForSelector("#symbol-problem");
  expect(await page.textContent("#symbol-problem")).toContain("is not understood");
  await look("a5-form-refused");
  const held = heldAnswer();
  world.exchange.fault = () => (world.exchange.history().length > 3 ? held.answer : null);
  await fillDownload(walk, "BTC_PERP");
  await page.waitForSelector("#activity progress[value]");
  const share = Number(await page.getAttribute("#activity progress", "value"));
  expect(share).toBeGreaterThan(0.1);
  expect(share).toBeLessThan(0.9);
  await look("a6-downloading");
  await page.click("#activity >> text=Cancel");
  await page.waitForSelector("#activity .pill >> text=cancelled");
  held.release();
  world.exchange.fault = () => null;
  expect(await page.textContent("#activity")).toContain("goes on from there");
  await page.waitForSelector(".series-table >> text=BTC/USDT >> nth=1");
}

async function downloadToTheEnd(walk: Walker, world: World) {
  const { page, look } = walk;
  world.exchange.fault = () => tooMany("86400");
  await fillDownload(walk, "BTC/USDT:USDT");
  await page.waitForSelector("#activity .pill.red >> text=failed");
  expect(await page.textContent("#activity .job")).toContain("come back in 86400 s");
  world.exchange.fault = () => null;
  await fillDownload(walk, "BTC/USDT:USDT");
  await page.waitForSelector("#activity .job:first-child .pill.green");
  await page.waitForSelector(".series-table >> text=99.2%, 1 gap");
  await look("a7-downloaded");
}

async function oneSeries({ page, look }: Walker, world: World) {
  await page.click(".series-table >> text=BTC/USDT >> nth=0");
  await page.waitForSelector(".quality");
  expect(await page.textContent(".quality")).toContain("01/01/24 01:403030m 0s");
  await look("a8-series");
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.click("text=Export CSV"),
  ]);
  const file = readFileSync(await download.path(), "utf8").split("\r\n");
  expect(file[0]).toBe(CANDLE_CSV_HEADER);
  expect(file.length).toBeGreaterThan(2000);
  await page.click(".danger-zone summary");
  await page.fill("[name=confirm]", "ETH");
  await page.click(".danger-zone button");
  await page.waitForSelector(".danger-zone .problem");
  await look("a9-not-deleted");
  await page.fill("[name=confirm]", "BTC/USDT");
  await page.click(".danger-zone button");
  await page.waitForURL(`${world.url}/candles?done=deleted`);
  await look("a10-deleted");
}

async function asViewer(walk: Walker, world: World) {
  const { page, look } = walk;
  await page.context().clearCookies();
  await signIn(walk, world, world.viewer);
  await page.waitForSelector(".series-table");
  expect(await page.locator("#import, #download").count()).toBe(0);
  await page.click(".series-table >> text=ETH/USDT");
  await page.waitForSelector(".quality");
  expect(await page.locator(".danger-zone").count()).toBe(0);
  await look("a11-viewer");
}

/** Where a walk stood when it ended. */
async function last(page: Page | undefined, folder: string) {
  await page?.screenshot({ path: join(folder, "candles-last.png"), fullPage: true });
}

for (const [width, height] of HEIGHTS) {
  testIf(
    "browser",
    `candles come in by file and by download, and go again, ${width} px wide`,
    async () => {
      const world = await started();
      const browser = await launch();
      try {
        const walk = walker(await browser.newPage({ viewport: { width, height } }));
        walk.page.setDefaultTimeout(15_000);
        await signIn(walk, world, world.trader);
        await importByButton(walk);
        await stopSending(walk);
        await dropFiles(walk);
        await downloadAndCancel(walk, world);
        await downloadToTheEnd(walk, world);
        await oneSeries(walk, world);
        await asViewer(walk, world);
        expect(walk.problems).toEqual([]);
      } finally {
        if (SCREENSHOTS) await last(browser.contexts()[0]?.pages()[0], SCREENSHOTS);
        await browser.close();
        await world.stop();
      }
    },
    120_000,
  );
}
