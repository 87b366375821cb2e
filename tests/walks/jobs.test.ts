// Jobs and workers in a real browser: a serve without hands, a worker beside it, a run that the worker computes,
// the row that goes silent, and the rules of an owner.
import { afterAll, beforeAll, expect } from "bun:test";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { seriousFindings } from "../support/axe.ts";
import { dataFolder, ROOT, SERVE, type Serving, serving } from "../support/dragon.ts";
import { needs, testIf } from "../support/needs.ts";
import { becomeOwner, launch, walker } from "../support/walker.ts";

const WORKER = [process.execPath, join(ROOT, "src/main.ts"), "worker"];
const folder = dataFolder();
const env = { DRAGON_DATA_DIR: folder.path };

let running: Serving;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  if (!needs("browser").present) return;
  running = await serving([...SERVE, "--no-worker"], { env });
  browser = await launch();
  page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  await becomeOwner(walker(page), running);
}, 60_000);

afterAll(async () => {
  await browser?.close();
  await running?.stop();
  folder.remove();
});

testIf(
  "browser",
  "the page names every process, fits a phone, and takes the rules of an owner",
  async () => {
    const worker = await serving(WORKER, { env });
    try {
      await page.goto(`${running.url}/jobs`);
      await page.waitForSelector("text=alive");
      expect(await page.locator("#jobs-live tbody tr").count()).toBe(2);
      expect(await page.locator("#jobs-live").textContent()).toContain("worker");
      for (const width of [1440, 390]) {
        await page.setViewportSize({ width, height: 900 });
        if (process.env.DRAGON_TEST_SCREENSHOTS) {
          const path = join(process.env.DRAGON_TEST_SCREENSHOTS, `jobs-${width}.png`);
          await page.screenshot({ path, fullPage: true });
        }
        expect(await seriousFindings(page)).toEqual([]);
        const isWider = await page.evaluate(
          "document.documentElement.scrollWidth > window.innerWidth",
        );
        expect([width, isWider]).toEqual([width, false]);
      }
      await page.setViewportSize({ width: 1440, height: 900 });
      await page.fill("#eventDays", "60");
      await page.click("text=Save");
      await page.waitForSelector("text=The rules are saved");
      expect(await page.inputValue("#eventDays")).toBe("60");
    } finally {
      await worker.stop();
    }
    await page.reload();
    expect(await page.locator("#jobs-live tbody tr").count()).toBe(1);
  },
  60_000,
);
