// A bot drafted from a run on a real database: what is suggested, what a person is told, one sentence per refused
// field, and that two bots are made together or not at all.
import { expect } from "bun:test";
import { createRunRepository } from "../../../src/adapters/postgres/run-repository.ts";
import { decimal } from "../../../src/model/decimal.ts";
import type { RunId } from "../../../src/ports/run-store.ts";
import type { TypedDraft } from "../../../src/services/desk/bot-draft-fields.ts";
import { parseConfig } from "../../../src/strategy/dca-atr/config.ts";
import { finishedRun } from "../../support/bot-desk.ts";
import { aConfig } from "../../support/bots.ts";
import { aRequest, MARKET, storeCandles, walkCandles } from "../../support/research-case.ts";
import { aRun } from "../../support/runs.ts";
import { type DeskCase, deskTest, START } from "./bot-desk-case.ts";

/** A run with candles behind it. */
async function runOf({ sql, me }: DeskCase, change: Parameters<typeof finishedRun>[2] = {}) {
  await storeCandles(sql, me.scope, walkCandles(2000));
  return finishedRun(sql, me.scope, change);
}

async function draft({ bots, scope }: DeskCase, id: RunId, typed: TypedDraft | null = null) {
  const drafted = await bots.draftFromRun(scope, id, typed);
  if (!drafted.ok) throw new Error(drafted.detail);
  return drafted.value;
}

const changed = (typed: TypedDraft, change: Partial<TypedDraft>) => ({ ...typed, ...change });

/** Sentences of one tone. */
const told = ({ notes }: Awaited<ReturnType<typeof draft>>, tone: string) =>
  notes.filter((note) => note.tone === tone).map(({ sentence }) => sentence);

deskTest("everything is suggested from the run, never an account with real money", async (desk) => {
  const id = await runOf(desk, { name: "  Good one " });
  await desk.seeder.account("Live", "live");
  const alone = await draft(desk, id);
  expect(alone.typed.account).toBe("");
  expect(alone.problems).toEqual({ account: "Choose the account it trades on" });
  const paper = await desk.seeder.account("Paper");
  const { typed, problems, directions, config, settings } = await draft(desk, id);
  expect(problems).toEqual({});
  expect(typed).toEqual({
    account: String(paper),
    name: "Good one",
    direction: "two",
    allocation: "1000",
    balanceCap: "",
    leverage: "3",
    pauseMode: "exits_only",
    begin: "paused",
    ...{ maxOrderQty: "", maxOrderNotional: "", maxOpenOrders: "" },
    ...{ maxPositionNotional: "", maxDrawdownPct: "" },
  });
  expect(directions).toEqual(["two", "both", "long", "short"]);
  expect(config).toEqual(parseConfig(aRequest().config));
  expect(settings).toMatchObject({ initialBalance: 1000, leverage: 3 });
});

deskTest(
  "accounts that are disabled or trade another kind of market are not offered",
  async (desk) => {
    const id = await runOf(desk);
    const off = await desk.seeder.account("Off");
    await desk.seeder.account("Spot", "paper", "upbit");
    await desk.sql`update accounts set status = 'disabled' where id = ${off}`;
    const { accounts, problems, typed } = await draft(desk, id);
    expect(accounts).toEqual([]);
    expect(problems.account).toBe("There is no active account for this kind of market");
    const forced = await desk.bots.create(desk.me, id, changed(typed, { account: String(off) }));
    expect(forced).toMatchObject({ reason: "refused", problems: { account: expect.any(String) } });
    const spot = await finishedRun(desk.sql, desk.scope, { kind: "spot", symbol: "BTC/KRW" });
    expect((await draft(desk, spot)).accounts.map(({ name }) => name)).toEqual(["Spot"]);
  },
);

deskTest("runs that cannot be traded say why", async (desk) => {
  const { bots, scope, stranger, sql } = desk;
  const id = await finishedRun(sql, scope);
  expect(await bots.draftFromRun(stranger, id, null)).toMatchObject({ reason: "unknown_run" });
  expect(await bots.draftFromRun(scope, 9999 as RunId, null)).toMatchObject({
    reason: "unknown_run",
  });
  const runs = createRunRepository(sql);
  const failed = await runs.create(scope, aRun, START);
  await runs.fail(scope, failed, "no candles", START);
  const refusals: [change: Parameters<typeof finishedRun>[2], words: string][] = [
    [{ config: { general: { max_entries: -1 } } }, "max_entries"],
    [{ strategyName: "Other" }, "Other is not known"],
  ];
  expect(await bots.draftFromRun(scope, failed, null)).toMatchObject({
    detail: "the run is failed",
  });
  for (const [change, words] of refusals) {
    const refused = await bots.draftFromRun(scope, await finishedRun(sql, scope, change), null);
    expect(refused).toMatchObject({ ok: false, reason: "not_usable" });
    if (!refused.ok) expect(refused.detail).toContain(words);
  }
});

deskTest(
  "every refused field has its own sentence, all at once, and nothing is made",
  async (desk) => {
    const id = await runOf(desk);
    await desk.seeder.account("Paper");
    const { typed } = await draft(desk, id);
    const wrong = changed(typed, {
      ...{ account: "999", name: " ", direction: "sideways", allocation: "0", balanceCap: "-1" },
      ...{ leverage: "51", pauseMode: "nap", begin: "later", maxOrderQty: "x" },
      ...{ maxOrderNotional: "1e3", maxOpenOrders: "1.5", maxPositionNotional: "0" },
      maxDrawdownPct: "100.1",
    });
    const refused = await desk.bots.create(desk.me, id, wrong);
    if (refused.ok || refused.reason !== "refused") throw new Error("it was not refused");
    expect(Object.keys(refused.problems).sort()).toEqual(Object.keys(typed).sort());
    expect(refused.problems.leverage).toBe(
      "“51” for the leverage must be a whole number from 1 to 50",
    );
    expect(refused.problems.maxDrawdownPct).toContain("above 0 and up to 100");
    expect(await desk.seeder.bots.list(desk.scope, null)).toEqual([]);
  },
);

deskTest("notes tell margin, minimums and limits of the whole ladder", async (desk) => {
  const id = await runOf(desk);
  const account = await desk.seeder.account("Paper");
  const { typed } = await draft(desk, id);
  const long = changed(typed, { direction: "long" });
  const good = await draft(desk, id, long);
  expect(told(good, "ok")).toContainEqual(
    expect.stringMatching(/^Long: the full ladder binds [\d.]+ USDT, \d+ % of the allocation\.$/),
  );
  expect(told(good, "ok").join()).not.toContain("Short");
  expect(told(good, "warn")).toContain(
    "What Paper holds is not known yet: no worker has looked at it.",
  );
  await desk.seeder.show(account, { freeBalance: decimal("1"), walletBalance: decimal("900") });
  const poor = await draft(desk, id, long);
  expect(told(poor, "bad")).toContainEqual(
    expect.stringMatching(/^Paper has 1\.00 USDT free; the full ladder binds /),
  );
  expect(told(poor, "warn")).toContain(
    "With this, bots of Paper are allotted 1,000.00 USDT; it holds 900.00 USDT.",
  );
  const tiny = await draft(desk, id, changed(long, { allocation: "30" }));
  expect(told(tiny, "bad")).toContain(
    "Long: the first entry is below the smallest order, so nothing is ever opened.",
  );
  const limited = changed(long, { maxOrderNotional: "120", maxPositionNotional: "150" });
  expect(told(await draft(desk, id, limited), "warn")).toEqual(
    expect.arrayContaining([
      "Long: the limit of notional per order keeps back DCA 2.",
      "Long: the limit of notional of the position keeps back DCA 1.",
    ]),
  );
});

deskTest("the cap sizes the ladder when it is below the allocation", async (desk) => {
  const id = await runOf(desk);
  const { typed } = await draft(desk, id);
  const capped = await draft(desk, id, changed(typed, { balanceCap: "400" }));
  expect(capped.settings.initialBalance).toBe(400);
  const loose = await draft(desk, id, changed(typed, { balanceCap: "4000" }));
  expect(loose.settings.initialBalance).toBe(1000);
});

deskTest(
  "without stored candles there are no ladders, and a liquidated run is said to be",
  async (desk) => {
    const id = await finishedRun(desk.sql, desk.scope, {}, { liquidated: true });
    const { source, notes } = await draft(desk, id);
    expect(source).toBeNull();
    expect(notes[0]).toEqual({
      tone: "bad",
      sentence: "The run was liquidated: a bot with these settings can lose everything.",
    });
  },
);

deskTest("one bot takes over strategy, market, money and limits as typed", async (desk) => {
  const id = await runOf(desk);
  const account = await desk.seeder.account("Paper");
  const { typed } = await draft(desk, id);
  const wish = changed(typed, {
    ...{ name: "Mine", direction: "long", allocation: "250.5", balanceCap: "300", leverage: "7" },
    ...{ pauseMode: "freeze", maxOpenOrders: "12", maxDrawdownPct: "15.5", begin: "running" },
  });
  const made = await desk.bots.create(desk.me, id, wish);
  if (!made.ok) throw new Error(made.reason);
  const [bot] = made.bots;
  const config = parseConfig(aRequest().config);
  expect(made.bots.length).toBe(1);
  expect(bot).toMatchObject({
    ...{ accountId: account, name: "Mine", symbol: MARKET.symbol, timeframeMin: 5, runId: id },
    ...{ status: "created", desiredStatus: "running", strategyName: "dca-atr" },
    config: {
      strategy: { ...config, general: { ...config.general, allow_long: true, allow_short: false } },
      ...{ allocation: "250.5", balanceCap: "300", leverage: 7, pauseMode: "freeze" },
      limits: { maxOpenOrders: 12, maxDrawdownPct: "15.5", maxOrderQty: null },
    },
  } as never);
});

deskTest("both sides become two bots that each open their own side alone", async (desk) => {
  const id = await runOf(desk);
  await desk.seeder.account("Paper");
  const { typed } = await draft(desk, id);
  const made = await desk.bots.create(desk.me, id, changed(typed, { name: "Pair" }));
  if (!made.ok) throw new Error(made.reason);
  const shown = made.bots.map(({ name, config, desiredStatus }) => {
    const { general } = parseConfig(config.strategy);
    return [name, general.allow_long, general.allow_short, desiredStatus];
  });
  expect(shown).toEqual([
    ["Pair long", true, false, "paused"],
    ["Pair short", false, true, "paused"],
  ]);
});

deskTest("when the second of two bots is refused, the first is gone as well", async (desk) => {
  const id = await runOf(desk);
  const account = await desk.seeder.account("Paper");
  const { symbol } = MARKET;
  const config = aConfig();
  await desk.seeder.bot(account, { name: "Rival", symbol, sides: ["short"], config });
  const { typed } = await draft(desk, id);
  const refused = await desk.bots.create(desk.me, id, typed);
  expect(refused).toMatchObject({
    reason: "refused",
    problems: { direction: expect.stringContaining("Rival trades") },
  });
  const left = await desk.seeder.bots.list(desk.scope, null);
  expect(left.map(({ name }) => name)).toEqual(["Rival"]);
  const name = changed(typed, { name: "rival", direction: "long" });
  expect(await desk.bots.create(desk.me, id, name)).toMatchObject({
    problems: { name: "a bot named rival exists already" },
  });
});

deskTest("nobody makes a bot from another workspace's run or on its account", async (desk) => {
  const id = await runOf(desk);
  const account = await desk.seeder.account("Paper");
  const { typed } = await draft(desk, id);
  expect(await desk.bots.create(desk.other, id, typed)).toMatchObject({ reason: "unknown_run" });
  const own = await finishedRun(desk.sql, desk.stranger);
  const theirs = changed(typed, { account: String(account) });
  expect(await desk.bots.create(desk.other, own, theirs)).toMatchObject({
    reason: "refused",
    problems: { account: expect.any(String) },
  });
  expect(await desk.seeder.bots.list(desk.scope, null)).toEqual([]);
});

deskTest(
  "invented candles say nothing about a real market, and the other way round",
  async (desk) => {
    const demo = await desk.seeder.account("Demo", "demo");
    const paper = await desk.seeder.account("Paper");
    const real = await runOf(desk);
    const invented = await finishedRun(desk.sql, desk.scope, { exchangeId: "demo" });
    const suggested = await draft(desk, invented);
    expect(suggested.typed.account).toBe(String(demo));
    expect(suggested.notes.map(({ sentence }) => sentence).join()).not.toContain("invented");
    const onPaper = changed(suggested.typed, { account: String(paper) });
    expect(told(await draft(desk, invented, onPaper), "bad")).toContain(
      "The run used invented candles: it says nothing about a real market.",
    );
    const onDemo = changed((await draft(desk, real)).typed, { account: String(demo) });
    expect(told(await draft(desk, real, onDemo), "warn")).toContain(
      "The prices of a demo account are invented: the run says nothing about them.",
    );
  },
);
