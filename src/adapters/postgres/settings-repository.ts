// Settings on PostgreSQL, of the instance or of one workspace. Built by the composition root and
// tests; it checks no meaning, only revisions.
import { ok, refuse } from "../../model/result.ts";
import type { EpochMs } from "../../model/time.ts";
import type { UserId, WorkspaceId } from "../../ports/access-store.ts";
import type {
  Setting,
  SettingChange,
  SettingOutcome,
  SettingsStore,
} from "../../ports/settings-store.ts";
import type { Query, Sql } from "./connect.ts";
import { at, firstOrNull, jsonb } from "./rows.ts";

/** Stands for "the instance" where a workspace id is expected; identities begin at 1. */
const INSTANCE = 0;

type Owner = WorkspaceId | typeof INSTANCE;

/** The settings store on a migrated database. */
export function createSettingsRepository(sql: Sql): SettingsStore {
  return {
    readInstance: (key) => read(sql, INSTANCE, key),
    listInstance: () => list(sql, INSTANCE),
    writeInstance: (change, updatedBy, now) => write(sql, INSTANCE, change, updatedBy, now),
    read: (scope, key) => read(sql, scope.workspaceId, key),
    list: (scope) => list(sql, scope.workspaceId),
    write: (scope, change, now) => write(sql, scope.workspaceId, change, scope.userId, now),
  };
}

function columns(sql: Query) {
  return sql`settings.key, settings.value, settings.previous, settings.revision,
    settings.updated_by, settings.updated_at`;
}

async function read(sql: Sql, owner: Owner, key: string): Promise<Setting | null> {
  return firstOrNull(
    await sql<Setting[]>`
      select ${columns(sql)} from settings
      where coalesce(workspace_id, 0) = ${owner} and key = ${key}`,
  );
}

async function list(sql: Sql, owner: Owner): Promise<Setting[]> {
  return await sql<Setting[]>`
    select ${columns(sql)} from settings
    where coalesce(workspace_id, 0) = ${owner} order by key collate "C"`;
}

async function write(
  sql: Sql,
  owner: Owner,
  change: SettingChange,
  updatedBy: UserId | null,
  now: EpochMs,
): Promise<SettingOutcome> {
  const stored = await store(sql, owner, change, updatedBy, now);
  if (stored) return ok(stored);
  const detail = `the setting ${change.key} was changed by somebody else meanwhile`;
  return refuse("revision_changed", detail);
}

async function store(
  sql: Sql,
  owner: Owner,
  change: SettingChange,
  updatedBy: UserId | null,
  now: EpochMs,
): Promise<Setting | null> {
  const { key, expectedRevision } = change;
  const value = jsonb(sql, change.value);
  if (expectedRevision !== undefined && expectedRevision > 0) {
    return firstOrNull(
      await sql<Setting[]>`
        update settings set previous = value, value = ${value}, revision = revision + 1,
          updated_by = ${updatedBy}, updated_at = ${at(now)}
        where coalesce(workspace_id, 0) = ${owner} and key = ${key}
          and revision = ${expectedRevision}
        returning ${columns(sql)}`,
    );
  }
  const onConflict =
    expectedRevision === 0
      ? sql`do nothing`
      : sql`do update set previous = settings.value, value = excluded.value,
          revision = settings.revision + 1, updated_by = excluded.updated_by,
          updated_at = excluded.updated_at`;
  return firstOrNull(
    await sql<Setting[]>`
      insert into settings (workspace_id, key, value, previous, revision, updated_by, updated_at)
      values (${owner === INSTANCE ? null : owner}, ${key}, ${value}, 'null', 1, ${updatedBy},
        ${at(now)})
      on conflict (coalesce(workspace_id, 0), key) ${onConflict}
      returning ${columns(sql)}`,
  );
}
