// Stopping trading in a real browser: the key on another page, the dialog, the line that appears, closing with its
// word, findings, the release, alarms; as an owner and as a viewer; wide and narrow.
import { expect } from "bun:test";
import type { FindingView } from "../../src/model/live-figures.ts";
import type { Bot } from "../../src/ports/bot-store.ts";
import type { Delivery } from "../../src/ports/notifier.ts";
import type { Json } from "../../src/ports/settings-store.ts";
import { listen } from "../../src/web/server.ts";
import { someAccountFigures } from "../support/bot-desk.ts";
import { testIf } from "../support/needs.ts";
import { HEIGHTS, launch, PASSWORD, type Walker, walker } from "../support/walker.ts";
import { type TradingCase, tradingCase } from "../web/trading-case.ts";

/** The app behind a real port, with bots that hold and work. */
async function served() {
  let delivery: Delivery = { outcome: "delivered" };
  const world = await tradingCase({
    notifier: { deliver: async () => delivery },
    workerEpoch: 1_000_000,
  });
  const long = "A bot with a rather long name for a phone";
  const bot = await world.rows.bot("Calm bot");
  const other = await world.rows.bot(long);
  await world.rows.holds(bot, "2");
  await world.rows.order(bot, { targetKey: "dca:1", purpose: "rung", reason: "DCA_1" });
  await world.rows.order(other, { targetKey: "dca:1", purpose: "rung", status: "parked" });
  const server = listen(world.app, { host: "127.0.0.1", port: 0 });
  return {
    ...{ world, bot, other, url: `http://127.0.0.1:${server.port}` },
    fail: () => {
      delivery = { outcome: "failed", isFinal: true, sentence: "the receiver answered 404" };
    },
    async stop() {
      await server.stop(1000);
      await world.close();
    },
  };
}

type Served = Awaited<ReturnType<typeof served>>;

async function signIn({ page, fill }: Walker, url: string, role: string) {
  await page.goto(`${url}/login?next=%2Fruns`);
  await fill({ email: `${role}@alpha.example`, password: PASSWORD });
  await page.click("main button");
  await page.waitForURL(`${url}/runs`);
}

async function signOut({ page, menu }: Walker) {
  await menu();
  await page.click(".who >> text=Sign out");
  await page.waitForSelector("text=You are signed out");
}

/** Two actions from a page that has nothing to do with it: the key, the button. */
async function stopByKey(walk: Walker, { url }: Served) {
  const { page, judge, width, quiet } = walk;
  await page.waitForLoadState("load");
  expect(await page.textContent("#trading-banner")).toBe("");
  if (width > 760) await page.keyboard.press("!");
  else await page.click(".stop-button");
  await page.waitForSelector("dialog#kill[open]");
  await page.waitForSelector("#kill-scope optgroup", { state: "attached" });
  expect(await page.locator("#kill-scope option").count()).toBe(6);
  await judge("t01-dialog");
  expect(await page.evaluate("document.activeElement.value")).toBe("stop");
  await page.keyboard.press("Enter");
  await page.waitForURL(`${url}/trading?done=killed`);
  await page.waitForSelector(".banner");
  expect(await page.textContent(".banner")).toContain("1 of 1 worker confirmed");
  await judge("t02-stopped");
  await page.goto(`${url}/candles`);
  await page.waitForSelector(".banner >> text=Everything");
  await judge("t03-banner");
  quiet();
}

async function closeAll(walk: Walker, { url, world, bot, other }: Served) {
  const { page, judge, quiet, fill } = walk;
  await page.goto(`${url}/trading`);
  await page.selectOption("#stop-scope", `bot:${other.id}`);
  await page.click("#stop-scope >> xpath=ancestor::form >> button[value=freeze]");
  await page.waitForSelector("text=Type FREEZE");
  await judge("t04-freeze");
  await page.goto(`${url}/trading`);
  await page.fill("#stop-reason", "leaving for the night");
  await page.click("main form.kill-form button[value=flatten]");
  await page.waitForSelector("text=Type FLATTEN");
  await judge("t05-flatten");
  await fill({ confirm: "flat" });
  await page.click("main form button.danger");
  await page.waitForSelector(".problem");
  await judge("t06-wrong-word");
  quiet(422);
  await fill({ confirm: "FLATTEN" });
  await page.click("main form button.danger");
  await page.waitForURL(`${url}/trading?done=closing`);
  await judge("t07-closing");
  await world.rows.flattened(bot, "flatten_completed", "Nothing is held any more.");
  const rest = "Still held: 0.004 BTC/USDT:USDT long. Not every trade record could be read.";
  await world.rows.flattened(other, "flatten_incomplete", rest);
  // The page is told by its stream.
  await page.waitForSelector("text=✗ still open");
  await judge("t08-incomplete");
  quiet();
}

/** What the worker found: a difference somebody may take over, an order, and what is known already. */
function found(bot: Bot, other: Bot): readonly FindingView[] {
  const since = Date.UTC(2026, 0, 5);
  const symbol = "BTC/USDT:USDT";
  const heirs = [
    { botId: bot.id, name: bot.name },
    { botId: null, name: null },
    { botId: other.id, name: other.name },
  ];
  return [
    {
      ...{ key: "drift BTC", kind: "position_drift", symbol, since, heirs },
      choices: ["adopt", "ignore", "flatten"],
      sentence: "BTC/USDT:USDT: the account and its owners do not agree, by 0.5",
      adoption: `Taking it over gives it to the bot ${bot.name}, which protects it with its stop`,
    },
    {
      ...{ key: "stranger 7", kind: "stranger_order", symbol, since, heirs: heirs.slice(0, 2) },
      choices: ["adopt", "ignore", "cancel"],
      sentence: "order 1784236 (buy 0.25 at 90100) was not placed here and may change the position",
    },
    {
      ...{ key: "known net BTC", kind: "known_position", symbol, since, choices: ["flatten"] },
      sentence: "BTC/USDT:USDT: 1.5 belong to a person; no bot uses them",
    },
  ];
}

async function findings(walk: Walker, { url, world, bot, other }: Served) {
  const { page, judge, quiet } = walk;
  await tellFound(world, bot, found(bot, other));
  await page.waitForSelector("text=do not agree, by 0.5");
  await judge("t09-finding");
  await page.click("#findings >> text=Close… >> nth=0");
  await page.waitForSelector("text=Type FLATTEN");
  await judge("t10-close-finding");
  await page.click("text=Leave it");
  await page.click("#findings >> text=Cancel order");
  await page.waitForSelector("text=Cancel an order");
  await judge("t10-cancel-order");
  await page.click("main form button.danger");
  await page.waitForURL(`${url}/trading?done=settled`);
  await page.click("#findings >> role=button[name=Ignore] >> nth=0");
  await page.waitForURL(`${url}/trading?done=settled`);
  await page.click("#findings >> role=button[name='Take over'] >> nth=0");
  await page.selectOption("#bot", "person");
  await judge("t10-take-over");
  await page.click("main form button");
  await page.waitForURL(`${url}/trading?done=settled`);
  quiet();
  await onAccount(walk, { url, bot });
}

/** The same on the page of the account. */
async function onAccount(
  { page, judge, quiet }: Walker,
  { url, bot }: Pick<Served, "url" | "bot">,
) {
  const path = `${url}/accounts/${bot.accountId}`;
  await page.goto(path);
  await page.waitForSelector("#findings >> text=Cancel order");
  await judge("t10-account");
  await page.click("#findings >> role=button[name='Take over'] >> nth=1");
  await page.selectOption("#bot", "person");
  await page.click("main form button");
  await page.waitForURL(`${path}?done=settled`);
  await page.click("#findings >> text=Close… >> nth=0");
  await page.waitForSelector("text=Type FLATTEN");
  await page.click("text=Leave it");
  await page.waitForURL(path);
  quiet();
}

function tellFound({ rows, alpha, made }: TradingCase, bot: Bot, list: readonly FindingView[]) {
  const at = made.clock.now();
  const health = { health: "error", sentence: list[0]?.sentence ?? "" } as const;
  const figures = someAccountFigures(at, { ...health, findings: list });
  const body = figures as unknown as Json;
  const snapshot = { accountId: bot.accountId, botId: null, worker: "worker-1", at, body };
  return rows.bots.saveFigures(alpha.scope, [snapshot], []);
}

async function release(walk: Walker, { url }: Served) {
  const { page, judge, quiet, fill } = walk;
  await page.goto(`${url}/trading`);
  await page.click("#scope-global >> text=Release…");
  await page.waitForSelector("text=Type RESUME");
  await judge("t11-release");
  await fill({ confirm: "RESUME" });
  await page.click("main form button.danger");
  await page.waitForURL(`${url}/trading?done=resumed`);
  await page.waitForSelector(".banner", { state: "detached" });
  await judge("t12-released");
  quiet();
}

async function alarms(walk: Walker, { url, fail }: Served) {
  const { page, judge, quiet, fill } = walk;
  await page.goto(`${url}/settings/alarms`);
  await judge("t13-alarms-none");
  await fill({ url: "http//wrong" });
  await page.click("text=Save");
  await page.waitForSelector("#url-problem");
  await judge("t14-alarms-refused");
  quiet(422);
  await fill({ url: "https://hooks.example.org/T0ken" });
  await page.click("text=Save");
  await page.waitForSelector("text=Signing secret");
  await judge("t15-alarms-secret");
  await page.click("text=Back to alarms");
  await page.click('button:has-text("Send a test message")');
  await page.waitForSelector("text=was taken by the receiver");
  await judge("t16-alarms-set");
  fail();
  await page.click('button:has-text("Send a test message")');
  await page.waitForSelector("text=did not arrive");
  await judge("t17-alarms-failed");
  quiet(422);
}

async function asViewer(walk: Walker, running: Served) {
  const { page, judge, quiet } = walk;
  await signOut(walk);
  await signIn(walk, running.url, "viewer");
  await page.keyboard.press("!");
  expect(await page.locator("dialog[open]").count()).toBe(0);
  await page.goto(`${running.url}/trading`);
  expect(await page.locator("main form").count()).toBe(0);
  await judge("t18-viewer");
  await page.goto(`${running.url}/help/emergency`);
  await judge("t19-help");
  quiet();
}

for (const [width, height] of HEIGHTS) {
  testIf(
    "browser",
    `trading is stopped by key, closed, settled and released, ${width} px wide`,
    async () => {
      const running = await served();
      const browser = await launch();
      try {
        const walk = walker(await browser.newPage({ viewport: { width, height } }));
        await signIn(walk, running.url, "owner");
        await stopByKey(walk, running);
        await closeAll(walk, running);
        await findings(walk, running);
        await release(walk, running);
        await alarms(walk, running);
        await asViewer(walk, running);
        walk.quiet();
      } finally {
        await browser.close();
        await running.stop();
      }
    },
    120_000,
  );
}
