// The demo from nothing to a bot that trades and back to nothing, on a real database, the real exchange in its
// thread and a real worker.
import { expect, test } from "bun:test";
import { createAccountRepository } from "../../../src/adapters/postgres/account-repository.ts";
import { createBotRepository } from "../../../src/adapters/postgres/bot-repository.ts";
import { createTradingRepository } from "../../../src/adapters/postgres/trading-repository.ts";
import { nextStatus } from "../../../src/execution/order-machine.ts";
import type { DemoState } from "../../../src/services/desk/demo.ts";
import { type DemoCase, openDemoCase } from "./demo-case.ts";

const LIMIT_MS = 300_000;

function demoTest(name: string, hasWorker: boolean, body: (made: DemoCase) => Promise<void>) {
  test(
    name,
    async () => {
      const made = await openDemoCase(hasWorker);
      try {
        await body(made);
      } finally {
        await made.close();
      }
    },
    LIMIT_MS,
  );
}

async function begun({ demo, actor }: DemoCase): Promise<DemoState> {
  const state = await demo.begin(actor);
  if (!state.ok) throw new Error(state.detail);
  return state.value;
}

const idsOf = ({ account, run, bot }: DemoState) => [account.id, run?.id, bot?.id];

/** A paper account with a bot on it, and everything there is of paper as one text. */
async function paperOf({ sql, scope, clock }: DemoCase): Promise<() => Promise<string>> {
  const paper = { name: "Paper", exchangeId: "woox", mode: "paper" } as const;
  const account = await createAccountRepository(sql).create(scope, paper, null, clock.now());
  if (!account.ok) throw new Error(account.detail);
  const limits = {
    ...{ maxOrderQty: null, maxOrderNotional: null, maxOpenOrders: null },
    ...{ maxPositionNotional: null, maxDrawdownPct: null },
  };
  const bot = {
    ...{ accountId: account.value.id, name: "Paper bot", symbol: "PERP_BTC_USDT", timeframeMin: 1 },
    ...{ strategyName: "dca-atr", strategyVersion: "1.0.0", runId: null },
    config: {
      ...{ strategy: {}, balanceCap: null, leverage: 1, limits },
      ...{ allocation: "100" as never, pauseMode: "exits_only" as const },
    },
    sides: ["long"] as const,
  };
  await createBotRepository(sql).create(scope, bot, "ann", clock.now());
  return async () => {
    const rows = await sql`select a.*, b.*, c.* from accounts a join bots b on b.account_id = a.id
      join bot_configs c on c.bot_id = b.id where a.mode = 'paper'`;
    return JSON.stringify(rows);
  };
}

demoTest(
  "one click makes a bot that trades, and the wipe leaves nothing of it",
  true,
  async (made) => {
    const { demo, actor, scope, sql } = made;
    const paper = await paperOf(made);
    const before = await paper();
    expect(await demo.state(scope)).toBeNull();
    await demo.resume();
    expect([made.opened(), demo.isPresent(scope.workspaceId)]).toEqual([0, false]);
    const [first, second] = await Promise.all([begun(made), begun(made)]);
    expect(idsOf(second)).toEqual(idsOf(first));
    expect(demo.isPresent(scope.workspaceId)).toBe(true);
    const state = async () => {
      const found = await demo.state(scope);
      if (!found) throw new Error("the demo is gone");
      return found;
    };
    await made.until("the run ends", async () => (await state()).run?.stage === "ended");
    expect((await state()).run).toMatchObject({ status: "finished", error: null });
    await made.until("it trades", async () => (await state()).trade !== null);
    const { bot, trade, account } = await state();
    expect(bot).toMatchObject({
      mode: "demo",
      status: "running",
      runId: first.run?.id,
      lastError: null,
    });
    expect(trade).toMatchObject({ symbol: "PERP_BTC_USDT" });
    expect(idsOf(await begun(made))).toEqual(idsOf(first));

    expect(await demo.wipe(actor, "WIPE ")).toEqual({
      ok: true,
      removed: { bots: 1, accounts: 1, runs: 1, series: 1 },
    });
    expect([await demo.state(scope), demo.isPresent(scope.workspaceId)]).toEqual([null, false]);
    const trading = createTradingRepository(sql, nextStatus);
    expect(await trading.holdings(scope, account.id)).toEqual([]);
    expect(await trading.aliveIntents(scope, account.id)).toEqual([]);
    const left =
      await sql`select exchange_id from runs union all select exchange_id from market_series`;
    expect(left).toHaveLength(0);
    expect(await paper()).toBe(before);
  },
);

demoTest("what an interrupted click left is found by the next one", false, async (made) => {
  const { demo, actor, scope, sql } = made;
  made.breakExchange(true);
  expect(await demo.begin(actor)).toMatchObject({
    reason: "not_made",
    detail: "the exchange inside Dragon did not start: the log says why",
  });
  expect(await demo.state(scope)).toBeNull();
  made.breakExchange(false);
  const account = { name: "Mine", exchangeId: "woox", mode: "demo" } as const;
  const own = await createAccountRepository(sql).create(scope, account, null, made.clock.now());
  const first = await begun(made);
  expect(first.account).toMatchObject({ id: own.ok ? own.value.id : 0, name: "Mine" });
  // As if it had ended before the bot was asked to run.
  await sql`update bots set desired_status = 'paused'`;
  const again = await begun(made);
  expect(idsOf(again)).toEqual(idsOf(first));
  expect(again.bot?.desiredStatus).toBe("running");
  // Somebody paused it later: the click is not for that.
  await sql`update bots set status = 'paused', desired_status = 'paused'`;
  expect((await begun(made)).bot?.desiredStatus).toBe("paused");
  await demo.resume();
  expect(made.opened()).toBe(5);
});

demoTest(
  "a bot that nobody closes keeps everything, and the sentence says so",
  false,
  async (made) => {
    const { actor, scope, sql, clock } = made;
    await begun(made);
    await sql`update bots set status = 'running'`;
    let ms = 0;
    const quick = {
      ...clock,
      monotonicMs: () => ms,
      async sleep(durationMs: number) {
        ms += durationMs;
      },
    };
    expect(await made.desk(quick).wipe(actor, "WIPE")).toEqual({
      ok: false,
      reason: "still_open",
      detail: "Demo bot is still closing what it holds: try again in a moment",
    });
    const kept = await made.demo.state(scope);
    expect(kept?.bot).toMatchObject({ status: "running", desiredAction: "flatten" });
    expect(kept?.run).not.toBeNull();
  },
);
