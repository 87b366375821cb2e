// Renewals of leases on a real server: those of a moment are one transaction, each with its own answer, and no
// account holds up or spoils the renewal of another.
import { expect } from "bun:test";
import { createAccountRepository } from "../../../src/adapters/postgres/account-repository.ts";
import { createCommandRepository } from "../../../src/adapters/postgres/command-repository.ts";
import type { Sql } from "../../../src/adapters/postgres/connect.ts";
import { createTradingLeases } from "../../../src/adapters/postgres/trading-leases.ts";
import type { Scope } from "../../../src/ports/access-store.ts";
import type { Lease } from "../../../src/ports/trading-store.ts";
import { databaseTest } from "../../support/database-test.ts";
import { TTL_MS } from "../../support/store-world.ts";
import { testScope } from "../../support/test-database.ts";
import { START } from "../../support/trading.ts";

const ACCOUNTS = 5;

async function leasesOf(sql: Sql) {
  const scope = await testScope(sql, "mine");
  const store = createTradingLeases(sql);
  const leases: Lease[] = [];
  for (let n = 0; n < ACCOUNTS; n++) {
    const account = { name: `Account ${n}`, exchangeId: "woox", mode: "demo" } as const;
    const made = await createAccountRepository(sql).create(scope, account, null, START);
    if (!made.ok) throw new Error(made.detail);
    const taken = await store.takeLease(scope, made.value.id, "worker-1", TTL_MS, false);
    if (!taken.ok) throw new Error(taken.detail);
    leases.push(taken.value);
  }
  const renewAll = () =>
    Promise.allSettled(leases.map((lease) => store.renewLease(scope, lease, TTL_MS, true)));
  return { store, scope, leases, renewAll };
}

/** Transactions that took a number, because they wrote or locked rows. */
async function numbersTaken(sql: Sql): Promise<number> {
  const [row] = await sql<{ next: number }[]>`
    select pg_snapshot_xmax(pg_current_snapshot())::text::bigint as next`;
  if (!row) throw new Error("the server did not answer");
  return row.next;
}

const answers = (settled: readonly PromiseSettledResult<number | null>[]) =>
  settled.map((each) => (each.status === "fulfilled" ? each.value : each.reason));

databaseTest("five leases renewed at one moment are one transaction", async ({ sql }) => {
  const { leases, renewAll } = await leasesOf(sql);
  const before = await numbersTaken(sql);
  const ends = answers(await renewAll());
  expect(await numbersTaken(sql)).toBe(before + 1);
  for (const [n, lease] of leases.entries()) {
    expect(ends[n]).toBeGreaterThanOrEqual(lease.expiresAt);
  }
  const rows = await sql<{ ownsLock: boolean; expiresAt: number }[]>`
    select owns_lock, expires_at from account_leases order by account_id`;
  expect(rows.map(({ ownsLock }) => ownsLock)).toEqual(leases.map(() => true));
  expect(rows.map(({ expiresAt }) => expiresAt)).toEqual(ends);
});

databaseTest("a lease that is lost is told so, and the other four are renewed", async ({ sql }) => {
  const { store, scope, leases, renewAll } = await leasesOf(sql);
  const lost = leases[2]!;
  expect(await store.releaseLease(scope, lost)).toBe(true);
  const ends = answers(await renewAll());
  expect(ends.map((end) => end === null)).toEqual([false, false, true, false, false]);
});

databaseTest("leases of another workspace are not renewed with ours", async ({ sql }) => {
  const { store, scope, leases } = await leasesOf(sql);
  const stranger: Scope = { ...(await testScope(sql, "other")), role: "owner" };
  const [mine, theirs] = await Promise.all([
    store.renewLease(scope, leases[0]!, TTL_MS, true),
    store.renewLease(stranger, leases[1]!, TTL_MS, true),
  ]);
  expect(mine).not.toBeNull();
  expect(theirs).toBeNull();
});

databaseTest("an account that is being written holds up no other renewal", async ({ sql }) => {
  const { store, scope, leases } = await leasesOf(sql);
  const [busy, ...free] = leases;
  let late: Promise<number | null> | null = null;
  let isLate = true;
  await sql.begin(async (tx) => {
    await tx`select 1 from account_leases where account_id = ${busy!.accountId} for update`;
    late = store.renewLease(scope, busy!, TTL_MS, true);
    void late.then(() => {
      isLate = false;
    });
    const others = free.map((lease) => store.renewLease(scope, lease, TTL_MS, true));
    expect(await Promise.all(others)).not.toContain(null);
    expect(isLate).toBe(true);
  });
  expect(await late).not.toBeNull();
});

databaseTest("a statement that fails is a failed renewal for each", async ({ sql }) => {
  const { leases, renewAll } = await leasesOf(sql);
  await sql`alter table account_leases rename to elsewhere`;
  const failed = await renewAll();
  expect(failed.map(({ status }) => status)).toEqual(leases.map(() => "rejected"));
  await sql`alter table elsewhere rename to account_leases`;
  expect(answers(await renewAll())).not.toContain(null);
});

databaseTest(
  "asking for a lease that another holds, or for commands, takes no number",
  async ({ sql }) => {
    const { store, scope, leases } = await leasesOf(sql);
    const commands = createCommandRepository(sql);
    const [lease] = leases;
    const before = await numbersTaken(sql);
    const asked = await store.takeLease(scope, lease!.accountId, "worker-2", TTL_MS, false);
    expect(asked).toMatchObject({ ok: false, reason: "held" });
    expect(await commands.waiting(scope, lease!, START)).toEqual([]);
    expect(await numbersTaken(sql)).toBe(before);
  },
);
