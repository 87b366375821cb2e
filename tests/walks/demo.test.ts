// A newcomer and the demo in a real browser: from the first start of the program over the offer on the first page to
// the first fill, its bot and its result, and the wipe; wide and narrow.
import { expect } from "bun:test";
import { dataFolder, SERVE, serving } from "../support/dragon.ts";
import { testIf } from "../support/needs.ts";
import { becomeOwner, HEIGHTS, launch, type Walker, walker } from "../support/walker.ts";

/** From the start of the process to the first fill on the page. */
const FIRST_FILL_MS = 120_000;
const WATERMARK = ".demo-band";

async function watchItTrade({ page, judge, quiet }: Walker, endMs: number) {
  await page.waitForSelector("text=Start the demo");
  await judge("d01-offer");
  await page.click("text=Start the demo");
  await page.waitForSelector("#demo-live");
  await judge("d02-progress");
  await page.waitForSelector("#demo-live >> text=Open the result");
  await judge("d03-result");
  const timeout = Math.max(1, endMs - performance.now());
  await page.waitForSelector("#demo-live >> text=after the start", { timeout });
  quiet();
}

async function lookAround({ page, judge, quiet }: Walker) {
  await judge("d04-traded");
  expect(await page.textContent(WATERMARK)).toContain("Demo: invented prices, no real money");
  await page.click("text=Open the result");
  await page.waitForSelector("text=Net profit");
  await page.goBack();
  await page.click("text=Open Demo bot");
  await page.waitForSelector("h1 >> text=Demo bot");
  await page.goBack();
  await page.click(`${WATERMARK} a`);
  await page.waitForSelector("text=Wipe the demo");
  await page.click("summary");
  await judge("d05-demo");
  quiet();
}

async function wipe({ page, judge, quiet }: Walker) {
  await page.fill("[name=confirm]", "wipe");
  await page.click("button.danger");
  await page.waitForSelector(".problem");
  await judge("d06-refused");
  quiet(422);
  await page.fill("[name=confirm]", "WIPE");
  await page.click("button.danger");
  await page.waitForSelector("text=The demo is wiped", { timeout: 60_000 });
  expect(await page.$(WATERMARK)).toBeNull();
  await judge("d07-wiped");
  quiet();
}

for (const [width, height] of HEIGHTS) {
  testIf(
    "browser",
    `the first fill is on the page within two minutes of the first start, ${width} px wide`,
    async () => {
      const data = dataFolder();
      const startMs = performance.now();
      const running = await serving(SERVE, { env: { DRAGON_DATA_DIR: data.path } });
      const browser = await launch();
      try {
        const walk = walker(await browser.newPage({ viewport: { width, height } }));
        await becomeOwner(walk, running);
        await watchItTrade(walk, startMs + FIRST_FILL_MS);
        const tookMs = performance.now() - startMs;
        process.stdout.write(`first fill after ${(tookMs / 1000).toFixed(1)} s\n`);
        expect(tookMs).toBeLessThanOrEqual(FIRST_FILL_MS);
        await lookAround(walk);
        await wipe(walk);
      } finally {
        await browser.close();
        await running.stop();
        data.remove();
      }
    },
    240_000,
  );
}
