// Going live in a real browser: the empty card, a pre-flight that fails, one that goes on and passes, arming with its
// words, a reached limit, switching off; as an owner and as a viewer; wide and narrow.
import { expect } from "bun:test";
import { listen } from "../../src/web/server.ts";
import { testIf } from "../support/needs.ts";
import { HEIGHTS, launch, PASSWORD, type Walker, walker } from "../support/walker.ts";
import { ACCOUNT_NAME, type LiveAccountCase, liveAccountCase } from "../web/live-account-case.ts";

/** The app behind a real port; the exchange answers over loopback. */
async function served() {
  const world = await liveAccountCase();
  const server = listen(world.made.app, { host: "127.0.0.1", port: 0 });
  return {
    ...{ world, url: `http://127.0.0.1:${server.port}` },
    async stop() {
      await server.stop(1000);
      await world.close();
    },
  };
}

type Served = Awaited<ReturnType<typeof served>>;

async function signIn({ page, fill }: Walker, { url, world }: Served, role: string) {
  await page.goto(`${url}/login?next=${encodeURIComponent(world.path)}`);
  await fill({ email: `${role}@alpha.example`, password: PASSWORD });
  await page.click("main button");
  await page.waitForURL(`${url}${world.path}`);
}

/** What a worker would tell. */
function tell({ bots, alpha, made, id }: LiveAccountCase, equity: string, blocks: string[]) {
  const at = made.clock.now();
  const isWell = blocks.length === 0;
  const body = {
    ...{ format: 1, health: isWell ? "ok" : "warning", asset: "USDT", exchange: "ok" },
    ...{ sentence: blocks[0] ?? "Everything is in order.", blocks, findings: [], equity },
    ...{ walletBalance: "10000", freeBalance: "8123.4", unrealised: "5", grossExposure: "2500" },
    ...{ pnlToday: "-12.5", pnlTotal: "105.25", peakEquity: "10118", openOrders: 2 },
    ...{ clockOffsetMs: null, lastReconciledAt: at, isReconciled: true, worker: "host-41-1770" },
    ...{ leaseUntil: at + 60_000, lastTickAt: at, unprotectedMs: 0 },
  };
  const snapshot = { accountId: id, botId: null, worker: "host-41-1770", at, body };
  return bots.saveFigures(alpha.scope, [snapshot], []);
}

async function standing({ page, judge, quiet }: Walker, { world }: Served) {
  await page.waitForSelector("text=No worker has looked at the account yet");
  await judge("g01-off");
  await tell(world, "10105.25", []);
  // The page is told by its stream.
  await page.waitForSelector("text=$10,105.25");
  await judge("g02-standing");
  quiet();
}

async function check({ page, judge, quiet }: Walker, { world }: Served) {
  const permissions = { mayTrade: true, mayWithdraw: true, isAddressBound: null };
  world.held.broker = { permissions: async () => permissions };
  await page.click("text=Run the pre-flight");
  await page.waitForSelector("text=At least one check failed");
  await judge("g03-failed");
  expect(await page.locator("#typedName").count()).toBe(0);
  world.held.broker = {};
  let open = () => {};
  world.held.gate = new Promise((resolve) => {
    open = resolve;
  });
  await page.click("text=Run the pre-flight again");
  await page.waitForSelector("#preflight progress");
  await judge("g04-busy");
  open();
  // The card asks for itself again when the run has ended.
  await page.waitForSelector("text=Nothing failed");
  await page.waitForSelector("#typedName");
  await page.click("text=Passed (15)");
  await judge("g05-passed");
  quiet();
}

async function arm({ page, judge, fill, quiet }: Walker, { url, world }: Served) {
  await fill({ typedName: "main" });
  await page.click("text=Arm with real money");
  await page.waitForSelector("#typedName-problem");
  expect(await page.inputValue("#typedName")).toBe("main");
  await judge("g06-wrong-name");
  quiet(422);
  await fill({ typedName: ACCOUNT_NAME });
  await page.click("text=Arm with real money");
  await page.waitForSelector("#keyBackup-problem");
  await judge("g07-no-backup");
  quiet(422);
  await page.check("#keyBackup");
  await fill({ typedName: ACCOUNT_NAME });
  await page.click("text=Arm with real money");
  await page.waitForURL(`${url}${world.path}?done=armed`);
  await judge("g08-armed");
  quiet();
}

async function resetLimit({ page, judge, quiet }: Walker, { url, world }: Served) {
  const sentence = "Loss in total 512.00 USD of 500 allowed: nothing is opened until it is reset";
  const trips = [{ kind: "total_loss", at: world.made.clock.now(), sentence }];
  const account = { peakProfit: "0", trips };
  const change = {
    key: `account_latch.${world.id}`,
    value: { format: 1, account, bots: { [world.bot.id]: account } },
  };
  await world.settings.write(world.alpha.scope, change, world.made.clock.now());
  await tell(world, "9488", [sentence]);
  await page.goto(`${url}${world.path}`);
  await page.waitForSelector("text=Limit reached: Total loss");
  await page.click("#reached summary >> nth=0");
  await judge("g09-reached");
  await page.fill("#reached input[name=confirm] >> nth=0", "RESET");
  await page.click("#reached button >> nth=0");
  await page.waitForURL(`${url}${world.path}?done=reset`);
  expect(await page.locator(".reached").count()).toBe(1);
  quiet();
}

async function disarm({ page, judge, quiet }: Walker, { url, world }: Served) {
  await page.click("text=Switch live trading off…");
  await judge("g10-disarm");
  await page.fill("section[aria-labelledby=live] input[name=confirm]", "DISARM");
  await page.click("section[aria-labelledby=live] button.danger");
  await page.waitForURL(`${url}${world.path}?done=disarmed`);
  await judge("g11-disarmed");
  quiet();
}

async function asViewer(walk: Walker, running: Served) {
  const { page, judge, menu, quiet } = walk;
  await menu();
  await page.click(".who >> text=Sign out");
  await page.waitForSelector("text=You are signed out");
  await signIn(walk, running, "viewer");
  await page.waitForSelector("text=An owner arms the account");
  expect(await page.locator("main form").count()).toBe(0);
  await judge("g12-viewer");
  await page.goto(`${running.url}/help/going-live`);
  await judge("g13-help");
  quiet();
}

for (const [width, height] of HEIGHTS) {
  testIf(
    "browser",
    `a live account is checked, armed, reset and switched off, ${width} px wide`,
    async () => {
      const running = await served();
      const browser = await launch();
      try {
        const walk = walker(await browser.newPage({ viewport: { width, height } }));
        await signIn(walk, running, "owner");
        await standing(walk, running);
        await check(walk, running);
        await arm(walk, running);
        await resetLimit(walk, running);
        await disarm(walk, running);
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
