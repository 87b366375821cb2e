// The desk of bots over a fresh database of its own, with a clock in the test's hands. Used by the tests of the
// desk.
import { test } from "bun:test";
import { createAccessRepository } from "../../../src/adapters/postgres/access-repository.ts";
import type { Sql } from "../../../src/adapters/postgres/connect.ts";
import { composeBots } from "../../../src/bots.ts";
import type { Scope } from "../../../src/ports/access-store.ts";
import type { Actor } from "../../../src/services/desk/actor.ts";
import { botSeeder } from "../../support/bot-desk.ts";
import { testResearch } from "../../support/research-case.ts";
import { silentLog, testDatabase, testScope } from "../../support/test-database.ts";

export const START = Date.UTC(2026, 2, 4, 10);
const TIMEOUT_MS = 30_000;

/** A clock that stands still; sleepers wake when the test says so. */
function heldClock() {
  let now = START;
  const asleep: (() => void)[] = [];
  return {
    asleep,
    clock: {
      now: () => now,
      monotonicMs: () => now - START,
      sleep: (_durationMs: number, signal?: AbortSignal) =>
        new Promise<void>((resolve, reject) => {
          asleep.push(resolve);
          signal?.addEventListener("abort", () => reject(signal.reason));
        }),
    },
    advance(ms: number) {
      now += ms;
    },
    wake() {
      for (const end of asleep.splice(0)) end();
    },
  };
}

async function traderOf(sql: Sql, scope: Scope, email: string): Promise<Actor> {
  const trader = { email, passwordHash: "x", timeZone: "UTC", role: "trader" } as const;
  const made = await createAccessRepository(sql).createUser(scope, trader, START);
  if (!made.ok) throw new Error(made.detail);
  return { user: made.value, scope: { ...scope, userId: made.value.id, role: "trader" } };
}

async function deskOf(sql: Sql) {
  const held = heldClock();
  const scope = await testScope(sql, "mine");
  const stranger = await testScope(sql, "theirs");
  const research = testResearch(sql, { pool: { threads: 1 } });
  const { bots } = composeBots({ sql, research, clock: held.clock, log: silentLog });
  return {
    ...{ sql, bots, scope, stranger, research, ...held },
    me: await traderOf(sql, scope, "trader@mine.example"),
    other: await traderOf(sql, stranger, "trader@theirs.example"),
    seeder: botSeeder(sql, scope, held.clock.now),
  };
}

/** What a test of the desk works with. */
export type DeskCase = Awaited<ReturnType<typeof deskOf>>;

/** Registers a test on a desk of its own. */
export function deskTest(name: string, body: (desk: DeskCase) => Promise<void>): void {
  const run = async () => {
    const database = await testDatabase();
    const desk = await deskOf(database.sql);
    try {
      await body(desk);
    } finally {
      await desk.research.stop();
      await database.drop();
    }
  };
  test(name, run, TIMEOUT_MS);
}
