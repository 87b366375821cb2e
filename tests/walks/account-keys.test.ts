// Exchange accounts in a real browser: the empty list, the form in two steps, refused keys, an account with
// its test, limits, keys and danger zone, as an owner and as a viewer; wide and narrow.
import { expect } from "bun:test";
import { createApp } from "../../src/web/app.tsx";
import { listen } from "../../src/web/server.ts";
import { aCheck, aReport, KEYS, testAccounts, testProbe } from "../support/account-probe.ts";
import { testIf } from "../support/needs.ts";
import { HEIGHTS, launch, PASSWORD, type Walker, walker } from "../support/walker.ts";
import { webCase, workspaceWith } from "../web/web-case.ts";

type Probe = ReturnType<typeof testProbe>;

/** The app behind a real port; everything but the exchange is real. */
async function served() {
  const made = await webCase();
  const probe = testProbe();
  const tradingAccounts = await testAccounts(made.database.sql, made.clock, { probe });
  const app = createApp({ ...made.deps, tradingAccounts });
  await workspaceWith(made, "alpha");
  const server = listen(app, { host: "127.0.0.1", port: 0 });
  return {
    probe,
    url: `http://127.0.0.1:${server.port}`,
    async stop() {
      await server.stop(1000);
      await made.database.drop();
    },
  };
}

async function signIn({ page, fill }: Walker, url: string, role: string) {
  await page.goto(`${url}/login?next=%2Faccounts`);
  await fill({ email: `${role}@alpha.example`, password: PASSWORD });
  await page.click("main button");
  await page.waitForURL(`${url}/accounts`);
}

async function addAccount(walk: Walker, url: string, probe: Probe) {
  const { page, judge, fill, quiet } = walk;
  await judge("k01-empty");
  await page.click("text=Add an account");
  await page.waitForSelector("#exchange");
  await judge("k02-place");
  await page.selectOption("#exchange", "okx");
  await page.click("text=Continue");
  await page.waitForSelector("#passphrase");
  await judge("k03-form");
  const sentence = "the key is only allowed from another address; add the one of this machine";
  const key = aCheck("key", { outcome: "fail", fault: "address", sentence });
  probe.answer = async () =>
    aReport({ checks: [aCheck("reachable"), aCheck("clock"), key], mayWithdraw: null });
  const name = "Main account with a rather long name for a phone";
  await fill({ name, ...KEYS, passphrase: "Phrase-12" });
  await page.click("text=Test and add");
  await page.waitForSelector("[role=alert]");
  expect(await page.inputValue("#apiKey")).toBe("");
  expect(await page.inputValue("#name")).toBe(name);
  expect(page.url()).not.toContain(KEYS.apiKey);
  await judge("k04-refused");
  quiet(422);
  probe.answer = async () => aReport();
  await fill({ ...KEYS, passphrase: "Phrase-12" });
  await page.click("text=Test and add");
  await page.waitForSelector("text=The account is added");
  expect(await page.content()).not.toContain(KEYS.apiKey);
  await judge("k05-account");
  await page.goto(`${url}/accounts`);
  await judge("k06-list");
  await page.click("text=Main account");
  await page.waitForSelector("text=Connectivity");
  quiet();
}

async function manage({ page, judge, fill, quiet }: Walker, probe: Probe) {
  const denied = "the key may not trade; allow trading for it at the exchange";
  probe.answer = async () =>
    aReport({
      checks: [
        aCheck("reachable"),
        aCheck("clock", {
          outcome: "warn",
          fault: "clock",
          sentence: "the clocks differ by 2.4 s",
        }),
        aCheck("key", { outcome: "fail", fault: "permission", sentence: denied }),
        aCheck("balances", { outcome: "skipped", sentence: "not tried after what failed above" }),
        aCheck("withdraw_permission", { outcome: "fail", fault: "withdraw", sentence: "it may" }),
      ],
      clockOffsetMs: 2400,
      mayWithdraw: true,
    });
  await page.click("text=Test the account");
  await page.waitForSelector("text=The test is done");
  await judge("k07-test-failed");
  await page.click("text=Allow new entries");
  await page.waitForSelector(".problem");
  quiet(422);
  await fill({ maxDailyLossUsd: "250", maxDrawdownPct: "200" });
  await page.click("text=Save limits");
  await page.waitForSelector("#maxDrawdownPct-problem");
  await judge("k08-limits-refused");
  quiet(422);
  await fill({ maxDrawdownPct: "20" });
  await page.click("text=Save limits");
  await page.waitForSelector("text=The limits are saved");
  await page.click("text=Replace the keys…");
  await page.click("text=Delete account…");
  await judge("k09-open-forms");
  probe.answer = async () => aReport();
  await fill({ ...KEYS, apiKey: "aNoThErKeyThatIsMasked", passphrase: "Phrase-12" });
  await page.click("text=Test and replace");
  await page.waitForSelector("text=The keys are replaced");
  await page.click("text=Former keys");
  await judge("k10-replaced");
  await page.click("text=Disable account");
  await page.waitForSelector("text=The account is disabled.");
  await judge("k11-disabled");
  quiet();
}

async function asViewer(walk: Walker, url: string) {
  const { page, judge, menu, quiet } = walk;
  await menu();
  await page.click(".who >> text=Sign out");
  await page.waitForSelector("text=You are signed out");
  await signIn(walk, url, "viewer");
  await judge("k12-list-viewer");
  await page.click("text=Main account");
  await page.waitForSelector("text=Connectivity");
  expect(await page.locator("main form").count()).toBe(0);
  await judge("k13-account-viewer");
  await page.goto(`${url}/help/accounts`);
  await judge("k14-help");
  quiet();
}

for (const [width, height] of HEIGHTS) {
  testIf(
    "browser",
    `an owner adds, tests, limits and disables an account that a viewer sees, ${width} px wide`,
    async () => {
      const running = await served();
      const browser = await launch();
      try {
        const walk = walker(await browser.newPage({ viewport: { width, height } }));
        await signIn(walk, running.url, "owner");
        await addAccount(walk, running.url, running.probe);
        await manage(walk, running.probe);
        await asViewer(walk, running.url);
        walk.quiet();
      } finally {
        await browser.close();
        await running.stop();
      }
    },
    120_000,
  );
}
