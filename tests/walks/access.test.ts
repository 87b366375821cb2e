// Access in a real browser: set-up, sign-in, account, a new viewer, and the page the viewer may not
// see; at a wide and a narrow window, without an error, a refused file or a sideways scroll.
import { expect } from "bun:test";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { dataFolder, SERVE, type Serving, serving } from "../support/dragon.ts";
import { installedBrowser, testIf } from "../support/needs.ts";

const PASSWORD = "plum-harbour-nine-otters";
const NEXT = "another-quiet-teapot-song";
const SCREENSHOTS = process.env.DRAGON_TEST_SCREENSHOTS;
const HEIGHTS = new Map([
  [1440, 900],
  [375, 667],
]);

/** Drives one page and collects what the browser complains about. */
function walker(page: Page) {
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
  return {
    page,
    /** Takes a picture, and allows nothing wider than the window and no target too small to hit. */
    async look(name: string) {
      if (SCREENSHOTS) {
        const path = join(SCREENSHOTS, `${name}-${width}.png`);
        await page.screenshot({ path, fullPage: true });
      }
      const overflow =
        "document.documentElement.scrollWidth - document.documentElement.clientWidth";
      expect([name, await page.evaluate(overflow)]).toEqual([name, 0]);
      const small = `[...document.querySelectorAll("button, input:not([type=hidden]), select, nav a")]
        .filter((each) => each.offsetParent !== null && !each.matches(".menu-toggle"))
        .filter((each) => each.getBoundingClientRect().height < 43.5)
        .map((each) => each.outerHTML.slice(0, 80))`;
      expect([name, await page.evaluate(small)]).toEqual([name, []]);
    },
    /** Nothing was complained about but the refused request that the step was about. */
    quiet(status?: number) {
      const rest = problems.filter((text) => status === undefined || !text.includes(`${status}`));
      expect(rest).toEqual([]);
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

type Walker = ReturnType<typeof walker>;

async function setUp({ page, look, fill, menu, quiet }: Walker, running: Serving) {
  await page.goto(running.setupUrl ?? "");
  await fill({ email: "ann@example.org", password: PASSWORD, repeat: PASSWORD });
  await page.selectOption("#timeZone", "Europe/Vienna");
  await page.click("main button");
  await page.waitForURL(`${running.url}/`);
  await page.waitForSelector("text=Next steps");
  await look("a01-start-after-set-up");
  await menu();
  await page.click(".who >> text=Sign out");
  await page.waitForSelector("text=You are signed out");
  await page.goto(`${running.url}/users`);
  expect(page.url()).toContain("/login?next=%2Fusers");
  await look("a02-login");
  quiet();
  await fill({ email: "ann@example.org", password: "not-the-password" });
  await page.click("main button");
  await page.waitForSelector("[role=alert]");
  expect(await page.inputValue("#email")).toBe("ann@example.org");
  await look("a03-login-refused");
  quiet(422);
  await fill({ password: PASSWORD });
  await page.keyboard.press("Enter");
  await page.waitForURL(`${running.url}/users`);
  await look("a04-users");
}

async function ownAccount({ page, look, fill, menu, quiet }: Walker, running: Serving) {
  await page.click(".brand");
  await page.waitForSelector("text=Next steps");
  await look("a05-start");
  await menu();
  await look("a06-menu");
  await page.click("nav >> text=Account");
  await page.waitForURL(`${running.url}/account`);
  await look("a07-account");
  await fill({ name: "backup script" });
  await page.click("text=Make token");
  await page.waitForSelector(".secret");
  await look("a08-token");
  await page.click("text=Back to the account");
  await fill({ current: PASSWORD, password: NEXT, repeat: "something else entirely" });
  await page.click("text=Change password");
  await page.waitForSelector(".problem");
  await look("a09-account-refused");
  quiet(422);
  await fill({ current: PASSWORD, password: NEXT, repeat: NEXT });
  await page.click("text=Change password");
  await page.waitForSelector("text=Your password is changed");
  await look("a10-account-done");
  quiet();
}

async function addViewer({ page, look, fill, quiet }: Walker, running: Serving): Promise<string> {
  await page.goto(`${running.url}/users/new`);
  await look("a11-new-user");
  await fill({ email: "viewer-with-a-rather-long-address@department.example.org" });
  await page.click("main button");
  const link = (await page.textContent(".secret")) ?? "";
  await look("a12-link");
  await page.click("text=Back to the users");
  await look("a13-users");
  await page.click("text=viewer-with");
  await page.waitForSelector("text=One-time link");
  await look("a14-user");
  quiet();
  return link.trim();
}

async function manual({ page, look, quiet }: Walker, running: Serving) {
  for (const topic of ["", "/configuration", "/backtest"]) {
    await page.goto(`${running.url}/help${topic}`);
    await look(`a15-help${topic.replace("/", "-")}`);
  }
  await page.goto(`${running.url}/nothing-here`);
  await look("a16-not-found");
  quiet(404);
}

async function asViewer(walk: Walker, running: Serving, link: string) {
  const { page, look, fill, menu, quiet } = walk;
  await menu();
  await page.click(".who >> text=Sign out");
  await page.waitForSelector("text=You are signed out");
  await page.goto(link);
  await look("a17-set-password");
  await fill({ password: PASSWORD, repeat: PASSWORD });
  await page.click("main button");
  await page.waitForSelector("text=Your password is set");
  await look("a18-login-after-link");
  const email = "viewer-with-a-rather-long-address@department.example.org";
  await fill({ email, password: PASSWORD });
  await page.click("main button");
  await page.waitForSelector("text=Next steps");
  expect(await page.locator("nav >> text=Users").count()).toBe(0);
  await look("a19-start-viewer");
  quiet();
  const refused = await page.goto(`${running.url}/users`);
  expect(refused?.status()).toBe(403);
  expect(await page.textContent("main")).toContain("this page is for owners");
  await look("a20-forbidden");
  quiet(403);
}

async function keyboard({ page }: Walker, running: Serving) {
  await page.goto(`${running.url}/account`);
  await page.keyboard.press("Tab");
  expect(await page.evaluate("document.activeElement?.className")).toBe("skip");
  for (let i = 0; i < 8; i++) {
    await page.keyboard.press("Tab");
    const outline = `(() => { const each = document.activeElement;
      const shown = each.matches(".menu-toggle") ? each.nextElementSibling : each;
      return getComputedStyle(shown).outlineStyle; })()`;
    expect(await page.evaluate(outline)).not.toBe("none");
  }
}

for (const [width, height] of HEIGHTS) {
  testIf(
    "browser",
    `an owner signs in and adds a viewer, who is kept out of the users, ${width} px wide`,
    async () => {
      const { chromium } = await import("playwright-core");
      const data = dataFolder();
      const running = await serving(SERVE, { env: { DRAGON_DATA_DIR: data.path } });
      const browser = await chromium.launch({
        executablePath: installedBrowser() ?? "",
        args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
      });
      try {
        const walk = walker(await browser.newPage({ viewport: { width, height } }));
        walk.page.setDefaultTimeout(15_000);
        await setUp(walk, running);
        await ownAccount(walk, running);
        const link = await addViewer(walk, running);
        await manual(walk, running);
        await asViewer(walk, running, link);
        await keyboard(walk, running);
        walk.quiet();
      } finally {
        await browser.close();
        await running.stop();
        data.remove();
      }
    },
    120_000,
  );
}
