// The list of runs in real Chromium, wide and narrow: filter, sort, page, keys, marks, notes, columns,
// the file, deleting. The real app and a real database; the runs are stored, not computed.
import { expect } from "bun:test";
import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import type { RunOutcome } from "../../src/ports/run-store.ts";
import { listen } from "../../src/web/server.ts";
import { testIf } from "../support/needs.ts";
import { HEIGHTS, launch, PASSWORD, type Walker, walker } from "../support/walker.ts";
import { peopleOf, storeRun } from "../web/runs-grid-case.ts";
import { type WebCase, webCase } from "../web/web-case.ts";

const RUNS = 130;
const DAY_MS = 86_400_000;

/** Runs of every state and colour. */
async function seed(made: WebCase, scope: Parameters<typeof storeRun>[1]): Promise<void> {
  for (let k = 0; k < RUNS; k++) {
    const swing = Math.sin(k * 1.7);
    const metrics: Partial<RunOutcome["metrics"]> = {
      net_return: swing / 1.5,
      net_profit: swing * 1500,
      max_drawdown: Math.abs(Math.cos(k)) * 0.4,
      sharpe: k % 9 === 0 ? null : swing * 3,
      profit_factor: k % 20 === 1 ? null : Math.exp(swing),
      no_losses: k % 20 === 1,
      win_rate: 0.5 + swing / 3,
      cycles: 10 + k * 3,
      liquidated: k === 3,
    };
    const run = {
      name: k % 3 === 0 ? null : `Trial ${k} of a rather long name`,
      symbol: ["ETH/USDT:USDT", "BTC/USDT:USDT", "1000PEPE/USDT:USDT"][k % 3] ?? "",
      timeframeMin: [5, 15, 240][k % 3] ?? 5,
      direction: (["long", "short", "both"] as const)[k % 3] ?? "long",
      toAt: Date.UTC(2024, 1, 1) + (k % 40) * DAY_MS,
    };
    await storeRun(made, scope, run, k % 11 === 10 ? null : metrics, Date.now() - k * 3_600_000);
  }
}

const rowsOf = (page: Page) => page.locator(".grid tbody tr[data-id]");
const heads = (page: Page) =>
  page
    .locator(".grid th[data-key]")
    .evaluateAll((all) => all.map((each) => each.getAttribute("data-key")));

async function enter({ page, quiet }: Walker, url: string, email: string) {
  await page.goto(`${url}/login?next=/runs`);
  await page.fill("#email", email);
  await page.fill("#password", PASSWORD);
  await page.click("main button");
  await page.waitForURL(`${url}/runs`);
  await page.waitForLoadState("load");
  quiet();
}

async function filterAndSort({ page, judge, look, quiet }: Walker) {
  await judge("g01-runs");
  expect(await rowsOf(page).count()).toBe(100);
  await page.click(".more a");
  await rowsOf(page)
    .nth(RUNS - 1)
    .waitFor();
  expect(await rowsOf(page).count()).toBe(RUNS);
  expect(await page.locator(".more").count()).toBe(0);
  await page.selectOption("#filter-symbol", "BTC/USDT:USDT");
  await page.waitForURL(/symbol\.in=BTC/);
  await page.fill("#filter-return", "10");
  await page.press("#filter-return", "Enter");
  await page.waitForURL(/netReturn\.gte=10/);
  expect(page.url()).not.toContain("q=");
  await page.locator(".chip").nth(1).waitFor();
  expect(await page.locator(".chip").count()).toBe(2);
  await page.locator("th[data-key=sharpe] a").click();
  await page.waitForURL(/sort=-sharpe/);
  await page.waitForSelector("th[data-key=sharpe][aria-sort=descending]");
  await judge("g02-filtered");
  await page.locator("th[data-key=sharpe] .column-menu").click();
  await page.fill("#column-filter [name=value] >> nth=0", "1");
  await page.selectOption("#column-filter [name=operator] >> nth=0", "gt");
  await look("g03-column-filter");
  await page.click("text=Apply the filter");
  await page.waitForURL(/sharpe\.gt=1/);
  await page.waitForSelector('.chip:has-text("Sharpe > 1")');
  expect(await page.locator(".chip").allTextContents()).toContain("Sharpe > 1×");
  await page.locator("th[data-key=status] .column-menu").scrollIntoViewIfNeeded();
  await page.locator("th[data-key=status] .column-menu").click();
  await page.check("#column-filter [value=failed]");
  await look("g04-set-filter");
  await page.click("text=Apply the filter");
  await page.waitForSelector("text=No run matches these filters.");
  await judge("g05-nothing");
  await page.click("text=Clear all");
  await page.waitForSelector(".grid");
  expect(await rowsOf(page).count()).toBe(100);
  quiet();
}

async function keys({ page, quiet, look }: Walker) {
  await page.locator("h1").click();
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await page.keyboard.press("k");
  await page.keyboard.press("j");
  const second = await rowsOf(page).nth(1).getAttribute("data-id");
  const isFocused = () => page.waitForSelector(`tr[data-id="${second}"]:focus`);
  await isFocused();
  await page.keyboard.press("x");
  const star = rowsOf(page).nth(1).locator(".star");
  await page.waitForSelector(`tr[data-id="${second}"] .star[aria-pressed=true]`);
  await page.keyboard.press("n");
  await page.keyboard.type("worth a second look");
  await look("g06-note");
  await page.keyboard.press("Enter");
  await page.waitForSelector(`tr[data-id="${second}"] .note:text("worth a second look")`);
  await isFocused();
  await page.reload();
  expect(await star.getAttribute("aria-pressed")).toBe("true");
  expect(await rowsOf(page).nth(1).locator(".note").textContent()).toBe("worth a second look");
  await rowsOf(page).nth(1).focus();
  await page.keyboard.press("Enter");
  await page.waitForURL(`**/runs/${second}`);
  // The run's charts write the address too: going back has ended when the list is there again.
  await page.goBack();
  await page.waitForURL(/\/runs(\?|$)/);
  await rowsOf(page).nth(1).waitFor();
  quiet();
}

async function columns({ page, judge, quiet }: Walker) {
  const before = await heads(page);
  await page.click("text=Columns");
  await page.uncheck("#columns [value=name]");
  await page.check("#columns [value=calmar]");
  const item = page.locator('#columns li[data-key="calmar"]');
  await item.locator("[data-move=up]").click();
  // Sharpe goes up eight places by its arrow; the timeframe is dragged above the day it was made.
  for (let k = 0; k < 8; k++) await page.click('#columns li[data-key="sharpe"] [data-move=up]');
  const target = page.locator('#columns li[data-key="createdAt"]');
  await target.scrollIntoViewIfNeeded();
  await page
    .locator('#columns li[data-key="timeframeMin"]')
    .dragTo(target, { targetPosition: { x: 30, y: 4 } });
  await judge("g07-columns");
  await Promise.all([page.waitForEvent("load"), page.click("text=Save the columns")]);
  const after = await heads(page);
  expect(after).not.toContain("name");
  expect(after).toContain("calmar");
  expect(after.slice(0, 4)).toEqual(["symbol", "timeframeMin", "createdAt", "sharpe"]);
  await page.locator("th[data-key=sharpe] a").focus();
  // The page saves once the keys rest: on a slow machine the first save may know fewer of them.
  const isLast = encodeURIComponent("sharpe:15");
  const saved = page.waitForResponse(
    (answer) =>
      answer.url().endsWith("/runs/columns") &&
      (answer.request().postData() ?? "").includes(isLast),
  );
  for (let k = 0; k < 3; k++) await page.keyboard.press("Alt+ArrowRight");
  await saved;
  await page.reload();
  expect(await page.getAttribute("th[data-key=sharpe]", "data-width")).toBe("15");
  const wide = await page.locator("th[data-key=sharpe]").boundingBox();
  expect(Math.round(wide?.width ?? 0)).toBeGreaterThanOrEqual(120);
  await page.click("text=Columns");
  await Promise.all([page.waitForEvent("load"), page.click("text=Back to the usual ones")]);
  expect(await heads(page)).toEqual(before);
  quiet();
}

async function fileAndDelete({ page, judge, quiet }: Walker) {
  const [download] = await Promise.all([page.waitForEvent("download"), page.click("text=CSV")]);
  const text = readFileSync(await download.path(), "utf8");
  expect(text.trimEnd().split("\r\n").length).toBe(1 + RUNS);
  await rowsOf(page).nth(0).locator("[name=id]").check();
  await rowsOf(page).nth(2).locator("[name=id]").check();
  const doomed = await rowsOf(page).nth(0).getAttribute("data-id");
  await page.click("text=Delete the selected runs");
  await page.waitForSelector("text=Delete 2 runs?");
  await judge("g08-delete");
  await page.fill("#confirm", "no");
  await page.click("button.danger");
  await page.waitForSelector("[role=alert]");
  quiet(422);
  await page.fill("#confirm", "DELETE");
  await page.click("button.danger");
  await page.waitForSelector("text=2 runs are deleted.");
  expect(await page.locator(`tr[data-id="${doomed}"]`).count()).toBe(0);
  quiet();
}

for (const [width, height] of HEIGHTS) {
  testIf(
    "browser",
    `somebody finds, marks, files and deletes runs in the list, ${width} px wide`,
    async () => {
      const made = await webCase();
      const people = await peopleOf(made, "walk");
      await seed(made, { ...people.scope, userId: people.trader.id });
      const web = listen(made.app, { host: "127.0.0.1", port: 0 });
      const url = `http://127.0.0.1:${web.port}`;
      const browser = await launch();
      try {
        const walk = walker(await browser.newPage({ viewport: { width, height } }));
        await enter(walk, url, people.trader.email);
        await filterAndSort(walk);
        await keys(walk);
        await columns(walk);
        await fileAndDelete(walk);
        walk.quiet();
      } finally {
        await browser.close();
        await web.stop(1000);
        await made.database.drop();
      }
    },
    120_000,
  );
}
