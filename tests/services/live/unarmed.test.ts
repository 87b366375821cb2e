// Real money that was never switched on, or was switched off again: it is no emergency, nothing makes it laxer but its
// pre-flight, and what a person stopped beside it still shows. Real rows.
import { describe, expect, test } from "bun:test";
import { createClock } from "../../../src/adapters/system/clock.ts";
import { createSettingsRepository } from "../../../src/adapters/postgres/settings-repository.ts";
import type { AccountId } from "../../../src/ports/account-store.ts";
import type { BotId } from "../../../src/ports/bot-store.ts";
import type { ScopeState, TradingScope } from "../../../src/ports/control-store.ts";
import { writeArmed } from "../../../src/services/live/armed-mark.ts";
import { isNeverOn, knownStates } from "../../../src/services/live/trading-scopes.ts";
import type { TradingState } from "../../../src/risk/trading-state.ts";
import { actorIn, emergencySide, tradingRows } from "../../support/emergency-case.ts";
import { type TestDatabase, testDatabase, testScope } from "../../support/test-database.ts";

const clock = createClock();

/** A workspace with a live account that was armed, or was not. */
async function open({ sql }: TestDatabase) {
  const scope = await testScope(sql, "ann");
  const rows = tradingRows(sql, scope, clock);
  const { emergency } = emergencySide(sql, clock);
  const settings = createSettingsRepository(sql);
  const owner = actorIn(scope, "owner");
  const set = (of: TradingScope, state: TradingState) => {
    const change = { scope: of, state, reason: "for the test", actor: "owner@example.org" };
    return rows.control.setStates(scope, [change], clock.now());
  };
  return {
    ...{ scope, rows, emergency },
    /** As the pre-flight writes it; `isOn` false is disarming the last one. */
    async arm(accountId: AccountId, isOn: boolean) {
      const at = clock.now();
      const state = isOn ? "active" : "frozen";
      await set({ kind: "account", accountId }, state);
      await set({ kind: "live" }, state);
      const mark = isOn ? { at, by: "owner@example.org" } : null;
      await writeArmed(settings, scope, accountId, { mark, at });
    },
    kill: (key: string, level: string, confirm = "") =>
      emergency.kill(owner, { scope: key, level, reason: "", confirm }),
    resume: (key: string) => emergency.resume(owner, { scope: key, reason: "", confirm: "RESUME" }),
    async written(accountId: AccountId) {
      const { states } = await rows.control.read(scope);
      const isOf = ({ scope: of }: ScopeState) =>
        of.kind === "account" && of.accountId === accountId;
      return states.find(isOf)?.state ?? "none";
    },
    /** What stands on every page. */
    stopped: async () => (await emergency.stopped(scope)).states.map(({ name }) => name),
  };
}

function unarmedTest(
  name: string,
  body: (opened: Awaited<ReturnType<typeof open>>) => Promise<void>,
) {
  test(
    name,
    async () => {
      const database = await testDatabase();
      try {
        await body(await open(database));
      } finally {
        await database.drop();
      }
    },
    30_000,
  );
}

unarmedTest("no kill writes a state for an account nobody ever armed", async (opened) => {
  const { accountId } = await opened.rows.bot("First", "live");
  const other = await opened.rows.bot("Second", "live");
  await opened.arm(other.accountId, true);
  const key = `account:${accountId}`;
  for (const [level, confirm] of [
    ["block", ""],
    ["stop", ""],
    ["freeze", "FREEZE"],
    ["flatten", "FLATTEN"],
  ] as const) {
    expect(await opened.kill(key, level, confirm)).toMatchObject({ reason: "no_effect" });
    expect([level, await opened.written(accountId)]).toEqual([level, "none"]);
  }
  expect(await opened.resume(key)).toMatchObject({ reason: "no_effect" });
  const view = await opened.emergency.view(opened.scope);
  expect(view.states.find((each) => each.key === key)).toMatchObject({
    ...{ state: "frozen", reason: "the account was never armed", isNeverOn: true },
  });
});

unarmedTest(
  "an account that is off stands on no page, what a person froze does",
  async (opened) => {
    const { accountId } = await opened.rows.bot("First", "live");
    expect(await opened.stopped()).toEqual([]);
    await opened.arm(accountId, true);
    expect(await opened.stopped()).toEqual([]);
    await opened.kill(`account:${accountId}`, "freeze", "FREEZE");
    await opened.kill("live", "stop");
    expect(await opened.stopped()).toEqual(["Live trading", "Account Account of First"]);
    await opened.arm(accountId, false);
    expect(await opened.stopped()).toEqual([]);
    expect(await opened.written(accountId)).toBe("frozen");
    await opened.kill("global", "stop");
    expect(await opened.stopped()).toEqual(["Everything"]);
  },
);

unarmedTest("what was stopped and then deleted stands on no page", async (opened) => {
  const bot = await opened.rows.bot("First");
  await opened.kill(`bot:${bot.id}`, "stop");
  expect(await opened.stopped()).toEqual(["Bot First"]);
  const at = clock.now();
  await opened.rows.bots.wish(opened.scope, bot.id, { status: "stopped" }, at);
  const lease = await opened.rows.trading.takeLease(
    opened.scope,
    bot.accountId,
    "w",
    60_000,
    false,
  );
  if (!lease.ok) throw new Error(lease.detail);
  const stopped = { status: "stopped", lastError: null, clearsAction: true } as const;
  await opened.rows.bots.setStatus(opened.scope, lease.value, bot.id, stopped, at);
  const removed = await opened.rows.bots.remove(opened.scope, bot.id, at);
  expect(removed).toMatchObject({ ok: true });
  expect(await opened.stopped()).toEqual([]);
});

describe("states as a person has to know them", () => {
  const account = (id: number, mode: "live" | "demo") => ({
    ...({
      id: id as AccountId,
      name: `A${id}`,
      mode,
      status: "active",
      createdAt: id * 1000,
    } as const),
  });
  const people = {
    accounts: [account(1, "live"), account(2, "live"), account(3, "demo")],
    bots: [{ id: 7 as BotId, name: "B", accountId: 3 as AccountId, mode: "demo" } as const],
  };
  const row = (scope: TradingScope, state: TradingState): ScopeState => ({
    ...{ scope, state, reason: "r", actor: "a@b.c", changedAt: 5 },
  });
  const accountOf = (id: number) => ({ kind: "account", accountId: id as AccountId }) as const;

  test("hold the freeze of live accounts that have none written down, and of no others", () => {
    const known = knownStates([row(accountOf(1), "active")], people, new Set([1 as AccountId]));
    expect(known.map(({ scope, state }) => [scope, state])).toEqual([
      [accountOf(1), "active"],
      [accountOf(2), "frozen"],
    ]);
    expect(known[1]).toMatchObject({ actor: "dragon", changedAt: 2000, isUnarmed: true });
  });

  test("are switched off only where they are frozen and nobody is armed", () => {
    const states = [row({ kind: "live" }, "frozen"), row(accountOf(1), "halted")];
    const off = knownStates(states, people, new Set());
    expect(off.map(isNeverOn)).toEqual([true, false, true]);
    const on = knownStates(states, people, new Set([1 as AccountId]));
    expect(on.map(isNeverOn)).toEqual([false, false, true]);
  });

  test("say nothing of accounts and bots that are gone", () => {
    const gone = [row(accountOf(9), "frozen"), row({ kind: "bot", botId: 8 as BotId }, "halted")];
    expect(knownStates(gone, { ...people, accounts: [] }, new Set())).toEqual([]);
  });
});
