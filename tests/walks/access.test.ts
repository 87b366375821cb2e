// Access in a real browser: set-up, sign-in, account, a new viewer, and the page the viewer may not
// see; at a wide and a narrow window, without an error, a refused file or a sideways scroll.
import { expect } from "bun:test";
import { dataFolder, SERVE, type Serving, serving } from "../support/dragon.ts";
import { testIf } from "../support/needs.ts";
import { becomeOwner, HEIGHTS, launch, PASSWORD, type Walker, walker } from "../support/walker.ts";

const NEXT = "another-quiet-teapot-song";

async function setUp(walk: Walker, running: Serving) {
  const { page, look, fill, menu, quiet } = walk;
  await becomeOwner(walk, running);
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
  await page.click('nav >> text="Account"');
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
      const data = dataFolder();
      const running = await serving(SERVE, { env: { DRAGON_DATA_DIR: data.path } });
      const browser = await launch();
      try {
        const walk = walker(await browser.newPage({ viewport: { width, height } }));
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
