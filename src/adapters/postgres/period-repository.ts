// Saved periods on PostgreSQL. Built by main.ts and tests.
import { ok, refuse, type Result } from "../../model/result.ts";
import type { EpochMs } from "../../model/time.ts";
import type { Scope } from "../../ports/access-store.ts";
import type { NewPeriod, Period, PeriodId, PeriodStore } from "../../ports/period-store.ts";
import type { Sql } from "./connect.ts";
import { errorCode } from "./errors.ts";
import { at, firstOrNull } from "./rows.ts";

const UNIQUE_VIOLATION = "23505";

/** The period store on a migrated database. */
export function createPeriodRepository(sql: Sql): PeriodStore {
  return {
    list: async (scope) =>
      await sql<Period[]>`
      select id, name, from_at, to_at from saved_periods
      where workspace_id = ${scope.workspaceId} order by lower(name) collate "C", id`,
    create: (scope, period, now) => create(sql, scope, period, now),
    change: (scope, id, period, now) => change(sql, scope, id, period, now),
    remove: async (scope, id) => {
      const { count } = await sql`
        delete from saved_periods where id = ${id} and workspace_id = ${scope.workspaceId}`;
      return count === 1;
    },
  };
}

async function create(
  sql: Sql,
  scope: Scope,
  period: NewPeriod,
  now: EpochMs,
): Promise<Result<Period, "name_taken">> {
  const made = firstOrNull(
    await sql<Period[]>`
      insert into saved_periods (workspace_id, name, from_at, to_at, created_at, updated_at)
      values (${scope.workspaceId}, ${period.name}, ${at(period.fromAt)}, ${at(period.toAt)},
        ${at(now)}, ${at(now)})
      on conflict (workspace_id, lower(name)) do nothing
      returning id, name, from_at, to_at`,
  );
  return made ? ok(made) : nameTaken(period);
}

async function change(
  sql: Sql,
  scope: Scope,
  id: PeriodId,
  period: NewPeriod,
  now: EpochMs,
): Promise<Result<Period, "name_taken" | "unknown_period">> {
  try {
    const changed = firstOrNull(
      await sql<Period[]>`
        update saved_periods set name = ${period.name}, from_at = ${at(period.fromAt)},
          to_at = ${at(period.toAt)}, updated_at = ${at(now)}
        where id = ${id} and workspace_id = ${scope.workspaceId}
        returning id, name, from_at, to_at`,
    );
    return changed ? ok(changed) : refuse("unknown_period", "there is no such period");
  } catch (error) {
    if (errorCode(error) === UNIQUE_VIOLATION) return nameTaken(period);
    throw error;
  }
}

function nameTaken(period: NewPeriod) {
  return refuse("name_taken", `a period named ${period.name} exists already`);
}
