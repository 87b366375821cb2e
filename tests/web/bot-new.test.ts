// A bot from a run as a browser meets it: the form, what it comes to while somebody types, refusals at their
// fields, who may, and what is not there. Real app, real database; the run was stored, not computed.
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { RunId } from "../../src/ports/run-store.ts";
import { finishedRun } from "../support/bot-desk.ts";
import { storeCandles, walkCandles } from "../support/research-case.ts";
import { type BotPeople, botPeople, botsCase } from "./bots-case.ts";
import { storeRun } from "./runs-grid-case.ts";
import type { WebCase } from "./web-case.ts";

let made: WebCase;
let alpha: BotPeople;
let beta: BotPeople;
let run: RunId;
let paper: string;
let live: string;

beforeAll(async () => {
  made = await botsCase();
  alpha = await botPeople(made, "alpha");
  beta = await botPeople(made, "beta");
  const { sql } = made.database;
  const scope = { ...alpha.scope, userId: alpha.trader.id };
  await storeCandles(sql, scope, walkCandles(2000));
  run = await finishedRun(sql, scope, { name: "Good <i>one</i>" });
  paper = String(await alpha.seeder.account("Paper", "paper"));
  live = String(await alpha.seeder.account("Real", "live"));
}, 60_000);
afterAll(() => made.database.drop());

/** Fields as the form sends them. */
function fields(change: Record<string, string> = {}) {
  return {
    ...{ run: String(run), account: paper, name: "From a test", direction: "long" },
    ...{ allocation: "500", balanceCap: "", leverage: "3", pauseMode: "exits_only" },
    ...{ begin: "paused", maxOrderQty: "", maxOrderNotional: "", maxOpenOrders: "" },
    ...{ maxPositionNotional: "", maxDrawdownPct: "" },
    ...change,
  };
}

const botsNow = () => alpha.seeder.bots.list(alpha.scope, null);

test("a finished run offers to create a bot to whoever may trade", async () => {
  const link = `href="/bots/new?run=${run}"`;
  expect(await (await alpha.asTrader.get(`/runs/${run}`)).text()).toContain(link);
  expect(await (await alpha.asViewer.get(`/runs/${run}`)).text()).not.toContain(link);
});

test("the form begins with what the run suggests, its ladder beside it", async () => {
  const answer = await alpha.asTrader.get(`/bots/new?run=${run}`);
  expect(answer.status).toBe(200);
  const page = await answer.text();
  expect(page).toContain("Good &lt;i&gt;one&lt;/i&gt;");
  expect(page).not.toContain("<i>one");
  expect(page).toContain('id="allocation" name="allocation" inputmode="decimal"');
  expect(page).toContain('value="1000"');
  expect(page).toContain("Two bots, long and short");
  expect(page).toContain("Paper: real prices, invented money");
  expect(page).toContain("2 bots on Paper, WOO X");
  expect(page).toContain('aria-label="Long ladder"');
  expect(page).toContain('aria-label="Short ladder"');
});

test("without a run somebody is sent to choose one", async () => {
  const answer = await alpha.asTrader.get("/bots/new");
  expect(answer.headers.get("location")).toBe("/runs?status.in=finished");
});

test("the preview follows what is typed: side, money, and loudly the mode", async () => {
  const typed = fields({ account: live, allocation: "30" });
  const answer = await alpha.asTrader.post("/bots/new/preview", typed, { "hx-request": "true" });
  expect(answer.status).toBe(200);
  const part = await answer.text();
  expect(part).not.toContain("<html");
  expect(part).toContain('<p class="mode-banner live"><strong>Real money</strong>');
  expect(part).toContain("One bot on Real");
  expect(part).toContain("the first entry is below the smallest order");
  expect(part).not.toContain("Short");
});

test("half a form is previewed as far as it can be read", async () => {
  const typed = fields({ account: "", allocation: "5..", leverage: "" });
  const answer = await alpha.asTrader.post("/bots/new/preview", typed);
  expect(answer.status).toBe(200);
  const part = await answer.text();
  expect(part).toContain("No account is chosen yet.");
  expect(part).toContain('aria-label="Long ladder"');
});

test("every refused field keeps what was typed and says why, and nothing is made", async () => {
  const before = await botsNow();
  const wrong = fields({ name: "", allocation: "<b>", leverage: "99", maxDrawdownPct: "200" });
  const answer = await alpha.asTrader.post("/bots", wrong);
  expect(answer.status).toBe(422);
  const page = await answer.text();
  expect(page).toContain("The name has 0 characters; it must have 1 to 60.");
  expect(page).toContain("“&lt;b&gt;” for the allocation must be a number above 0");
  expect(page).toContain("“99” for the leverage must be a whole number from 1 to 50.");
  expect(page).toContain("“200” for the drawdown must be a number above 0 and up to 100.");
  expect(page).toContain('value="99"');
  expect(page.match(/<details open/g)?.length).toBe(1);
  expect(await botsNow()).toEqual(before);
});

test("a bot is made as it was typed; the same side again is refused at its field", async () => {
  const answer = await alpha.asTrader.post("/bots", fields());
  expect(answer.status).toBe(303);
  expect(answer.headers.get("location")).toBe("/bots?done=created-1");
  const [bot] = await botsNow();
  expect(bot).toMatchObject({ name: "From a test", runId: run, desiredStatus: "paused" });
  const list = await (await alpha.asTrader.get("/bots?done=created-1")).text();
  expect(list).toContain("One bot is created. Start it from this list when you are ready.");
  const again = await alpha.asTrader.post("/bots", fields({ name: "Another" }));
  expect(again.status).toBe(422);
  expect(await again.text()).toContain('id="direction-problem"');
  const started = await alpha.asTrader.post(
    "/bots",
    fields({ name: "Third", direction: "short", begin: "running" }),
  );
  expect(started.headers.get("location")).toBe("/bots?done=started-1");
});

test("a viewer neither sees the form nor makes a bot", async () => {
  const before = await botsNow();
  expect((await alpha.asViewer.get(`/bots/new?run=${run}`)).status).toBe(403);
  expect((await alpha.asViewer.post("/bots/new/preview", fields())).status).toBe(403);
  expect((await alpha.asViewer.post("/bots", fields({ name: "No" }))).status).toBe(403);
  expect(await botsNow()).toEqual(before);
});

test("another workspace's run and account are not there", async () => {
  expect((await beta.asTrader.get(`/bots/new?run=${run}`)).status).toBe(404);
  expect((await beta.asTrader.post("/bots/new/preview", fields())).status).toBe(404);
  expect((await beta.asTrader.post("/bots", fields())).status).toBe(404);
  const scope = { ...beta.scope, userId: beta.trader.id };
  const own = await finishedRun(made.database.sql, scope);
  const answer = await beta.asTrader.post("/bots", fields({ run: String(own) }));
  expect(answer.status).toBe(422);
  const page = await answer.text();
  expect(page).toContain("There is no active account for this kind of market.");
  expect(page).not.toContain("Paper");
  expect(await beta.seeder.bots.list(beta.scope, null)).toEqual([]);
});

test("a run that did not finish is refused with a sentence, nonsense is not found", async () => {
  const scope = { ...alpha.scope, userId: alpha.trader.id };
  const queued = await storeRun(made, scope, { strategyName: "dca-atr" }, null);
  const answer = await alpha.asTrader.get(`/bots/new?run=${queued}`);
  expect(answer.status).toBe(409);
  expect(await answer.text()).toContain("No bot can be made of this run: the run is queued.");
  expect((await alpha.asTrader.get("/bots/new?run=999999")).status).toBe(404);
  expect((await alpha.asTrader.post("/bots", fields({ run: "x" }))).status).toBe(404);
});
