// Preferences of users on PostgreSQL. Built by the composition root and tests; the last writer wins.
import { assert } from "../../model/result.ts";
import type { EpochMs } from "../../model/time.ts";
import type { Scope } from "../../ports/access-store.ts";
import type { PreferenceStore } from "../../ports/preference-store.ts";
import type { Json } from "../../ports/settings-store.ts";
import type { Sql } from "./connect.ts";
import { at, firstOrNull, jsonb } from "./rows.ts";

/** The preference store on a migrated database. */
export function createPreferenceRepository(sql: Sql): PreferenceStore {
  return {
    async read(scope, key) {
      const row = firstOrNull(
        await sql<{ value: Json }[]>`
          select value from user_preferences
          where workspace_id = ${scope.workspaceId} and user_id = ${userOf(scope)}
            and key = ${key}`,
      );
      return row?.value ?? null;
    },
    write: (scope, key, value, now) =>
      value === null ? forget(sql, scope, key) : keep(sql, scope, key, value, now),
  };
}

function userOf(scope: Scope) {
  assert(scope.userId !== null, "a preference belongs to a user");
  return scope.userId;
}

async function forget(sql: Sql, scope: Scope, key: string): Promise<void> {
  await sql`
    delete from user_preferences
    where workspace_id = ${scope.workspaceId} and user_id = ${userOf(scope)} and key = ${key}`;
}

async function keep(sql: Sql, scope: Scope, key: string, value: Json, now: EpochMs): Promise<void> {
  await sql`
    insert into user_preferences (workspace_id, user_id, key, value, updated_at)
    values (${scope.workspaceId}, ${userOf(scope)}, ${key}, ${jsonb(sql, value)}, ${at(now)})
    on conflict (workspace_id, user_id, key)
    do update set value = excluded.value, updated_at = excluded.updated_at`;
}
