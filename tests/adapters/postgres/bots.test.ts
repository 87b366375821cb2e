// Bots on real servers beyond the contract: other workspaces, the audit log, wake-ups, numbers, runs that
// go, and a removal that meets a commit.
import { expect } from "bun:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createAccountRepository } from "../../../src/adapters/postgres/account-repository.ts";
import { createAuditRepository } from "../../../src/adapters/postgres/audit-repository.ts";
import {
  createBotRepository,
  describeLinks,
} from "../../../src/adapters/postgres/bot-repository.ts";
import type { Sql } from "../../../src/adapters/postgres/connect.ts";
import { createRunRepository } from "../../../src/adapters/postgres/run-repository.ts";
import { createTradingRepository } from "../../../src/adapters/postgres/trading-repository.ts";
import { nextStatus } from "../../../src/execution/order-machine.ts";
import { decimal } from "../../../src/model/decimal.ts";
import type { AccountId } from "../../../src/ports/account-store.ts";
import { ALL_EVENTS, aBot, aConfig, anEvent, commit, leasedBot, made } from "../../support/bots.ts";
import { databaseTest } from "../../support/database-test.ts";
import { aRun } from "../../support/runs.ts";
import { testScope } from "../../support/test-database.ts";
import { anIntent, BTC, ETH, idOf, START } from "../../support/trading.ts";

const OWNER = "owner@example.org";

async function worldOf(sql: Sql) {
  const [scope, stranger] = [await testScope(sql, "mine"), await testScope(sql, "theirs")];
  let count = 0;
  const newAccount = async (): Promise<AccountId> => {
    count += 1;
    const account = { name: `Account ${count}`, exchangeId: "woox", mode: "demo" } as const;
    const made = await createAccountRepository(sql).create(scope, account, null, START);
    if (!made.ok) throw new Error(made.detail);
    return made.value.id;
  };
  const store = createTradingRepository(sql, nextStatus);
  return { store, bots: createBotRepository(sql), scope, stranger, newAccount };
}

databaseTest("bots are out of reach from another workspace", async ({ sql }) => {
  const world = await worldOf(sql);
  const { bots, stranger } = world;
  const { bot, lease } = await leasedBot(world);
  const { id } = bot;
  const unknown = { ok: false, reason: "unknown_bot" };
  expect(await bots.list(stranger, null)).toEqual([]);
  expect(await bots.list(stranger, lease.accountId)).toEqual([]);
  expect(await bots.find(stranger, id)).toBeNull();
  expect(
    await bots.create(stranger, aBot(lease.accountId, { symbol: ETH }), OWNER, START),
  ).toMatchObject({ reason: "unknown_account" });
  expect(await bots.rename(stranger, id, "x", START)).toMatchObject(unknown);
  const change = { seenVersion: 1, config: aConfig(), note: "" };
  expect(await bots.changeConfig(stranger, id, change, OWNER, START)).toMatchObject(unknown);
  expect(await bots.configVersions(stranger, id)).toEqual([]);
  expect(await bots.wish(stranger, id, { status: "running" }, START)).toMatchObject(unknown);
  expect(await bots.remove(stranger, id, START)).toMatchObject(unknown);
  const status = { status: "running", lastError: null, clearsAction: true } as const;
  expect(await bots.setStatus(stranger, lease, id, status, START)).toBe(false);
  expect(await bots.find(world.scope, id)).toEqual(bot);
  expect(await describeLinks(sql).describe(stranger, lease.accountId)).toEqual([]);
  // Their own bot of the same name is none of our business.
  const account = { name: "Account", exchangeId: "woox", mode: "demo" } as const;
  const theirs = await createAccountRepository(sql).create(stranger, account, null, START);
  if (!theirs.ok) throw new Error(theirs.detail);
  await made({ ...world, scope: stranger }, aBot(theirs.value.id));
  expect(await bots.list(world.scope, null)).toEqual([bot]);
});

databaseTest(
  "states, events and figures are out of reach from another workspace",
  async ({ sql }) => {
    const world = await worldOf(sql);
    const { bots, store, scope, stranger } = world;
    const { bot, lease } = await leasedBot(world);
    const { accountId } = lease;
    const event = anEvent({ botId: bot.id });
    const step = { botId: bot.id, seenVersion: 0, state: {}, events: [event] };
    await commit(world, lease, { step });
    const snapshot = { accountId, botId: bot.id, worker: "w", at: START, body: {} };
    const sample = { accountId, botId: bot.id, at: START, equity: decimal("1") };
    await bots.saveFigures(scope, [snapshot], [sample]);
    expect(await bots.state(stranger, bot.id)).toBeNull();
    expect(await bots.events(stranger, ALL_EVENTS)).toEqual([]);
    expect(await bots.events(stranger, { ...ALL_EVENTS, accountId, botId: bot.id })).toEqual([]);
    expect(await bots.appendEvents(stranger, lease, [event])).toBe(false);
    expect(await bots.snapshots(stranger, null)).toEqual([]);
    expect(await bots.snapshots(stranger, accountId)).toEqual([]);
    const curve = { accountId, botId: bot.id, sinceAt: 0, limit: 10 };
    expect(await bots.equity(stranger, curve)).toEqual([]);
    const lies = { ...sample, at: START + 1 };
    await bots.saveFigures(stranger, [{ ...snapshot, at: START + 1, body: { lie: true } }], [lies]);
    expect(await bots.snapshots(scope, null)).toEqual([{ ...snapshot, isWorkerAlive: false }]);
    expect(await bots.equity(scope, curve)).toEqual([sample]);
    const next = { ...step, seenVersion: 1 };
    const batch = { place: [], send: [], step: next };
    const epoch = await store.epoch(stranger);
    expect(await store.commitIntents(stranger, lease, epoch, batch, START)).toMatchObject({
      reason: "lease_lost",
    });
    expect(await bots.state(scope, bot.id)).toMatchObject({ version: 1 });
    expect(await bots.events(scope, ALL_EVENTS)).toHaveLength(1);
  },
);

databaseTest(
  "every change of an owner is in the audit log, a refused one is not",
  async ({ sql }) => {
    const world = await worldOf(sql);
    const { bots, scope } = world;
    const audit = createAuditRepository(sql);
    const bot = await made(world, aBot(await world.newAccount()));
    await bots.create(scope, aBot(bot.accountId), OWNER, START);
    await bots.rename(scope, bot.id, "Second", START);
    const change = { seenVersion: 1, config: aConfig({ leverage: 9 }), note: "why" };
    await bots.changeConfig(scope, bot.id, change, "other@example.org", START);
    await bots.changeConfig(scope, bot.id, change, OWNER, START);
    await bots.wish({ ...scope, userId: null }, bot.id, { action: "flatten" }, START);
    await bots.remove(scope, bot.id, START + 9);
    const entries = await audit.list(scope, { limit: 20 });
    const user = `mine-${scope.workspaceId}@example.org`;
    expect(entries.map(({ action, actor, object, at }) => [action, actor, object, at])).toEqual([
      ["bot_deleted", user, `bot:${bot.id}`, START + 9],
      ["bot_wished", "system", `bot:${bot.id}`, START],
      ["bot_configured", "other@example.org", `bot:${bot.id}`, START],
      ["bot_renamed", user, `bot:${bot.id}`, START],
      ["bot_created", OWNER, `bot:${bot.id}`, START],
    ]);
    expect(entries[1]).toMatchObject({
      before: { status: "paused", action: null },
      after: { status: "paused", action: "flatten" },
    });
    expect(entries[2]).toMatchObject({
      before: { version: 1, config: { leverage: 3 } },
      after: { version: 2, config: { leverage: 9 }, note: "why" },
    });
    expect(await audit.verify(scope)).toEqual({ intact: true, entries: 5 });
  },
);

databaseTest("a change without its audit entry is not made", async ({ sql }) => {
  const world = await worldOf(sql);
  const bot = await made(world, aBot(await world.newAccount()));
  await sql`alter table audit_log add constraint broken check (action <> 'bot_wished')`;
  const wish = world.bots.wish(world.scope, bot.id, { status: "running" }, START);
  await expect(wish).rejects.toThrow("broken");
  expect(await world.bots.find(world.scope, bot.id)).toEqual(bot);
});

databaseTest("a change wakes the workers, a refused one does not", async ({ sql }) => {
  const world = await worldOf(sql);
  const heard: string[] = [];
  await sql.listen("dragon_bots", (payload) => heard.push(payload));
  const bot = await made(world, aBot(await world.newAccount()));
  await world.bots.create(world.scope, aBot(bot.accountId), OWNER, START);
  await world.bots.wish(world.scope, bot.id, { status: "running" }, START);
  await until(async () => heard.length >= 2);
  expect(heard).toEqual([String(bot.id), String(bot.id)]);
});

databaseTest("there are 9999 numbers, and a refused bot uses none", async ({ sql }) => {
  const world = await worldOf(sql);
  const accountId = await world.newAccount();
  await sql`alter table bots alter column id restart with 9998`;
  const bot = await made(world, aBot(accountId));
  expect(await world.bots.create(world.scope, aBot(accountId), OWNER, START)).toMatchObject({
    reason: "name_taken",
  });
  const rival = aBot(accountId, { name: "rival" });
  expect(await world.bots.create(world.scope, rival, OWNER, START)).toMatchObject({
    reason: "leg_taken",
  });
  const last = await made(world, aBot(accountId, { name: "last", symbol: ETH }));
  expect([bot.id, last.id]).toEqual([9998, 9999] as never);
  await world.bots.remove(world.scope, last.id, START);
  const more = aBot(accountId, { name: "more", symbol: ETH });
  expect(await world.bots.create(world.scope, more, OWNER, START)).toMatchObject({
    reason: "too_many_bots",
  });
});

databaseTest("of bots that want one name at once, one is there", async ({ sql }) => {
  const world = await worldOf(sql);
  const homes = [await world.newAccount(), await world.newAccount(), await world.newAccount()];
  const answers = await Promise.all(
    homes.map((home) => world.bots.create(world.scope, aBot(home), OWNER, START)),
  );
  const refusals = answers.flatMap((answer) => (answer.ok ? [] : [answer.reason]));
  expect(refusals).toEqual(["name_taken", "name_taken"]);
});

databaseTest("a bot outlives the run it was made from", async ({ sql }) => {
  const world = await worldOf(sql);
  const runs = createRunRepository(sql);
  const runId = await runs.create(world.scope, aRun, START);
  const bot = await made(world, aBot(await world.newAccount(), { runId }));
  expect(bot.runId).toBe(runId);
  await runs.remove(world.scope, [runId]);
  expect(await world.bots.find(world.scope, bot.id)).toEqual({ ...bot, runId: null });
  const theirs = await runs.create(world.stranger, aRun, START);
  const foreign = aBot(bot.accountId, { name: "foreign", symbol: ETH, runId: theirs });
  await expect(world.bots.create(world.scope, foreign, OWNER, START)).rejects.toThrow("bots_run");
});

databaseTest("an account says how many bots it has", async ({ sql }) => {
  const world = await worldOf(sql);
  const accountId = await world.newAccount();
  const said = () => describeLinks(sql).describe(world.scope, accountId);
  expect(await said()).toEqual([]);
  await made(world, aBot(accountId));
  expect(await said()).toEqual(["1 bot"]);
  const second = await made(world, aBot(accountId, { name: "Second", symbol: ETH }));
  expect(await said()).toEqual(["2 bots"]);
  await world.bots.remove(world.scope, second.id, START);
  expect(await said()).toEqual(["1 bot"]);
});

databaseTest(
  "events too long and of foreign bots are refused with what they came with",
  async ({ sql }) => {
    const world = await worldOf(sql);
    const { bot, lease } = await leasedBot(world);
    const other = await made(world, aBot(await world.newAccount(), { name: "other" }));
    for (const wrong of [{ sentence: "x".repeat(501) }, { sentence: "" }, { botId: other.id }]) {
      const events = [anEvent({ botId: bot.id }), anEvent(wrong)];
      const step = { botId: bot.id, seenVersion: 0, state: {}, events };
      await expect(commit(world, lease, { step })).rejects.toThrow("events_");
      await expect(world.bots.appendEvents(world.scope, lease, events)).rejects.toThrow("events_");
    }
    expect(await world.bots.events(world.scope, ALL_EVENTS)).toEqual([]);
    expect(await world.bots.state(world.scope, bot.id)).toBeNull();
  },
);

databaseTest("a change of configuration waits for another one in progress", async ({ sql }) => {
  const world = await worldOf(sql);
  const bot = await made(world, aBot(await world.newAccount()));
  const change = { seenVersion: 1, config: aConfig(), note: "" };
  const waiting: Promise<{ readonly ok: boolean }>[] = [];
  await sql.begin(async (blocker) => {
    await blocker`lock table bot_configs in share mode`;
    for (const count of [1, 2]) {
      waiting.push(world.bots.changeConfig(world.scope, bot.id, change, OWNER, START));
      await until(async () => (await waitingFor(sql)) === count);
    }
  });
  const answers = await Promise.all(waiting);
  expect(answers).toMatchObject([{ ok: true }, { ok: false, reason: "version_moved" }]);
});

databaseTest("a removal waits for a commit in progress and sees its order", async ({ sql }) => {
  const world = await worldOf(sql);
  const { bots, store, scope } = world;
  const { bot, lease } = await leasedBot(world);
  const owner = `bot:${bot.id}` as const;
  const waiting: Promise<unknown>[] = [];
  await sql.begin(async (blocker) => {
    await blocker`lock table order_intents in share mode`;
    const step = { botId: bot.id, seenVersion: 0, state: {}, events: [] };
    const place = [anIntent({ owner, clientOrderId: idOf(lease, 0), symbol: BTC })];
    waiting.push(commit(world, lease, { place, step }));
    await until(async () => (await waitingFor(sql)) === 1);
    waiting.push(bots.remove(scope, bot.id, START));
    await until(async () => (await waitingFor(sql)) === 2);
  });
  const [committed, removed] = await Promise.all(waiting);
  expect(committed).toMatchObject({ ok: true });
  expect(removed).toMatchObject({ reason: "not_stopped" });
  expect(await store.aliveIntents(scope, lease.accountId)).toHaveLength(1);
});

async function waitingFor(sql: Sql): Promise<number> {
  const rows = await sql`
    select 1 from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock'`;
  return rows.length;
}

const LOOKS_MAX = 200;

async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (let look = 0; look < LOOKS_MAX; look++) {
    if (await isSo()) return;
    await sleep(10);
  }
  throw new Error("it did not come to that");
}
