// The backtest page in a real browser, served by the real program with its sample market: the ladder follows what is
// typed, fields hide, wrong input comes back, a run is asked for by keyboard alone; at a wide and a narrow window.
import { expect } from "bun:test";
import { dataFolder, SERVE, type Serving, serving } from "../support/dragon.ts";
import { testIf } from "../support/needs.ts";
import { becomeOwner, HEIGHTS, launch, type Walker, walker } from "../support/walker.ts";

const field = (name: string) => `[name="${name}"]`;
/** The element that has the cursor, by the name of its field. */
const FOCUSED = "document.activeElement?.getAttribute('name')";

async function openForm({ page, judge, quiet }: Walker) {
  await page.click("text=Try with sample candles");
  await page.waitForURL("**/backtest?series=*");
  await page.waitForSelector("#preview table");
  await judge("b01-form");
  expect(await page.textContent("#coverage")).toContain("105,120 candles");
  quiet();
}

/** Waits until the part of the page says so. */
async function says({ page }: Walker, selector: string, text: string) {
  await page.waitForSelector(`${selector}:has-text("${text}")`);
}

async function ladderFollows(walk: Walker) {
  const { page, look, quiet } = walk;
  await page.fill(field("preview.price"), "20000");
  await says(walk, "#preview", "19,800.0");
  await page.fill(field("config.dca.base_deviation_pct"), "2");
  await says(walk, "#preview", "19,600.0");
  await page.fill(field("config.general.max_entries"), "2");
  await says(walk, "#estimate", "2 orders");
  expect(await page.locator("#preview tbody tr").count()).toBe(2);
  await page.check(`${field("direction")}[value=both]`, { force: true });
  await says(walk, "#preview", "20,400.0");
  await look("b02-both");
  await page.fill(field("config.dca.base_deviation_pct"), "");
  await says(walk, "#preview", "First distance is empty");
  await page.fill(field("config.dca.base_deviation_pct"), "1");
  await page.check(`${field("direction")}[value=long]`, { force: true });
  await says(walk, "#preview", "19,800.0");
  await page.fill(field("config.general.initial_entry_balance_pct"), "0");
  await says(walk, "#warnings", "no entry can ever be sized");
  await page.fill(field("config.general.initial_entry_balance_pct"), "10");
  quiet();
}

/** Each choice shows its own fields and hides the others. */
async function fieldsHide({ page, quiet }: Walker) {
  const visible = (name: string) => page.isVisible(field(name));
  const pairs = [
    ["config.exits.sl_mode", "ATR", "config.exits.sl_pct", "config.exits.sl_atr_mult"],
    ["config.exits.tp_mode", "PCT", "config.exits.tp_atr_mult", "config.exits.tp_pct"],
    [
      "config.dca.deviation_mode",
      "ATR",
      "config.dca.base_deviation_pct",
      "config.general.lock_atr_on_entry_for_dca",
    ],
    [
      "config.general.initial_entry_sizing_mode",
      "fixed_usd",
      "config.general.initial_entry_balance_pct",
      "config.general.initial_entry_fixed_usd",
    ],
  ] as const;
  for (const [choice, value, gone, come] of pairs) {
    expect([choice, await visible(gone), await visible(come)]).toEqual([choice, true, false]);
    const before = await page.inputValue(field(choice));
    await page.selectOption(field(choice), value);
    await page.waitForSelector(field(come), { state: "visible" });
    expect([choice, await visible(gone)]).toEqual([choice, false]);
    await page.selectOption(field(choice), before);
    await page.waitForSelector(field(gone), { state: "visible" });
  }
  await page.uncheck(field("config.trend.enabled"));
  await page.waitForSelector(field("config.trend.ma_len"), { state: "hidden" });
  await page.check(field("config.trend.enabled"));
  await page.check(`${field("range.mode")}[value=bars]`, { force: true });
  await page.waitForSelector(field("range.bars"), { state: "visible" });
  expect(await visible("range.duration")).toBe(false);
  quiet();
}

async function help({ page, judge, quiet }: Walker) {
  await page.focus("[popovertarget='config-exits-tp_mode-help']");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#config-exits-tp_mode-help", { state: "visible" });
  await judge("b03-help");
  await page.keyboard.press("Escape");
  await page.waitForSelector("#config-exits-tp_mode-help", { state: "hidden" });
  quiet();
}

/** Another market brings its own rules; what its exchange cannot tell can be typed. */
async function otherMarket(walk: Walker) {
  const { page, look, quiet } = walk;
  const stored = await page.inputValue(field("series"));
  await page.selectOption(field("series"), "other");
  await page.fill(field("market.exchange"), "nowhere");
  await page.fill(field("market.symbol"), "BTC/USDT:USDT");
  await page.press(field("market.symbol"), "Tab");
  await says(walk, "#rules", "No rules of BTC/USDT:USDT on nowhere are stored");
  expect(await page.inputValue(field("instrument.price_tick"))).toBe("");
  await page.click("text=Fetch from exchange");
  await says(walk, "#rules", "can be typed in");
  await says(walk, "#preview", "Price tick is empty");
  await look("b04-other-market");
  await page.selectOption(field("series"), stored);
  await says(walk, "#rules", "as published on");
  expect(await page.inputValue(field("instrument.price_tick"))).toBe("0.1");
  quiet();
}

async function refused({ page, judge, quiet }: Walker) {
  await page.fill(field("config.general.max_entries"), "0");
  await page.fill(field("run.leverage"), "999");
  await page.click(".run-bar button");
  await page.waitForSelector(".notice li >> nth=1");
  expect(await page.evaluate(FOCUSED)).toBe("config.general.max_entries");
  expect(await page.inputValue(field("run.leverage"))).toBe("999");
  expect(await page.textContent("#run-leverage-problem")).toContain("from 1 to 200");
  await judge("b05-refused");
  quiet(422);
  await page.click(".notice li >> nth=1 >> a");
  expect(new URL(page.url()).hash).toBe("#run-leverage");
}

/** No mouse from here to the result. */
async function byKeyboard({ page, quiet }: Walker) {
  await page.focus(field("run.leverage"));
  await page.keyboard.press("Control+a");
  await page.keyboard.type("2");
  await page.focus(field("config.general.max_entries"));
  await page.keyboard.press("Control+a");
  await page.keyboard.type("4");
  await page.keyboard.press("Shift+Tab");
  const seen = new Set<string>();
  for (let i = 0; i < 12; i++) {
    await page.keyboard.press("Tab");
    const outline = `(() => { const each = document.activeElement;
      const shown = each.matches("[type=radio]") ? each.nextElementSibling : each;
      return getComputedStyle(shown).outlineStyle; })()`;
    expect(await page.evaluate(outline)).not.toBe("none");
    seen.add(String(await page.evaluate(FOCUSED)));
  }
  expect(seen.has("config.general.entry_cooldown_min")).toBe(true);
  await page.focus(`${field("direction")}:checked`);
  await page.keyboard.press("ArrowRight");
  expect(await page.inputValue(`${field("direction")}:checked`)).toBe("short");
  await page.focus(field("name"));
  await page.keyboard.type("by keyboard");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/runs/*");
  quiet();
}

async function periods({ page, judge, quiet, fill }: Walker, running: Serving) {
  await page.goto(`${running.url}/backtest`);
  expect(await page.inputValue(field("name"))).toBe("by keyboard");
  await page.click("text=Save as a period");
  await page.waitForURL("**/backtest/periods?from=*");
  await fill({ name: "A quiet summer" });
  await page.click("text=Save period");
  await page.waitForSelector("text=The period is saved.");
  await judge("b06-periods");
  await page.click("text=A quiet summer");
  await page.waitForURL("**/backtest?period=*");
  expect(await page.isVisible(field("range.period"))).toBe(true);
  await page.click("text=Reset to defaults");
  await page.waitForSelector("text=back at its defaults");
  expect(await page.inputValue(field("name"))).toBe("");
  quiet();
}

for (const [width, height] of HEIGHTS) {
  testIf(
    "browser",
    `a backtest is set up and asked for, ${width} px wide`,
    async () => {
      const data = dataFolder();
      const running = await serving(SERVE, { env: { DRAGON_DATA_DIR: data.path } });
      const browser = await launch();
      try {
        const walk = walker(await browser.newPage({ viewport: { width, height } }));
        await becomeOwner(walk, running);
        await openForm(walk);
        await ladderFollows(walk);
        await fieldsHide(walk);
        await help(walk);
        await otherMarket(walk);
        await refused(walk);
        await byKeyboard(walk);
        await periods(walk, running);
      } finally {
        await browser.close();
        await running.stop();
        data.remove();
      }
    },
    120_000,
  );
}
