// The page of one bot in real Chromium, wide and narrow: figures that open, charts, why it does not trade, actions
// with their preview, words to type, tabs, settings, and a live update that does not move the reader. The real app
// and a real database; workers only left rows.
import { expect } from "bun:test";
import type { Bot } from "../../src/ports/bot-store.ts";
import { listen } from "../../src/web/server.ts";
import { botSeeder } from "../support/bot-desk.ts";
import { testIf } from "../support/needs.ts";
import { HEIGHTS, launch, PASSWORD, type Walker, walker } from "../support/walker.ts";
import { botCase, traded } from "../web/bot-case.ts";
import { peopleOf } from "../web/runs-grid-case.ts";
import type { WebCase } from "../web/web-case.ts";

const LIMIT_MS = 180_000;

async function enter({ page, quiet }: Walker, url: string, email: string, path: string) {
  await page.goto(`${url}/login?next=${encodeURIComponent(path)}`);
  await page.fill("#email", email);
  await page.fill("#password", PASSWORD);
  await page.click("main button");
  await page.waitForURL(`${url}${path}`);
  await page.waitForLoadState("load");
  quiet();
}

async function overview({ page, judge, quiet }: Walker) {
  await page.waitForSelector('#bot-charts[aria-busy="false"] .uplot >> nth=1');
  await page.waitForSelector('[data-plot="price"][data-crosses="3"]');
  expect(Number(await page.getAttribute('[data-plot="price"]', "data-markers"))).toBe(6);
  expect(await page.textContent("#why")).toContain("the last price is 31 s old");
  await judge("d01-overview");
  quiet();
}

async function figures({ page, judge, quiet }: Walker) {
  await page.click('#bot-tiles a:has-text("$")');
  await page.waitForSelector("#derivation.derivation");
  expect(await page.textContent("#derivation")).toContain("× 0.339");
  await judge("d02-derivation");
  await page.click('#bot-tiles a[aria-label^="Fees"]');
  await page.waitForSelector('#derivation[aria-label*="Fees"]');
  await page.click("#derivation >> text=Close");
  await page.waitForSelector("#derivation:not(.derivation)", { state: "attached" });
  quiet();
}

async function byHand({ page, judge, quiet }: Walker, path: string) {
  await page.fill("#pct", "25");
  await page.click("text=Close part…");
  await page.waitForSelector("#preview >> text=0.08475 of 0.339");
  await judge("d03-preview");
  await page.click("#preview button.danger");
  await page.waitForURL(/done=asked/);
  expect(await page.textContent("main")).toContain("Close 25 % of the position");
  await page.goto(page.url().replace(/\/bots\/.*/, path));
  await page.click("text=Cancel… >> nth=0");
  await page.waitForSelector("#preview >> text=is taken back");
  await page.click("text=Flatten bot… >> nth=0");
  await page.fill('[action$="/flatten"] [name=confirm]', "no");
  await judge("d04-danger");
  await page.click('[action$="/flatten"] button.danger');
  await page.waitForSelector("text=is not FLATTEN");
  quiet(422);
  await page.goto(page.url().replace(/\/bots\/.*/, path));
}

/** Where the reader is, what has the focus and what is open stay while the pieces are replaced. */
async function liveUpdate({ page, quiet }: Walker, made: WebCase, bot: Bot, renamed: string) {
  const { sql } = made.database;
  const field = page.locator('[action$="/flatten"] [name=confirm]');
  await page.click("text=Flatten bot… >> nth=0");
  await field.fill("FLAT");
  await field.focus();
  const place = "[window.scrollY, document.activeElement.id]";
  const before = await page.evaluate(place);
  await sql`update bots set name = ${renamed} where id = ${bot.id}`;
  await page.waitForSelector(`h1:has-text("${renamed}")`);
  expect(await page.evaluate(place)).toEqual(before);
  expect(await field.inputValue()).toBe("FLAT");
  await page.locator("#bot-tiles a >> nth=0").focus();
  const link = await page.evaluate("document.activeElement.getAttribute('href')");
  await sql`update bots set name = ${`${renamed} again`} where id = ${bot.id}`;
  await page.waitForSelector(`h1:has-text("${renamed} again")`);
  expect(await page.evaluate("document.activeElement.getAttribute('href')")).toBe(link as string);
  quiet();
}

/** What may be done follows the bot; what is typed, previewed and opened stays as it is. */
async function following(
  { page, judge, quiet }: Walker,
  { database: { sql } }: WebCase,
  { id }: Bot,
) {
  await page.evaluate("globalThis.isSamePage = true");
  await page.click('#bot-tiles a[aria-label^="Unrealised"]');
  await page.waitForSelector("#derivation >> text=price 2043.21");
  await page.fill("#pct", "33");
  await page.click("text=Close part…");
  await page.waitForSelector("#preview >> text=of 0.339");
  const typed = page.locator('[action$="/flatten"] [name=confirm]');
  expect(await typed.inputValue()).toBe("FLAT");
  const [held] = await sql<{ body: Record<string, unknown> }[]>`
    select body from snapshots where bot_id = ${id}`;
  const show = async (change: Record<string, unknown>) => {
    const body = JSON.stringify({ ...held?.body, ...change });
    await sql`update snapshots set body = ${body}::text::jsonb where bot_id = ${id}`;
  };
  const price = { price: "2050", at: Date.now(), source: "mark" };
  await show({ position: null, orders: [], price });
  await page.waitForSelector("#bot-by-hand >> text=The bot holds nothing.");
  expect(await page.isDisabled("text=Close part…")).toBe(true);
  expect(await page.inputValue("#pct")).toBe("33");
  expect(await page.locator("#preview >> text=of 0.339").count()).toBe(1);
  expect(await typed.inputValue()).toBe("FLAT");
  expect(await page.isVisible('[action$="/flatten"]')).toBe(true);
  expect(await page.textContent("#effect-flatten")).toContain("(0 open now)");
  await page.waitForSelector("#derivation >> text=price 2050");
  await sql`update bots set status = 'error', last_error = 'it broke' where id = ${id}`;
  await page.click("text=Clear error…");
  await page.waitForSelector("#preview >> text=It stopped with: it broke");
  await judge("d07-error");
  await sql`update bots set desired_status = 'paused' where id = ${id}`;
  await page.waitForSelector("text=Run bot");
  await sql`update bots set status = 'stopped', desired_status = 'stopped', last_error = null
    where id = ${id}`;
  await page.waitForSelector("text=Delete bot…");
  expect(await page.locator("text=Stop bot…").count()).toBe(0);
  expect(await page.isVisible('[action$="/flatten"]')).toBe(true);
  expect(await page.evaluate("globalThis.isSamePage")).toBe(true);
  await sql`update bots set status = 'running', desired_status = 'running' where id = ${id}`;
  await show({});
  await page.waitForSelector("#bot-position >> text=Average entry");
  quiet();
}

/** Where there is nothing to draw stands a sentence, and no box. */
async function nothing(
  { page, judge, quiet }: Walker,
  made: WebCase,
  people: People,
  name: string,
) {
  const seeder = botSeeder(made.database.sql, people.scope, () => made.clock.now());
  const account = await seeder.account(`Account of ${name}`, "demo");
  const bot = await seeder.bot(account, { name, symbol: "SOL/USDT:USDT" });
  await page.goto(page.url().replace(/\/bots\/.*/, `/bots/${bot.id}`));
  await page.waitForSelector("text=No candle of this market is stored yet.");
  await page.waitForSelector("text=The curve begins once a worker has looked");
  for (const plot of ["price", "equity"]) {
    expect(await page.isVisible(`[data-plot="${plot}"]`)).toBe(false);
  }
  await judge("d08-nothing");
  quiet();
}

type People = Awaited<ReturnType<typeof peopleOf>>;

async function tabs({ page, judge, quiet, width }: Walker, path: string) {
  for (const [name, says] of [
    ["Orders & fills", "Round trips"],
    ["Ledger", "Together"],
    ["Events", "stale data block"],
    ["Config", "Save as version"],
  ] as const) {
    await page.click(`.tabs >> text=${name}`);
    await page.waitForSelector(`text=${says}`);
    await page.waitForLoadState("load");
    await judge(`d05-${name.slice(0, 6).toLowerCase()}`);
  }
  await page.fill('[name="strategy.exits.tp_pct"]', String(2 + width / 10_000));
  await page.click("text=Save as version");
  await page.waitForURL(/done=saved/);
  await judge("d06-saved");
  await page.goto(page.url().replace(/\/bots\/.*/, path));
  await page.waitForLoadState("load");
  quiet();
}

testIf(
  "browser",
  "a person follows one bot and acts on it, wide and narrow",
  async () => {
    const made = await botCase();
    const browser = await launch();
    const server = listen(made.app, { host: "127.0.0.1", port: 0 });
    const url = `http://127.0.0.1:${server.port}`;
    try {
      const people = await peopleOf(made, "alpha");
      for (const [width, height] of HEIGHTS) {
        const bot = await traded(made, people.scope, { name: `Trader at ${width}` });
        const context = await browser.newContext({ viewport: { width, height } });
        const walk = walker(await context.newPage());
        const path = `/bots/${bot.id}`;
        await enter(walk, url, people.trader.email, path);
        await overview(walk);
        await figures(walk);
        await byHand(walk, path);
        await liveUpdate(walk, made, bot, `Renamed ${width}`);
        await following(walk, made, bot);
        await tabs(walk, path);
        await nothing(walk, made, people, `New at ${width}`);
        await context.close();
      }
    } finally {
      made.deps.streams.closeAll();
      await server.stop(500);
      await browser.close();
      await made.database.drop();
    }
  },
  LIMIT_MS,
);
