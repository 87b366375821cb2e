// Reconciliation against the real simulated exchange: every scenario ends clean, a second pass writes
// nothing, and the books are the exchange's to the last unit.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { createTradingRepository } from "../../../src/adapters/postgres/trading-repository.ts";
import { createAccountRepository } from "../../../src/adapters/postgres/account-repository.ts";
import { nextStatus } from "../../../src/execution/order-machine.ts";
import type { PositionMode } from "../../../src/ports/broker.ts";
import { needs, testIf } from "../../support/needs.ts";
import {
  type Rows,
  type ReconcileLab,
  startReconcileLab,
  SYMBOL,
} from "../../support/reconcile-lab.ts";
import { type TestDatabase, testDatabase, testScope } from "../../support/test-database.ts";
import { stopLabs } from "../../venue/lab.ts";
import { ACCOUNT_SCENARIOS } from "./account-scenarios.ts";
import { ORDER_SCENARIOS } from "./order-scenarios.ts";
import type { Scenario } from "./scenario-parts.ts";

afterEach(stopLabs);

const SCENARIOS = [...ORDER_SCENARIOS, ...ACCOUNT_SCENARIOS];
const MODES: readonly PositionMode[] = ["one_way", "hedge"];

for (const scenario of SCENARIOS) {
  for (const mode of scenario.modes ?? MODES) {
    test(`${scenario.name} settles and stays settled (${mode})`, async () => {
      await play(scenario, await startReconcileLab({ mode }));
    });
  }
}

const TIMEOUT_MS = 60_000;

for (const server of ["bundled", "external"] as const) {
  describe(`on PostgreSQL (${server})`, () => {
    const isHere = server === "bundled" || needs("postgres").present;
    let database: TestDatabase | null = null;
    beforeAll(async () => {
      if (isHere) database = await testDatabase(server);
    }, TIMEOUT_MS);
    afterAll(async () => database?.drop());

    for (const { modes = MODES, ...scenario } of SCENARIOS.filter((one) => one.inDatabase)) {
      const mode = modes.at(-1) ?? "hedge";
      const name = `${scenario.name} settles and stays settled (${mode})`;
      const body = async () => {
        if (!database) throw new Error("there is no database");
        const opened = database;
        const lab = await startReconcileLab({ mode, rows: await databaseRows(opened) });
        await play(scenario, lab, () => rowVersions(opened));
      };
      if (server === "bundled") test(name, body, TIMEOUT_MS);
      else testIf("postgres", name, body, TIMEOUT_MS);
    }
  });
}

async function play(
  scenario: Scenario,
  lab: ReconcileLab,
  versions: () => Promise<unknown> = async () => lab.store.ledger(lab.scope, lab.accountId, 1000),
): Promise<void> {
  await scenario.run(lab);
  await lab.settle();
  expect(lab.kinds().sort()).toEqual([...(scenario.told ?? [])].sort());
  const differences = (await lab.differences()).join("\n");
  if (scenario.differs) expect(differences).toMatch(scenario.differs);
  else expect(differences).toBe("");
  const reason = lab.reconciler().blocks().get(SYMBOL) ?? "";
  if (scenario.blocked) expect(reason).toMatch(scenario.blocked);
  else expect(reason).toBe("");
  expect(lab.reconciler().isClean()).toBe(true);
  const [writes, noted, rows] = [lab.writes(), lab.events.length, await versions()];
  const again = await lab.pass();
  expect(again).toEqual({
    ...{ isComplete: true, isDeferred: false },
    ...{ writes: 0, findings: [], failures: [] },
  });
  expect(lab.writes()).toBe(writes);
  expect(lab.events).toHaveLength(noted);
  expect(await versions()).toEqual(rows);
}

async function databaseRows({ sql }: TestDatabase): Promise<Rows> {
  const scope = await testScope(sql, "mine");
  const account = { name: "Demo", exchangeId: "woox", mode: "paper" } as const;
  const made = await createAccountRepository(sql).create(scope, account, null, Date.now());
  if (!made.ok) throw new Error(made.detail);
  return { store: createTradingRepository(sql, nextStatus), scope, accountId: made.value.id };
}

/** How many rows each table has and which transaction wrote last: whatever is written changes it. */
async function rowVersions({ sql }: TestDatabase): Promise<unknown> {
  const tables = ["order_intents", "fills", "funding_payments", "ledger_entries", "positions"];
  const books = ["symbol_books", "trade_cycles"];
  return await Promise.all(
    [...tables, ...books].map(
      (table) => sql`select count(*), max(xmin::text::bigint) from ${sql(table)}`,
    ),
  );
}
