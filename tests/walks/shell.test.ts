// The frame in a real browser: keys, search, key help, toasts, focus; and every page that needs no data
// judged by axe-core, at a wide and a narrow window.
import { afterAll, beforeAll, expect } from "bun:test";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { seriousFindings } from "../support/axe.ts";
import { dataFolder, SERVE, type Serving, serving } from "../support/dragon.ts";
import { needs, testIf } from "../support/needs.ts";
import { becomeOwner, launch, type Walker, walker } from "../support/walker.ts";

let running: Serving;
let browser: Browser;
let page: Page;
let walk: Walker;
const folder = dataFolder();

beforeAll(async () => {
  if (!needs("browser").present) return;
  running = await serving(SERVE, { env: { DRAGON_DATA_DIR: folder.path } });
  browser = await launch();
  page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  walk = walker(page);
  await becomeOwner(walk, running);
}, 60_000);

afterAll(async () => {
  await browser?.close();
  await running?.stop();
  folder.remove();
});

testIf("browser", "g and a letter go to a page, also from the page it leads to", async () => {
  await page.keyboard.type("ga");
  await page.waitForURL(`${running.url}/account`);
  await page.keyboard.type("gm");
  await page.waitForURL(`${running.url}/help`);
  await page.goto(`${running.url}/account`);
  await page.focus("#current");
  await page.keyboard.type("gm");
  await Bun.sleep(300);
  expect(page.url()).toBe(`${running.url}/account`);
});

testIf("browser", "? lists the keys and Escape gives the focus back", async () => {
  await page.goto(`${running.url}/`);
  await page.focus(".brand");
  await page.keyboard.press("?");
  expect(await page.isVisible("#keys")).toBe(true);
  expect(await page.textContent("#keys")).toContain("Shortlist the row");
  await page.keyboard.press("Escape");
  expect(await page.isVisible("#keys")).toBe(false);
  expect(await page.evaluate("document.activeElement.className")).toBe("brand");
});

testIf("browser", "/ searches: answers while typing, arrows choose, Enter opens", async () => {
  await page.keyboard.press("/");
  await page.waitForSelector("#search-results a");
  await page.keyboard.type("master.key");
  await page.waitForSelector("#search-results a[href='/help/backup-and-keys']");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.waitForURL(`${running.url}/help/**`);
  await page.keyboard.press("Control+k");
  await page.keyboard.type("nothing is called this");
  await page.waitForSelector("text=Nothing found");
  await page.mouse.click(5, 5);
  expect(await page.isVisible("#search")).toBe(false);
});

testIf(
  "browser",
  "a toast is announced and goes away; a dead server is said, not hidden",
  async () => {
    await page.goto(`${running.url}/`);
    await page.evaluate("window.dragon.toast({ text: 'Saved <b>it</b>' })");
    expect(await page.textContent("#toasts [class~=toast]")).toBe("Saved <b>it</b>");
    expect(await page.getAttribute("#toasts", "aria-live")).toBe("polite");
    await page.route("**/search*", (route) => route.abort());
    await page.keyboard.press("/");
    await page.waitForSelector(".toast.problem");
    await page.keyboard.press("Escape");
    await page.unroute("**/search*");
    walk.quiet(/ERR_FAILED|Failed to fetch/);
  },
);

testIf("browser", "axe-core finds nothing serious on the pages of the frame", async () => {
  const paths = ["/", "/users", "/users/new", "/account", "/help", "/help/backtest", "/nowhere"];
  for (const width of [1440, 375]) {
    await page.setViewportSize({ width, height: 900 });
    for (const path of paths) {
      await page.goto(`${running.url}${path}`);
      expect([path, width, await seriousFindings(page)]).toEqual([path, width, []]);
    }
    await page.goto(`${running.url}/`);
    for (const key of ["?", "/"]) {
      await page.keyboard.press(key);
      expect([key, await seriousFindings(page)]).toEqual([key, []]);
      if (process.env.DRAGON_TEST_SCREENSHOTS) {
        const name = `shell-${key === "?" ? "keys" : "search"}-${width}.png`;
        await page.screenshot({ path: join(process.env.DRAGON_TEST_SCREENSHOTS, name) });
      }
      await page.keyboard.press("Escape");
    }
  }
  walk.quiet(404);
});
