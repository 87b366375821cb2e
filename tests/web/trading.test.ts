// The page of trading states, the line on every page and the forms behind them: who may do what, what is asked first,
// and that another workspace is neither seen nor touched.
import { expect, test } from "bun:test";
import type { Role } from "../../src/ports/access-store.ts";
import { workspaceWith } from "./web-case.ts";
import { type TradingCase, tradingCase } from "./trading-case.ts";

function pageTest(
  name: string,
  body: (world: TradingCase) => Promise<void>,
  options: Parameters<typeof tradingCase>[0] = {},
): void {
  test(
    name,
    async () => {
      const world = await tradingCase(options);
      try {
        await body(world);
      } finally {
        await world.close();
      }
    },
    60_000,
  );
}

const stateOf = async ({ side, alpha }: TradingCase, key: string) =>
  (await side.emergency.view(alpha.scope)).states.find((each) => each.key === key)?.state ??
  "active";

pageTest("everybody sees the states, only traders the form, only owners a release", async (w) => {
  const bot = await w.rows.bot("One");
  const trader = await w.browser("trader");
  await trader.post("/trading/kill", { scope: "global", level: "stop", reason: "a test" });
  const text = async (role: Role) => (await (await w.browser(role)).get("/trading")).text();
  for (const role of ["viewer", "trader", "owner"] as const) {
    const page = await text(role);
    expect(page).toContain("Everything");
    expect(page).toContain("a test");
    expect(page).toContain("trader@alpha.example");
    expect([role, page.includes('id="stop-scope"')]).toEqual([role, role !== "viewer"]);
    expect([role, page.includes('id="kill"')]).toEqual([role, role !== "viewer"]);
    expect([role, page.includes("Release…")]).toEqual([role, role === "owner"]);
  }
  expect(await text("trader")).toContain(`value="bot:${bot.id}"`);
});

pageTest("blocking and stopping happen at once", async (w) => {
  const bot = await w.rows.bot("One");
  const trader = await w.browser("trader");
  const blocked = await trader.post("/trading/kill", { scope: `bot:${bot.id}`, level: "block" });
  expect([blocked.status, blocked.headers.get("location")]).toEqual([303, "/trading?done=killed"]);
  expect(await stateOf(w, `bot:${bot.id}`)).toBe("reducing");
  await trader.post("/trading/kill", { scope: "global", level: "stop" });
  expect(await stateOf(w, "global")).toBe("halted");
  const again = await trader.post("/trading/kill", { scope: "global", level: "block" });
  expect(again.status).toBe(409);
  expect(await again.text()).toContain("Everything is halted already");
});

pageTest(
  "closing and freezing ask first, with everything in reach, and want the word",
  async (w) => {
    const bot = await w.rows.bot("One");
    await w.rows.holds(bot, "2");
    await w.rows.order(bot, { targetKey: "dca:1", purpose: "rung" });
    const trader = await w.browser("trader");
    const wish = { scope: "global", level: "freeze", reason: "<b>" };
    const asked = await trader.post("/trading/kill", wish);
    expect(asked.status).toBe(200);
    const page = await asked.text();
    expect(page).toContain("Orders that can still be executed");
    expect(page).toContain("buy 2 BTC/USDT:USDT at 100.5");
    expect(page).toContain("NO protective stop");
    expect(page).toContain('value="&lt;b&gt;"');
    expect(await stateOf(w, "global")).toBe("active");
    const wrong = await trader.post("/trading/kill", { ...wish, confirm: "freeze" });
    expect(wrong.status).toBe(422);
    expect(await stateOf(w, "global")).toBe("active");
    const right = await trader.post("/trading/kill", { ...wish, confirm: "FREEZE" });
    expect(right.status).toBe(303);
    expect(await stateOf(w, "global")).toBe("frozen");
  },
);

pageTest("closing everything reports each bot", async (w) => {
  const bot = await w.rows.bot("One");
  const trader = await w.browser("trader");
  const wish = { scope: `account:${bot.accountId}`, level: "flatten", confirm: "FLATTEN" };
  const closing = await trader.post("/trading/kill", wish);
  expect(closing.headers.get("location")).toBe("/trading?done=closing");
  expect(await (await trader.get("/trading")).text()).toContain("0 of 1 bots closed");
  await w.rows.flattened(bot, "flatten_incomplete", "Still held: 2 BTC.");
  const page = await (await trader.get("/trading")).text();
  expect(page).toContain("Still held: 2 BTC.");
  expect(page).toContain("still open");
});

pageTest("a release asks, wants the word, and is for owners", async (w) => {
  const trader = await w.browser("trader");
  const owner = await w.browser("owner");
  await trader.post("/trading/kill", { scope: "global", level: "stop" });
  expect((await trader.post("/trading/resume", { scope: "global" })).status).toBe(403);
  const asked = await owner.post("/trading/resume", { scope: "global" });
  expect([asked.status, (await asked.text()).includes("RESUME")]).toEqual([200, true]);
  const wrong = await owner.post("/trading/resume", { scope: "global", confirm: "yes" });
  expect(wrong.status).toBe(422);
  expect(await stateOf(w, "global")).toBe("halted");
  const right = await owner.post("/trading/resume", { scope: "global", confirm: "RESUME" });
  expect(right.headers.get("location")).toBe("/trading?done=resumed");
  expect(await stateOf(w, "global")).toBe("active");
  expect((await owner.post("/trading/resume", { scope: "bot:77" })).status).toBe(404);
});

pageTest("frozen live trading has no release and is refused one", async (w) => {
  const owner = await w.browser("owner");
  expect(await (await owner.get("/trading")).text()).not.toContain("Release…");
  const wish = { scope: "live", confirm: "RESUME" };
  const answer = await owner.post("/trading/resume", wish);
  expect([answer.status, (await answer.text()).includes("pre-flight")]).toEqual([409, true]);
});

pageTest(
  "the line on every page is empty, then names what is stopped and who confirmed",
  async (w) => {
    const viewer = await w.browser("viewer");
    const empty = await viewer.get("/trading/banner");
    expect([empty.status, await empty.text()]).toEqual([200, ""]);
    const trader = await w.browser("trader");
    await trader.post("/trading/kill", { scope: "global", level: "stop" });
    const line = await (await viewer.get("/trading/banner")).text();
    expect(line).toContain("Everything");
    expect(line).toContain("stopped");
    expect(line).toContain("1 of 1 worker confirmed");
    expect(await (await viewer.get("/runs")).text()).toContain('hx-get="/trading/banner"');
  },
  { workerEpoch: 1_000_000 },
);

pageTest("findings are settled by who may, closing wants the word", async (w) => {
  const bot = await w.rows.bot("One");
  const choices = ["adopt", "flatten"] as const;
  const finding = { key: "drift", kind: "position_drift", symbol: "BTC/USDT:USDT" } as const;
  await w.rows.finds(bot, [{ ...finding, sentence: "0.5 more.", since: 1, choices }]);
  const trader = await w.browser("trader");
  const page = await (await trader.get("/trading")).text();
  expect(page).toContain("0.5 more.");
  expect([page.includes("Take over"), page.includes("Close…")]).toEqual([false, true]);
  const wish = { account: String(bot.accountId), finding: "drift", choice: "flatten" };
  const asked = await trader.post("/trading/settle", wish);
  expect([asked.status, (await asked.text()).includes("Type")]).toEqual([200, true]);
  const done = await trader.post("/trading/settle", { ...wish, confirm: "FLATTEN" });
  expect(done.headers.get("location")).toBe("/trading?done=settled");
  const adopt = { ...wish, choice: "adopt" };
  expect((await trader.post("/trading/settle", adopt)).status).toBe(403);
  expect((await (await w.browser("owner")).post("/trading/settle", adopt)).status).toBe(303);
  expect((await trader.post("/trading/settle", { ...wish, account: "x" })).status).toBe(404);
});

pageTest("every finding offers what works for it, and only to who may", async (w) => {
  const bot = await w.rows.bot("One");
  const symbol = "BTC/USDT:USDT";
  const ignored = "1 more. Ignored by ann@example.org since 2026-01-05 08:10 UTC.";
  await w.rows.finds(bot, [
    { key: "k1", kind: "position_drift", symbol, sentence: ignored, since: 1, choices: ["heed"] },
    {
      key: "k2",
      kind: "stranger_order",
      symbol,
      sentence: "Order 7.",
      since: 1,
      choices: ["ignore"],
    },
    { key: "k3", kind: "known_position", symbol, sentence: "2 known.", since: 1, choices: [] },
  ]);
  const trader = await w.browser("trader");
  const owner = await w.browser("owner");
  const viewer = await w.browser("viewer");
  const [forTrader, forOwner] = [
    await (await trader.get("/trading")).text(),
    await (await owner.get("/trading")).text(),
  ];
  for (const page of [forTrader, forOwner]) {
    expect(page).toContain(ignored);
    expect(page).toContain("A person&#39;s position");
    expect(page).toContain("Stop ignoring");
    expect(page).not.toContain("Close…");
  }
  const offersIgnore = 'name="choice" value="ignore"';
  expect([forTrader, forOwner].map((page) => page.includes(offersIgnore))).toEqual([false, true]);
  const wish = { account: String(bot.accountId), finding: "k1", choice: "heed", confirm: "" };
  expect((await viewer.post("/trading/settle", wish)).status).toBe(403);
  expect((await trader.post("/trading/settle", wish)).status).toBe(303);
  const ignore = { ...wish, finding: "k2", choice: "ignore" };
  expect((await trader.post("/trading/settle", ignore)).status).toBe(403);
  expect((await owner.post("/trading/settle", ignore)).status).toBe(303);
});

pageTest("nothing of another workspace is seen or touched", async (w) => {
  const bot = await w.rows.bot("Secret bot");
  await workspaceWith(w.made, "beta");
  const stranger = await w.browser("owner", "beta");
  expect(await (await stranger.get("/trading")).text()).not.toContain("Secret bot");
  expect(await (await stranger.get("/trading/scopes")).text()).not.toContain("Secret bot");
  const wish = { scope: `bot:${bot.id}`, level: "stop" };
  expect((await stranger.post("/trading/kill", wish)).status).toBe(422);
  const freeze = { ...wish, level: "freeze" };
  expect((await stranger.post("/trading/kill", freeze)).status).toBe(404);
  expect(await stateOf(w, `bot:${bot.id}`)).toBe("active");
});

pageTest("nonsense is answered with a sentence and changes nothing", async (w) => {
  const trader = await w.browser("trader");
  for (const level of ["", "nuke", "STOP", "constructor"]) {
    expect((await trader.post("/trading/kill", { scope: "global", level })).status).toBe(422);
  }
  for (const scope of ["", "globe", "bot:", "bot:1e9", "account:-1", "bot:99999999999999999999"]) {
    expect((await trader.post("/trading/kill", { scope, level: "stop" })).status).toBe(422);
  }
  const long = { scope: "global", level: "stop", reason: "x".repeat(301) };
  expect((await trader.post("/trading/kill", long)).status).toBe(422);
  expect(await stateOf(w, "global")).toBe("active");
});
