// Settling findings from the page of trading states and from the page of the account: who is offered what, who may take
// over, what is asked first, where the reader goes afterwards, and that nothing of another workspace is reached.
import { expect, test } from "bun:test";
import { createCommandRepository } from "../../src/adapters/postgres/command-repository.ts";
import type { FindingView } from "../../src/model/live-figures.ts";
import type { Bot } from "../../src/ports/bot-store.ts";
import type { Json } from "../../src/ports/settings-store.ts";
import { someAccountFigures } from "../support/bot-desk.ts";
import { workspaceWith } from "./web-case.ts";
import { type TradingCase, tradingCase } from "./trading-case.ts";

function pageTest(name: string, body: (world: TradingCase) => Promise<void>): void {
  test(
    name,
    async () => {
      const world = await tradingCase();
      try {
        await body(world);
      } finally {
        await world.close();
      }
    },
    60_000,
  );
}

const DRIFT = { key: "drift", kind: "position_drift", since: 1 } as const;
const ORDER: FindingView = {
  ...{ key: "stranger", kind: "stranger_order", since: 1, choices: ["adopt", "ignore", "cancel"] },
  ...{ symbol: "BTC/USDT:USDT", sentence: "order 7 (buy 1 at 90) was not placed here" },
};

/** A difference that the bot, or a person, may take over. */
function drift(bot: Bot): FindingView {
  return {
    ...{ ...DRIFT, symbol: bot.symbol, sentence: "0.5 more", choices: ["adopt", "flatten"] },
    heirs: [
      { botId: bot.id, name: bot.name },
      { botId: null, name: null },
    ],
  };
}

/** The worker tells how the account stands, with what it found. */
async function tell({ rows, alpha, made }: TradingCase, bot: Bot, found: readonly FindingView[]) {
  const at = made.clock.now();
  const body = { ...someAccountFigures(at, { findings: found }) } as unknown as Json;
  const snapshot = { accountId: bot.accountId, botId: null, worker: "worker-1", at, body };
  await rows.bots.saveFigures(alpha.scope, [snapshot], []);
}

const asked = ({ made, alpha }: TradingCase, { accountId }: Bot) =>
  createCommandRepository(made.database.sql).recent(alpha.scope, {
    ...{ accountId, botId: null, limit: 10 },
  });

const wishOf = (bot: Bot, change: Readonly<Record<string, string>>) => ({
  ...{ account: String(bot.accountId), finding: "drift", choice: "adopt" },
  ...change,
});

pageTest(
  "an owner names who takes it over, and the choice is kept with the decision",
  async (w) => {
    const bot = await w.rows.bot("Heir");
    await tell(w, bot, [drift(bot)]);
    const owner = await w.browser("owner");
    const question = await owner.post("/trading/settle", wishOf(bot, {}));
    const page = await question.text();
    expect([question.status, page.includes("Who takes it over")]).toEqual([200, true]);
    expect(page).toContain(`<option value="${bot.id}" selected="">the bot Heir</option>`);
    expect(page).toContain('<option value="person">nobody (a person)</option>');
    expect(await asked(w, bot)).toEqual([]);
    for (const named of [String(bot.id), "person", ""]) {
      const answer = wishOf(bot, { bot: named, confirm: "yes" });
      const done = await owner.post("/trading/settle", answer);
      expect([done.status, done.headers.get("location")]).toEqual([303, "/trading?done=settled"]);
    }
    const heirs = (await asked(w, bot)).map(({ command }) => "heir" in command && command.heir);
    expect(heirs).toEqual([false, null, bot.id]);
  },
);

pageTest("a bot that cannot have it is refused with a sentence", async (w) => {
  const bot = await w.rows.bot("Heir");
  const other = await w.rows.bot("Of another account");
  await tell(w, bot, [drift(bot), { ...ORDER, heirs: [{ botId: null, name: null }] }]);
  const owner = await w.browser("owner");
  for (const named of [String(other.id), "99999", "nobody", "1e3", "constructor"]) {
    const refused = await owner.post("/trading/settle", wishOf(bot, { bot: named }));
    expect([named, refused.status]).toEqual([named, 422]);
    expect(await refused.text()).toContain("cannot take it over");
  }
  const wrong = wishOf(bot, { finding: "stranger", bot: String(bot.id) });
  expect((await owner.post("/trading/settle", wrong)).status).toBe(422);
  expect(await asked(w, bot)).toEqual([]);
  const gone = await w.rows.bot("Gone");
  await tell(w, gone, [drift(gone)]);
  const removed = await w.rows.bots.remove(w.alpha.scope, gone.id, w.made.clock.now());
  expect(removed.ok).toBe(true);
  const late = await owner.post("/trading/settle", wishOf(gone, { bot: String(gone.id) }));
  expect([late.status, await asked(w, gone)]).toEqual([422, []]);
});

pageTest("nobody is asked where there is nothing to choose", async (w) => {
  const bot = await w.rows.bot("One");
  await tell(w, bot, [{ ...drift(bot), heirs: [{ botId: null, name: null }] }]);
  const owner = await w.browser("owner");
  expect(await (await owner.get("/trading")).text()).toContain("Take over");
  expect((await owner.post("/trading/settle", wishOf(bot, {}))).status).toBe(303);
  expect(await asked(w, bot)).toMatchObject([{ command: { choice: "adopt" } }]);
});

pageTest("cancelling asks once more, wants no word, and is for traders", async (w) => {
  const bot = await w.rows.bot("One");
  await tell(w, bot, [ORDER]);
  const [viewer, trader] = [await w.browser("viewer"), await w.browser("trader")];
  const page = await (await trader.get("/trading")).text();
  expect([page.includes("Cancel order"), page.includes("Take over")]).toEqual([true, false]);
  expect(await (await viewer.get("/trading")).text()).not.toContain("Cancel order");
  const wish = wishOf(bot, { finding: "stranger", choice: "cancel" });
  expect((await viewer.post("/trading/settle", wish)).status).toBe(403);
  const question = await trader.post("/trading/settle", wish);
  const text = await question.text();
  expect([question.status, text.includes("Order 7 (buy 1 at 90)")]).toEqual([200, true]);
  expect([text.includes('name="confirm" value="yes"'), text.includes("Type ")]).toEqual([
    true,
    false,
  ]);
  expect(await asked(w, bot)).toEqual([]);
  const done = await trader.post("/trading/settle", { ...wish, confirm: "yes" });
  expect(done.headers.get("location")).toBe("/trading?done=settled");
  expect(await asked(w, bot)).toMatchObject([{ command: { choice: "cancel" } }]);
});

pageTest("the page of the account offers the same, and the reader comes back to it", async (w) => {
  const bot = await w.rows.bot("Heir");
  const path = `/accounts/${bot.accountId}`;
  await tell(w, bot, [drift(bot), ORDER]);
  const texts = new Map<string, string>();
  for (const role of ["viewer", "trader", "owner"] as const) {
    texts.set(role, await (await (await w.browser(role)).get(path)).text());
  }
  const offers = (label: string) =>
    [...texts].flatMap(([role, text]) => (text.includes(`>${label}</button>`) ? [role] : []));
  expect(offers("Take over")).toEqual(["owner"]);
  expect(offers("Ignore")).toEqual(["owner"]);
  expect(offers("Close…")).toEqual(["trader", "owner"]);
  expect(offers("Cancel order")).toEqual(["trader", "owner"]);
  for (const text of texts.values()) {
    expect(text).toContain("0.5 more");
    expect(text).toContain("Another position than known");
  }
  const owner = await w.browser("owner");
  const adopt = wishOf(bot, { bot: String(bot.id), from: "account" });
  const done = await owner.post("/trading/settle", adopt);
  expect(done.headers.get("location")).toBe(`${path}?done=settled`);
  expect(await (await owner.get(`${path}?done=settled`)).text()).toContain("was asked");
  const close = wishOf(bot, { choice: "flatten", from: "account" });
  const question = await owner.post("/trading/settle", close);
  expect(await question.text()).toContain(`href="${path}"`);
  const wrong = await owner.post("/trading/settle", { ...close, confirm: "flat" });
  expect(wrong.status).toBe(422);
  const closed = await owner.post("/trading/settle", { ...close, confirm: "FLATTEN" });
  expect(closed.headers.get("location")).toBe(`${path}?done=settled`);
});

pageTest("the stream of the account tells new findings with their forms", async (w) => {
  const bot = await w.rows.bot("One");
  await tell(w, bot, [ORDER]);
  const trader = await w.browser("trader");
  const stream = await trader.get(`/accounts/${bot.accountId}/stream`);
  const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (let isOver = false; reader && !isOver && !text.includes("</section>");) {
    const { value, done } = await reader.read();
    text += value ?? "";
    isOver = done;
  }
  await reader?.cancel();
  expect(text).toContain('action="/trading/settle"');
  expect(text).toContain('name="csrf"');
});

pageTest("findings of another workspace are not found", async (w) => {
  const bot = await w.rows.bot("Secret bot");
  await tell(w, bot, [drift(bot), ORDER]);
  await workspaceWith(w.made, "beta");
  const stranger = await w.browser("owner", "beta");
  expect((await stranger.get(`/accounts/${bot.accountId}`)).status).toBe(404);
  const cancel = wishOf(bot, { finding: "stranger", choice: "cancel", from: "account" });
  expect((await stranger.post("/trading/settle", cancel)).status).toBe(404);
  const adopt = wishOf(bot, { bot: String(bot.id), from: "account" });
  expect((await stranger.post("/trading/settle", adopt)).status).toBe(409);
  expect(await asked(w, bot)).toEqual([]);
});
