// `worker` as processes: beside a serve on one PostgreSQL, taking over what a killed one had, and what it
// refuses when there is nothing to work for.
import { afterEach, beforeEach, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { createAccountRepository } from "../../src/adapters/postgres/account-repository.ts";
import { createBotRepository } from "../../src/adapters/postgres/bot-repository.ts";
import type { Sql } from "../../src/adapters/postgres/connect.ts";
import { createWorkerRepository } from "../../src/adapters/postgres/worker-repository.ts";
import type { Scope } from "../../src/ports/access-store.ts";
import type { RunId } from "../../src/ports/run-store.ts";
import type { Actor } from "../../src/services/desk/actor.ts";
import { cleanEnv, dataFolder, dragon, ROOT, SERVE, serving } from "../support/dragon.ts";
import { botConfig, eagerStrategy, SYMBOL } from "../support/live-session.ts";
import { testIf } from "../support/needs.ts";
import {
  actorOf,
  aRequest,
  storeCandles,
  testResearch,
  walkCandles,
} from "../support/research-case.ts";
import { testDatabase, testScope } from "../support/test-database.ts";

const WORKER = [process.execPath, join(ROOT, "src/main.ts"), "worker"];
const LEASE_S = 5;
const CANDLES = 400_000;
const RUNS = 14;
const LIMIT_MS = 60_000;

let folder: ReturnType<typeof dataFolder>;

beforeEach(() => {
  folder = dataFolder();
});
afterEach(() => folder.remove());

/** Asks again until it is so. @throws when it does not come true in time */
async function until(what: string, isTrue: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + LIMIT_MS;
  while (!(await isTrue())) {
    if (performance.now() > endMs) throw new Error(`not in time: ${what}`);
    await Bun.sleep(50);
  }
}

test("a worker without a database to work for says what it needs, and leaves nothing", async () => {
  const alone = await dragon(["worker"], { env: { DRAGON_DATA_DIR: folder.path } });
  expect(alone.code).toBe(1);
  expect(alone.stderr).toContain("DRAGON_DATABASE_URL");
  expect(alone.stderr).toContain(folder.path);
  expect(existsSync(join(folder.path, "db"))).toBe(false);
  expect(existsSync(join(folder.path, "master.key"))).toBe(false);
}, 30_000);

test("a worker works beside a serve without hands on the bundled server, and SIGTERM ends it", async () => {
  const env = { DRAGON_DATA_DIR: folder.path, DRAGON_LOG_LEVEL: "debug" };
  const serve = await serving([...SERVE, "--no-worker"], { env });
  try {
    const worker = await serving(WORKER, { env });
    expect(worker.output()).toContain("bundled PostgreSQL");
    expect(await worker.stop("SIGTERM")).toBe(0);
    expect(worker.output()).toContain("The worker has stopped.");
    // Both processes write to one file.
    const log = join(folder.path, "logs", "dragon.jsonl");
    const entries = readFileSync(log, "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(entries.map(({ pid }) => pid)).toContain(worker.pid);
    expect(entries.map(({ pid }) => pid)).toContain(serve.pid);
    expect(statSync(log).mode & 0o777).toBe(0o600);
    expect((await fetch(`${serve.url}/readyz`)).status).toBe(200);
  } finally {
    expect(await serve.stop()).toBe(0);
  }
}, 60_000);

/** Runs that take their time: the stop follows the ATR and is looked at on every candle. */
async function askForRuns(sql: Sql, actor: Actor): Promise<RunId[]> {
  const asking = testResearch(sql, {
    hands: { holder: "test", ttlMs: 1000, isWorking: false },
  });
  const from = Date.UTC(2024, 0, 15);
  const { config } = aRequest();
  const request = aRequest({
    config: {
      ...(config as object),
      exits: { sl_mode: "ATR", sl_atr_mult: 500, tp_atr_mult: 5000 },
    },
    run: { timeframe_min: 1, from, to: from + CANDLES * 60_000 },
  });
  const ids: RunId[] = [];
  for (let n = 0; n < RUNS; n++) {
    const asked = await asking.runs.request(actor, request);
    if (!asked.ok) throw new Error(asked.sentences.join("; "));
    ids.push(asked.id);
  }
  await asking.stop();
  return ids;
}

/** A bot on a demo account that is to run. */
async function addBot(sql: Sql, scope: Scope): Promise<number> {
  const account = { name: "Demo", exchangeId: "woox", mode: "demo" } as const;
  const made = await createAccountRepository(sql).create(scope, account, null, Date.now());
  if (!made.ok) throw new Error(made.detail);
  const accountId = made.value.id;
  const bots = createBotRepository(sql);
  const bot = await bots.create(
    scope,
    {
      ...{ accountId, name: "Eager", symbol: SYMBOL, timeframeMin: 1, runId: null },
      ...{ strategyName: "dca-atr", strategyVersion: "1.0.0", sides: ["long"] },
      config: botConfig(eagerStrategy()),
    },
    "ann@example.org",
    Date.now(),
  );
  if (!bot.ok) throw new Error(bot.detail);
  await bots.wish(scope, bot.value.id, { status: "running" }, Date.now());
  return accountId;
}

async function leaseHolder(sql: Sql, accountId: number): Promise<string | null> {
  const [row] = await sql<{ holder: string | null }[]>`
    select holder from account_leases where account_id = ${accountId}`;
  return row?.holder ?? null;
}

testIf(
  "postgres",
  "a killed worker's account and runs go on in the others, each run with one result",
  async () => {
    const database = await testDatabase("external");
    const { sql } = database;
    const env = {
      DRAGON_DATA_DIR: folder.path,
      DRAGON_DATABASE_URL: database.url ?? "",
      DRAGON_MASTER_KEY: randomBytes(32).toString("hex"),
      DRAGON_JOB_LEASE_S: String(LEASE_S),
      DRAGON_JOB_LEASE_RENEW_EVERY_S: "1",
    };
    const scope = await testScope(sql, "ann");
    const actor = await actorOf(sql, scope);
    await storeCandles(sql, scope, walkCandles(CANDLES, { timeframeMin: 1 }), 1);
    const accountId = await addBot(sql, scope);
    const victim = Bun.spawn(WORKER, {
      ...{ env: cleanEnv(env), stdin: "ignore", stdout: "ignore", stderr: "ignore" },
    });
    const others: Awaited<ReturnType<typeof serving>>[] = [];
    try {
      await until(
        "the account is traded",
        async () => (await leaseHolder(sql, accountId)) !== null,
      );
      const held = await leaseHolder(sql, accountId);
      const ids = await askForRuns(sql, actor);
      others.push(await serving(SERVE, { env }), await serving(WORKER, { env }));
      const workers = createWorkerRepository(sql);
      await until("all are seen", async () => (await workers.list(scope)).length === 3);
      const ofVictim = (await workers.list(scope)).find(({ pid }) => pid === victim.pid);
      expect(ofVictim).toMatchObject({ name: held, role: "worker", accountIds: [accountId] });
      const jobs = await sql`select 1 from run_jobs where holder = ${held}`;
      expect(jobs.length).toBeGreaterThan(0);
      victim.kill("SIGKILL");
      await victim.exited;
      await until("another one trades the account", async () => {
        const holder = await leaseHolder(sql, accountId);
        return holder !== null && holder !== held;
      });
      await until("every run has ended", async () => {
        const open = await sql`select 1 from runs where status in ('queued', 'running')`;
        return open.length === 0;
      });
      const ended = await sql<{ id: RunId; status: string; results: number }[]>`
        select r.id, r.status, count(a.run_id)::integer as results
        from runs r left join run_artifacts a on a.run_id = r.id group by r.id order by r.id`;
      expect([...ended]).toEqual(ids.map((id) => ({ id, status: "finished", results: 1 })));
    } finally {
      victim.kill("SIGKILL");
      for (const other of others) expect(await other.stop()).toBe(0);
      await database.drop();
    }
  },
  180_000,
);
