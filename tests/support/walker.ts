// A person at a real browser: one page of Chromium that collects what the browser complains about,
// takes pictures and looks whether everything fits. Used by the walks.
import { expect } from "bun:test";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { seriousFindings } from "./axe.ts";
import type { Serving } from "./dragon.ts";
import { installedBrowser } from "./needs.ts";

/** A good password for walks. */
export const PASSWORD = "plum-harbour-nine-otters";
/** Wide and narrow windows, by width. */
export const HEIGHTS: ReadonlyMap<number, number> = new Map([
  [1440, 900],
  [375, 667],
]);

const SCREENSHOTS = process.env.DRAGON_TEST_SCREENSHOTS;
const STEP_LIMIT_MS = 15_000;

/** Starts the installed Chromium. */
export async function launch(): Promise<Browser> {
  const { chromium } = await import("playwright-core");
  return chromium.launch({
    executablePath: installedBrowser() ?? "",
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
  });
}

/** Controls too low to hit, except what is only seen through its label or stands in a line of text. */
const SMALL = `[...document.querySelectorAll("button, input:not([type=hidden]), select, nav a")]
  .filter((each) => each.offsetParent !== null && each.getBoundingClientRect().width > 1)
  .filter((each) => !each.matches("[type=checkbox], [type=radio], .small-target"))
  .filter((each) => each.getBoundingClientRect().height < 43.5)
  .map((each) => each.outerHTML.slice(0, 80))`;

/** Drives one page and collects what the browser complains about. */
export function walker(page: Page) {
  page.setDefaultTimeout(STEP_LIMIT_MS);
  const problems: string[] = [];
  const width = page.viewportSize()?.width ?? 0;
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") problems.push(message.text());
  });
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("requestfailed", (request) => {
    const reason = request.failure()?.errorText ?? "unknown";
    // The walk left the page before its icon had come; a refused file has another reason.
    if (reason !== "net::ERR_ABORTED") problems.push(`failed: ${request.url()} ${reason}`);
  });
  const look = async (name: string) => {
    if (SCREENSHOTS) {
      const path = join(SCREENSHOTS, `${name}-${width}.png`);
      // Hiding the caret would need an inline style, which no page allows.
      await page.screenshot({ path, fullPage: true, caret: "initial" });
    }
    const overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
    expect([name, await page.evaluate(overflow)]).toEqual([name, 0]);
    expect([name, await page.evaluate(SMALL)]).toEqual([name, []]);
  };
  return {
    page,
    width,
    /** Takes a picture, and allows nothing wider than the window and no target too small to hit. */
    look,
    /** Like `look`, and axe-core finds nothing serious. */
    async judge(name: string) {
      await look(name);
      expect([name, await seriousFindings(page)]).toEqual([name, []]);
    },
    /** Nothing was complained about but the refused request that the step was about. */
    quiet(expected?: number | RegExp) {
      const known = expected instanceof RegExp ? expected : new RegExp(`${expected ?? "(?!)"}`);
      expect(problems.filter((text) => !known.test(text))).toEqual([]);
      problems.length = 0;
    },
    async fill(fields: Record<string, string>) {
      for (const [id, value] of Object.entries(fields)) await page.fill(`main #${id}`, value);
    },
    /** Opens the menu where there is one. */
    async menu() {
      if (width <= 760) await page.click(".menu-button");
    },
  };
}

/** What `walker` gives. */
export type Walker = ReturnType<typeof walker>;

/** Opens the one-time link and creates the owner, who is then signed in. */
export async function becomeOwner({ page, fill }: Walker, running: Serving): Promise<void> {
  await page.goto(running.setupUrl ?? "");
  await fill({ email: "ann@example.org", password: PASSWORD, repeat: PASSWORD });
  await page.selectOption("#timeZone", "Europe/Vienna");
  await page.click("main button");
  await page.waitForSelector("text=Next steps");
  await page.waitForLoadState("load");
}
