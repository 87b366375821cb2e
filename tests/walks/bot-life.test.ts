// The life of a bot in real Chromium, wide and narrow: an account whose keys are tested, a bot made
// from a run, watched until it trades, edited and edited back, paused, flattened, and its ledger
// read. Worker and client are the real ones, over loopback to the simulated exchange; at the end
// page, rows and the exchange's books agree to the last unit.
import { expect } from "bun:test";
import type { AccountId } from "../../src/ports/account-store.ts";
import { add, type Decimal, decimal, subtract } from "../../src/model/decimal.ts";
import { type Money, moneyText } from "../../src/venue/decimal.ts";
import { testIf } from "../support/needs.ts";
import { HEIGHTS, launch, PASSWORD, type Walker, walker } from "../support/walker.ts";
import { type BotLife, DEPOSIT, openBotLife } from "./bot-life-case.ts";

const LIMIT_MS = 240_000;
/** The bot decides at the close of a minute; now and then it takes a few of them. */
const FILL_LIMIT_MS = 150_000;
const ACTED_LIMIT_MS = 30_000;
const TAKE_PROFIT = "strategy.exits.tp_pct";

async function signIn({ page, fill, quiet }: Walker, { url, owner }: BotLife) {
  await page.goto(`${url}/login?next=%2Faccounts`);
  await fill({ email: owner, password: PASSWORD });
  await page.click("main button");
  await page.waitForURL(`${url}/accounts`);
  await page.waitForLoadState("load");
  quiet();
}

/** A wrong secret is refused by the exchange itself; the right one is kept and tested again. */
async function addAccount(walk: Walker, { url, account }: BotLife): Promise<AccountId> {
  const { page, judge, fill, quiet } = walk;
  await page.goto(`${url}/accounts/new?exchange=woox&mode=demo`);
  const keys = { apiKey: account.apiKey, apiSecret: account.secret };
  await fill({ name: "Practice", ...keys, apiSecret: `${account.secret.slice(0, -1)}_` });
  await page.click("text=Test and add");
  await page.waitForSelector("[role=alert]");
  await judge("l01-refused");
  quiet(422);
  await fill(keys);
  await page.click("text=Test and add");
  await page.waitForSelector("text=The account is added");
  await page.click("text=Test the account");
  await page.waitForSelector("text=The test is done");
  expect(await page.locator("main .pill.red").count()).toBe(0);
  await judge("l02-tested");
  quiet();
  return Number(/\/accounts\/(\d+)/.exec(page.url())?.[1]) as AccountId;
}

/** @returns the path of the bot, which runs from then on */
async function createBot(walk: Walker, { url, runId }: BotLife): Promise<string> {
  const { page, judge, fill, quiet } = walk;
  await page.goto(`${url}/runs/${runId}`);
  await page.click("text=Create bot");
  await page.waitForSelector("#draft-preview .ladder");
  expect(await page.locator("#account option:checked").textContent()).toContain("Practice");
  await page.selectOption("#direction", "both");
  await page.selectOption("#begin", "running");
  await fill({ name: "First bot", allocation: "5000" });
  await page.waitForLoadState("networkidle");
  await judge("l03-new");
  await page.click("main button[type=submit]");
  await page.waitForURL(/\/bots\b/);
  await page.click("main >> text=First bot");
  await page.waitForSelector("h1 >> text=First bot");
  quiet();
  return new URL(page.url()).pathname;
}

/** Only its stream changes the page here: nobody loads it again. */
async function watchItTrade({ page, judge, quiet }: Walker) {
  await page.evaluate("globalThis.isSamePage = true");
  await judge("l04-before");
  await page.waitForSelector("#bot-standing >> text=Average entry", { timeout: FILL_LIMIT_MS });
  await page.waitForSelector("#bot-open-orders >> text=protective stop", {
    timeout: FILL_LIMIT_MS,
  });
  expect(await page.evaluate("globalThis.isSamePage")).toBe(true);
  expect(await page.locator('#bot-head .pill:text-is("running")').count()).toBe(1);
  await page.goto(page.url());
  await page.waitForSelector('[data-plot="price"][data-crosses] .uplot');
  await judge("l05-trading");
  quiet();
}

/** A setting that may change while a position is open, unlike those its cycle was counted by. */
async function editAndUndo({ page, judge, quiet }: Walker, path: string) {
  await page.click(".tabs >> text=Config");
  await page.waitForSelector("text=Save as version 2");
  expect(await page.isDisabled('[name="strategy.dca.base_deviation_pct"]')).toBe(true);
  const field = `[name="${TAKE_PROFIT}"]`;
  const before = await page.inputValue(field);
  await page.fill(field, "0.9");
  await page.fill("#note", "More room");
  await page.click("text=Save as version 2");
  await page.waitForURL(/done=saved/);
  expect(await page.inputValue(field)).toBe("0.9");
  await page.waitForSelector(`text=exits.tp_pct ${before} → 0.9`);
  await judge("l06-saved");
  await page.click(`[action="${path}/undo/1"] button`);
  await page.waitForURL(/done=undone/);
  expect(await page.inputValue(field)).toBe(before);
  await page.waitForSelector("text=Save as version 4");
  await judge("l07-undone");
  quiet();
}

async function pause({ page, judge, quiet }: Walker, { url }: BotLife, path: string) {
  await page.goto(`${url}${path}`);
  await page.click("text=Pause bot");
  await page.waitForURL(/done=paused/);
  const timeout = ACTED_LIMIT_MS;
  await page.waitForSelector('#bot-head .pill:text-is("paused")', { timeout });
  // It opens nothing any more, and still guards what it holds.
  expect(await page.textContent("#bot-standing")).toContain("Average entry");
  expect(await page.textContent("#bot-open-orders")).toContain("protective stop");
  await judge("l08-paused");
  quiet();
}

async function flatten({ page, judge, quiet }: Walker) {
  await page.click("text=Flatten bot… >> nth=0");
  expect(await page.textContent('[action$="/flatten"]')).toContain("closed at the market");
  await page.fill('[action$="/flatten"] [name=confirm]', "flatten");
  await page.click('[action$="/flatten"] button.danger');
  await page.waitForSelector("text=is not FLATTEN");
  quiet(422);
  await page.fill('[action$="/flatten"] [name=confirm]', "FLATTEN");
  await page.click('[action$="/flatten"] button.danger');
  await page.waitForURL(/done=flatten/);
  const timeout = ACTED_LIMIT_MS;
  await page.waitForSelector("#bot-standing >> text=The bot holds nothing", { timeout });
  await page.waitForSelector("#bot-open-orders >> text=No order is open or parked", { timeout });
  // Nobody loads the page again: what cannot be done any more says so by itself.
  expect(await page.isDisabled("text=Close part…")).toBe(true);
  await judge("l09-flat");
  quiet();
}

const sumOf = (amounts: readonly Decimal[]) => amounts.reduce(add, decimal(0));
const moneyOf = (amounts: readonly Money[]) =>
  decimal(moneyText(amounts.reduce((sum, each) => sum + each, 0n)));

/** What the exchange has booked since its deposit, by the names of the page. */
function theirBooks({ account: { trades, payments, wallet } }: BotLife) {
  return {
    All: subtract(decimal(moneyText(wallet)), decimal(DEPOSIT)),
    Realised: moneyOf(trades.map(({ realized }) => realized ?? 0n)),
    Fees: moneyOf(trades.map(({ fee }) => -fee)),
    Funding: moneyOf(payments.map(({ amount }) => amount)),
  };
}

/** The total of the shown part of the ledger and the sum of its rows, as their texts say them. */
async function shownLedger({ page }: Walker): Promise<readonly [Decimal, Decimal]> {
  if ((await page.locator("text=There is no such entry.").count()) > 0) {
    return [decimal(0), decimal(0)];
  }
  const total = await page.locator("main p:has-text('Together') code").textContent();
  const amounts = await page.locator("main tbody td:nth-child(3)").allTextContents();
  const [text = ""] = (total ?? "").trim().split(/\s+/);
  return [decimal(text), sumOf(amounts.map((each) => decimal(each.trim())))];
}

async function readBooks(walk: Walker, life: BotLife, accountId: AccountId) {
  const { page, judge, quiet } = walk;
  await page.click(".tabs >> text=Orders & fills");
  await page.waitForSelector("text=Round trips");
  const tradeIds = life.account.trades.map(({ id }) => id);
  expect(tradeIds.length).toBeGreaterThanOrEqual(2);
  const orders = (await page.textContent("main")) ?? "";
  for (const id of tradeIds) expect(orders).toContain(`fill ${id},`);
  await judge("l10-orders");
  await page.click(".tabs >> text=Ledger");
  await page.waitForSelector("text=Together");
  await judge("l11-ledger");
  expect([...life.account.legs.values()].every(({ lots }) => lots === 0)).toBe(true);
  expect(life.account.open.size).toBe(0);
  for (const [part, theirs] of Object.entries(theirBooks(life))) {
    await page.click(`.filters >> text=${part}`);
    await page.waitForSelector(`.filters [aria-current=true]:text-is("${part}")`);
    expect([part, ...(await shownLedger(walk))]).toEqual([part, theirs, theirs]);
  }
  expect(await life.differences(accountId)).toEqual([]);
  await page.click(".tabs >> text=Events");
  await page.waitForSelector("text=Nothing is held and nothing works any more");
  // Every execution was booked by the look that saw it.
  expect(await page.locator("text=missed fill").count()).toBe(0);
  await judge("l12-events");
  await page.goto(`${life.url}/bots`);
  await page.waitForSelector("text=First bot");
  await judge("l13-list");
  quiet();
}

for (const [width, height] of HEIGHTS) {
  testIf(
    "browser",
    `a bot lives from its account to its ledger, which is the exchange's own, ${width} px wide`,
    async () => {
      const life = await openBotLife();
      const browser = await launch();
      try {
        const walk = walker(await browser.newPage({ viewport: { width, height } }));
        await signIn(walk, life);
        const accountId = await addAccount(walk, life);
        const path = await createBot(walk, life);
        await watchItTrade(walk);
        await editAndUndo(walk, path);
        await pause(walk, life, path);
        await flatten(walk);
        await readBooks(walk, life, accountId);
        walk.quiet();
      } finally {
        await browser.close();
        await life.close();
      }
    },
    LIMIT_MS,
  );
}
