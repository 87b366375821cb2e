// What is old goes, in small batches, by the rules of its workspace; money and audit stay.
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { createAccountRepository } from "../../../src/adapters/postgres/account-repository.ts";
import { createAuditRepository } from "../../../src/adapters/postgres/audit-repository.ts";
import { createBotRepository } from "../../../src/adapters/postgres/bot-repository.ts";
import { createRetentionRepository } from "../../../src/adapters/postgres/retention-repository.ts";
import { createSettingsRepository } from "../../../src/adapters/postgres/settings-repository.ts";
import { DAY_MS } from "../../../src/model/time.ts";
import type { AccountId } from "../../../src/ports/account-store.ts";
import type { Clock } from "../../../src/ports/clock.ts";
import type { Actor } from "../../../src/services/desk/actor.ts";
import {
  createRetention,
  readRules,
  RETENTION_RULES,
  type RetentionRules,
} from "../../../src/services/live/retention.ts";
import { aBot } from "../../support/bots.ts";
import { actorOf } from "../../support/research-case.ts";
import {
  silentLog,
  type TestDatabase,
  testDatabase,
  testScope,
} from "../../support/test-database.ts";

const NOW = Date.UTC(2025, 5, 1, 12);
const STANDARD: RetentionRules = {
  ...{ eventDays: 90, eventMegabytes: 200, fullSampleDays: 30, sampleDays: 400, commandDays: 90 },
};
const NEVER = new AbortController().signal;

let database: TestDatabase;
let owner: Actor;
let accountId: AccountId;
let nowMs: number;

const clock: Clock = {
  now: () => nowMs,
  monotonicMs: () => nowMs,
  sleep: async (_durationMs, signal) => signal?.throwIfAborted(),
};

beforeAll(async () => {
  database = await testDatabase();
}, 30_000);
afterAll(() => database.drop());

let people = 0;

beforeEach(async () => {
  nowMs = NOW;
  people += 1;
  ({ actor: owner, accountId } = await somebody(`keeper-${people}`));
});

async function somebody(name: string) {
  const scope = await testScope(database.sql, name);
  const account = { name: "Paper", exchangeId: "woox", mode: "paper" } as const;
  const made = await createAccountRepository(database.sql).create(scope, account, null, NOW);
  if (!made.ok) throw new Error(made.detail);
  return { actor: await actorOf(database.sql, scope), accountId: made.value.id };
}

function retention() {
  const { sql } = database;
  return createRetention({
    store: createRetentionRepository(sql),
    settings: createSettingsRepository(sql),
    audit: createAuditRepository(sql),
    ...{ clock, log: silentLog },
  });
}

const daysAgo = (days: number) => new Date(NOW - days * DAY_MS);

async function addEvents(count: number, days: number, of = { owner, accountId }): Promise<void> {
  await database.sql`
    insert into events (workspace_id, account_id, kind, severity, sentence, fields, at)
    select ${of.owner.scope.workspaceId}, ${of.accountId}, 'bot_started', 'info', 'began', '{}',
      ${daysAgo(days)}::timestamptz from generate_series(1, ${count}::int)`;
}

async function count(
  table: "events" | "commands" | "snapshots" | "equity_samples",
  id = accountId,
) {
  const rows = await database.sql`select 1 from ${database.sql(table)} where account_id = ${id}`;
  return rows.length;
}

test("events beyond their age go, in more than one batch, and only of this workspace", async () => {
  const other = await somebody(`other-${people}`);
  await addEvents(4500, 91);
  await addEvents(3, 89);
  await addEvents(2, 91, { owner: other.actor, accountId: other.accountId });
  expect(await retention().sweep(owner.scope, NEVER)).toMatchObject({ events: 4500 });
  expect(await count("events")).toBe(3);
  expect(await count("events", other.accountId)).toBe(2);
});

test("events beyond their bytes go, the oldest first, whatever their age", async () => {
  const { sql } = database;
  await sql`
    insert into events (workspace_id, account_id, kind, severity, sentence, fields, at)
    select ${owner.scope.workspaceId}, ${accountId}, 'bot_started', 'info', n::text,
      jsonb_build_object('a', (select string_agg(md5((n * 500 + k)::text), '')
        from generate_series(1, 400) k)),
      ${daysAgo(1)}::timestamptz + n * interval '1 s'
    from generate_series(1, 1500) n`;
  const wish = { ...STANDARD, eventMegabytes: 10 };
  expect((await retention().change(owner, wish, 0)).ok).toBe(true);
  const { events } = await retention().sweep(owner.scope, NEVER);
  expect(events).toBeGreaterThan(100);
  const size = await createRetentionRepository(sql).eventSize(owner.scope);
  expect(size.bytes).toBeLessThanOrEqual(10_100_000);
  expect(size.bytes).toBeGreaterThan(9_500_000);
  const [oldest] = await sql<{ sentence: string }[]>`
    select sentence from events where account_id = ${accountId} order by id limit 1`;
  expect(Number(oldest?.sentence)).toBe(events + 1);
});

test("samples stay whole for a month, then one an hour per curve, and end after their days", async () => {
  const { sql } = database;
  const bots = createBotRepository(sql);
  const bot = await bots.create(owner.scope, aBot(accountId), "x", NOW);
  if (!bot.ok) throw new Error(bot.detail);
  for (const botId of [null, bot.value.id]) {
    for (const days of [10, 40, 401]) {
      await sql`
        insert into equity_samples (workspace_id, account_id, bot_id, at, equity)
        select ${owner.scope.workspaceId}, ${accountId}, ${botId}::int,
          ${daysAgo(days)}::timestamptz + n * interval '10 min', n from generate_series(0, 11) n`;
    }
  }
  expect(await retention().sweep(owner.scope, NEVER)).toMatchObject({ samples: 24 + 20 });
  const left = await sql<{ botId: number | null; equity: string }[]>`
    select bot_id, equity from equity_samples
    where account_id = ${accountId} and at < ${daysAgo(30)} order by bot_id nulls first, at`;
  const id = bot.value.id;
  expect(left.map((row) => [row.botId, Number(row.equity)])).toEqual([
    ...[
      [null, 0],
      [null, 6],
    ],
    ...[
      [id, 0],
      [id, 6],
    ],
  ]);
  expect(await retention().sweep(owner.scope, NEVER)).toMatchObject({ samples: 0 });
});

test("commands go when they are done and old, figures when their bot was removed", async () => {
  const { sql } = database;
  const { workspaceId } = owner.scope;
  const command = JSON.stringify({ kind: "clear_error" });
  for (const done of [daysAgo(91), daysAgo(80), null]) {
    await sql`
      insert into commands (workspace_id, account_id, command, actor, at, done_at, outcome)
      values (${workspaceId}, ${accountId}, ${command}::text::jsonb, 'x', ${daysAgo(95)}, ${done},
        ${done === null ? null : "done"})`;
  }
  const bots = createBotRepository(sql);
  for (const [name, deleted] of [
    ["Gone", daysAgo(2)],
    ["Fresh", daysAgo(0)],
    ["Here", null],
  ] as const) {
    const symbol = `PERP_${name}_USDT`;
    const bot = await bots.create(owner.scope, aBot(accountId, { name, symbol }), "x", NOW);
    if (!bot.ok) throw new Error(bot.detail);
    await sql`update bots set deleted_at = ${deleted} where id = ${bot.value.id}`;
    await sql`
      insert into snapshots (workspace_id, account_id, bot_id, worker, at, body)
      values (${workspaceId}, ${accountId}, ${bot.value.id}, 'w', ${daysAgo(3)}, '{}')`;
  }
  expect(await retention().sweep(owner.scope, NEVER)).toMatchObject({ commands: 1, snapshots: 1 });
  expect([await count("commands"), await count("snapshots")]).toEqual([2, 2]);
});

test("no statement of the store names what must stay", async () => {
  const source = await Bun.file(
    new URL("../../../src/adapters/postgres/retention-repository.ts", import.meta.url),
  ).text();
  const emptied = [...source.matchAll(/(delete from|update|truncate|drop)\s+(\w+)/g)];
  expect(new Set(emptied.map(([, , table]) => table))).toEqual(
    new Set(["commands", "snapshots", "events", "equity_samples"]),
  );
});

test("rules begin at their defaults, are taken whole or not at all, and are written down", async () => {
  const rules = retention();
  expect(await rules.rules(owner.scope)).toEqual({ rules: STANDARD, revision: 0 });
  for (const { name, min, max } of RETENTION_RULES) {
    for (const value of [min - 1, max + 1, 30.5, Number.NaN]) {
      const asked = await rules.change(owner, { ...STANDARD, [name]: value }, 0);
      expect(asked).toMatchObject({ ok: false, reason: "refused" });
      if (!asked.ok) expect(asked.detail).toContain(`${name}: "${value}"`);
    }
  }
  const crossed = { ...STANDARD, fullSampleDays: 500 };
  expect(await rules.change(owner, crossed, 0)).toMatchObject({ ok: false, reason: "refused" });
  const wish = { ...STANDARD, eventDays: 30 };
  expect(await rules.change(owner, wish, 0)).toEqual({ ok: true, value: wish });
  expect(await rules.rules(owner.scope)).toEqual({ rules: wish, revision: 1 });
  expect(await rules.change(owner, STANDARD, 0)).toMatchObject({ reason: "revision_changed" });
  const [entry] = await createAuditRepository(database.sql).list(owner.scope, { limit: 1 });
  expect(entry).toMatchObject({ action: "retention_changed", before: STANDARD, after: wish });
  const other = await somebody(`rules-${people}`);
  expect((await rules.rules(other.actor.scope)).rules).toEqual(STANDARD);
});

test("a form with a missing or strange number names the field", () => {
  const form = new Map(Object.entries(STANDARD).map(([name, value]) => [name, String(value)]));
  expect(readRules((name) => form.get(name))).toEqual(STANDARD);
  form.set("sampleDays", "-3");
  expect(() => readRules((name) => form.get(name))).toThrow('sampleDays: "-3"');
});

test("one of several processes sweeps, at a start and then once a day", async () => {
  await addEvents(1, 91);
  const [one, two] = [new AbortController(), new AbortController()];
  const sleeping = Promise.withResolvers<void>();
  let sleeps = 0;
  const paused: Clock = {
    ...clock,
    sleep: async (_durationMs, signal) => {
      sleeps += 1;
      if (sleeps === 2) sleeping.resolve();
      await new Promise((resolve) => signal?.addEventListener("abort", resolve));
    },
  };
  const { sql } = database;
  let sweeps = 0;
  const store = createRetentionRepository(sql);
  const deps = {
    store: {
      ...store,
      workspaces: async () => {
        sweeps += 1;
        return [owner.scope.workspaceId];
      },
    },
    ...{ settings: createSettingsRepository(sql), audit: createAuditRepository(sql) },
    ...{ clock: paused, log: silentLog },
  };
  const running = [one, two].map(({ signal }) => createRetention(deps).run(signal));
  await sleeping.promise;
  expect([sweeps, await count("events")]).toEqual([1, 0]);
  one.abort();
  two.abort();
  await Promise.all(running);
  nowMs += DAY_MS + 1;
  const third = new AbortController();
  const later = { ...deps, clock: { ...clock, sleep: async () => third.abort() } };
  await createRetention(later).run(third.signal);
  expect(sweeps).toBe(2);
});
