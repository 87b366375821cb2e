// Brings a schema forward, one transaction per migration. Called by serve, commands and tests.
// Never goes back, never runs an edited migration, never touches a schema newer than the program.
import { createHash } from "node:crypto";
import { type Migration, migrations as released } from "../../../migrations/index.ts";
import type { Query, Sql } from "./connect.ts";
import { DatabaseError, errorText } from "./errors.ts";
import { one } from "./rows.ts";

/** What a run of migrate did. */
export type MigrateResult = {
  /** 0 for an empty database. */
  readonly from: number;
  readonly to: number;
  /** Names of the migrations applied now. */
  readonly applied: readonly string[];
};

/** Where a schema stands against this program. */
export type SchemaState = {
  readonly current: number;
  readonly latest: number;
  /** Names of the migrations still to be applied. */
  readonly pending: readonly string[];
};

type Applied = { readonly version: number; readonly name: string; readonly checksum: string };

/** Held while migrating, so that two programs starting at once take turns. */
const MIGRATION_LOCK = 7_231_846_501;

/** SHA-256 of a migration's text, hex. */
export function checksumOf(migration: Migration): string {
  return createHash("sha256").update(migration.sql).digest("hex");
}

/**
 * Applies every migration the database does not have yet.
 * @throws DatabaseError when the schema is newer than the program, a stored migration was edited,
 *   or one fails (those before it stay applied)
 */
export async function migrate(
  sql: Sql,
  migrations: readonly Migration[] = released,
): Promise<MigrateResult> {
  const connection = await sql.reserve();
  try {
    // Waiting for another migrator and rewriting big tables may both take long.
    await connection`set statement_timeout = 0`;
    await connection`select pg_advisory_lock(${MIGRATION_LOCK})`;
    try {
      return await applyPending(connection, migrations);
    } finally {
      await connection`select pg_advisory_unlock(${MIGRATION_LOCK})`;
      await connection`reset statement_timeout`;
    }
  } finally {
    connection.release();
  }
}

/**
 * Compares the schema with the program without changing anything.
 * @throws DatabaseError when the schema is newer or a migration was edited
 */
export async function schemaState(
  sql: Sql,
  migrations: readonly Migration[] = released,
): Promise<SchemaState> {
  const applied = await readApplied(sql);
  check(applied, migrations);
  return {
    current: applied.length,
    latest: migrations.length,
    pending: migrations.slice(applied.length).map((migration) => migration.name),
  };
}

async function applyPending(sql: Sql, migrations: readonly Migration[]): Promise<MigrateResult> {
  await sql`
    create table if not exists schema_migrations (
      version integer primary key,
      name text not null,
      checksum text not null,
      applied_at timestamptz not null default now()
    )`;
  const applied = await readApplied(sql);
  check(applied, migrations);
  const pending = migrations.slice(applied.length);
  for (const migration of pending) await apply(sql, migration);
  return {
    from: applied.length,
    to: migrations.length,
    applied: pending.map((migration) => migration.name),
  };
}

async function apply(sql: Sql, migration: Migration): Promise<void> {
  await sql`begin`;
  try {
    await sql.unsafe(migration.sql);
    await sql`
      insert into schema_migrations (version, name, checksum)
      values (${migration.version}, ${migration.name}, ${checksumOf(migration)})`;
    await sql`commit`;
  } catch (error) {
    await sql`rollback`;
    throw new DatabaseError(`the migration ${migration.name} failed: ${errorText(error)}`, {
      cause: error,
    });
  }
}

async function readApplied(sql: Query): Promise<Applied[]> {
  const { exists } = one(
    await sql<{ exists: boolean }[]>`
      select to_regclass('schema_migrations') is not null as exists`,
  );
  if (!exists) return [];
  return await sql<Applied[]>`
    select version, name, checksum from schema_migrations order by version`;
}

function check(applied: readonly Applied[], migrations: readonly Migration[]): void {
  const newest = applied.at(-1)?.version ?? 0;
  if (newest > migrations.length) {
    throw new DatabaseError(
      `the database schema is at version ${newest} but this Dragon only knows version ` +
        `${migrations.length}: start the newer Dragon, or restore a backup made with this one`,
    );
  }
  for (const [index, row] of applied.entries()) {
    const known = migrations[index];
    if (known && row.version === known.version && row.checksum === checksumOf(known)) continue;
    throw new DatabaseError(
      `the migration ${row.name} was applied to this database with another text than this Dragon ` +
        "has: a released migration must never be edited",
    );
  }
}
