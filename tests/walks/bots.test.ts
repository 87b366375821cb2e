// Bots in real Chromium, wide and narrow: the empty page, the list in every situation, what survives a live
// update, several at once, a bot made from a run. The real app and a real database; workers only left rows.
import { expect } from "bun:test";
import type { Page } from "playwright-core";
import { listen } from "../../src/web/server.ts";
import { testIf } from "../support/needs.ts";
import { aRequest, actorOf, storeCandles, walkCandles } from "../support/research-case.ts";
import { HEIGHTS, launch, PASSWORD, type Walker, walker } from "../support/walker.ts";
import { type BotPeople, botPeople, botsCase, seedBots } from "../web/bots-case.ts";
import type { WebCase } from "../web/web-case.ts";

const RUN_LIMIT_MS = 60_000;

async function enter({ page, quiet }: Walker, url: string, email: string, path = "/bots") {
  await page.goto(`${url}/login?next=${encodeURIComponent(path)}`);
  await page.fill("#email", email);
  await page.fill("#password", PASSWORD);
  await page.click("main button");
  await page.waitForURL(`${url}${path}`);
  await page.waitForLoadState("load");
  quiet();
}

const row = (page: Page, id: number) => page.locator(`#bot-${id}`);

/** Scrolling, focus, marks and open menus stay while the list is replaced under them. */
async function liveUpdate(walk: Walker, { seeder }: BotPeople, bots: Seeded) {
  const { page, quiet, menu } = walk;
  const { holding, pausing } = bots;
  await row(page, holding.id).locator("[name=id]").check();
  await menu();
  await row(page, pausing.id).scrollIntoViewIfNeeded();
  await row(page, pausing.id).focus();
  await page.evaluate("window.scrollBy(0, 40)");
  const kept = "[window.scrollY, document.querySelector('#bots-scroll').scrollTop]";
  const before = await page.evaluate(kept);
  await seeder.figures(bots.well, { nextAction: "Waits for its entry to fill" });
  await page.waitForSelector("text=Waits for its entry to fill");
  expect(await page.evaluate(kept)).toEqual(before);
  expect(await page.evaluate("document.activeElement.id")).toBe(`bot-${pausing.id}`);
  expect(await row(page, holding.id).locator("[name=id]").isChecked()).toBe(true);
  expect(await page.isChecked("#menu")).toBe(walk.width <= 760);
  await menu();
  await row(page, holding.id).locator("[name=id]").uncheck();
  quiet();
}

type Seeded = Awaited<ReturnType<typeof seedBots>>;

async function list(walk: Walker, bots: Seeded) {
  const { page, judge, quiet } = walk;
  await page.goto(page.url());
  await page.waitForLoadState("load");
  await judge("o02-bots");
  const sideways =
    "((box) => box.scrollWidth - box.clientWidth)(document.querySelector('#bots-scroll'))";
  expect(await page.evaluate(sideways)).toBe(0);
  expect(await page.locator(".bots-grid tbody tr").count()).toBe(Object.keys(bots).length);
  await page.selectOption("#filter-flag", "any");
  await page.waitForURL(/flag=any/);
  await judge("o03-flags");
  await page.selectOption("#filter-status", "created");
  await page.waitForSelector("text=No bot matches these filters.");
  await judge("o04-nothing");
  await page.click("main >> text=Clear the filters");
  await page.waitForURL(/\/bots$/);
  await page.waitForLoadState("load");
  quiet();
}

async function several(walk: Walker, bots: Seeded) {
  const { page, judge, quiet } = walk;
  await row(page, bots.well.id).locator("[name=id]").check();
  await row(page, bots.holding.id).locator("[name=id]").check();
  await page.click("button[value=paused]");
  await page.waitForSelector("text=2 bots are told to pause.");
  expect(await row(page, bots.well.id).locator(".b-status").textContent()).toBe("running → paused");
  await row(page, bots.holding.id).locator("[name=id]").check();
  await page.click("button[value=flatten]");
  await page.waitForSelector("text=Flatten Bravo holding?");
  await judge("o05-flatten");
  await page.fill("#confirm", "flatten");
  await page.click("main button.danger");
  await page.waitForSelector("[role=alert]");
  quiet(422);
  await page.fill("#confirm", "FLATTEN");
  await page.click("main button.danger");
  await page.waitForSelector("text=One bot is told to close everything.");
  await row(page, bots.failed.id).locator("[name=id]").check();
  await page.click("button[value=running]");
  await page.waitForSelector("[role=alert]");
  await judge("o06-refused");
  quiet(409);
}

async function create(walk: Walker, url: string, run: number) {
  const { page, judge, fill, quiet } = walk;
  await page.goto(`${url}/runs/${run}`);
  await page.click("text=Create bot");
  await page.waitForSelector("#draft-preview .ladder");
  await judge("o07-new");
  await page.selectOption("#account", { label: "Main account with a long name · WOO X · live" });
  await page.waitForSelector(".mode-banner.live");
  await page.fill("#allocation", "30");
  await page.waitForSelector(".draft-notes .bad");
  await judge("o08-live");
  await page.fill("#allocation", "nothing");
  await page.click("main button[type=submit]");
  await page.waitForSelector("#allocation-problem");
  await judge("o09-refused");
  quiet(422);
  await fill({ allocation: "500", name: "From the run" });
  await page.selectOption("#account", { label: "Paper one · WOO X · paper" });
  await page.click("main button[type=submit]");
  await page.waitForSelector("#direction-problem");
  quiet(422);
  await page.selectOption("#account", { label: "Paper two · WOO X · paper" });
  await page.click("main button[type=submit]");
  await page.waitForSelector("text=2 bots are created.");
  expect(await page.locator("text=From the run short").count()).toBe(1);
  quiet();
}

/** A finished run of both sides. */
async function finishedRun(made: WebCase, people: BotPeople): Promise<number> {
  const { sql } = made.database;
  const scope = { ...people.scope, userId: people.trader.id, role: "trader" } as const;
  await storeCandles(sql, scope, walkCandles(20_000));
  const asked = await made.deps.runs.request(await actorOf(sql, scope), aRequest());
  if (!asked.ok) throw new Error(asked.sentences.join("; "));
  const ended = await made.deps.runs.settled(scope, asked.id, RUN_LIMIT_MS);
  if (ended?.status !== "finished") throw new Error(ended?.error ?? "no end");
  return asked.id;
}

for (const [width, height] of HEIGHTS) {
  testIf(
    "browser",
    `somebody follows bots, acts on several and makes one from a run, ${width} px wide`,
    async () => {
      const made = await botsCase();
      const people = await botPeople(made, "walk");
      const run = await finishedRun(made, people);
      const web = listen(made.app, { host: "127.0.0.1", port: 0 });
      const url = `http://127.0.0.1:${web.port}`;
      const browser = await launch();
      try {
        const walk = walker(await browser.newPage({ viewport: { width, height } }));
        await enter(walk, url, people.trader.email);
        await walk.judge("o01-empty");
        const bots = await seedBots(people);
        await people.seeder.account("Paper two");
        await list(walk, bots);
        await liveUpdate(walk, people, bots);
        await several(walk, bots);
        await create(walk, url, run);
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
