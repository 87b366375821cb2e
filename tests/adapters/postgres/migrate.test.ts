// Migrations on real servers: from nothing, twice, two at once, and every refusal.
import { expect } from "bun:test";
import { migrations } from "../../../migrations/index.ts";
import { connect, type Sql } from "../../../src/adapters/postgres/connect.ts";
import { checksumOf, migrate, schemaState } from "../../../src/adapters/postgres/migrate.ts";
import { emptyDatabaseTest } from "../../support/database-test.ts";

const latest = migrations.length;
const names = migrations.map((migration) => migration.name);

async function tables(sql: Sql): Promise<string[]> {
  const rows = await sql<{ name: string }[]>`
    select tablename::text as name from pg_tables where schemaname = 'public' order by 1`;
  return rows.map((row) => row.name);
}

emptyDatabaseTest("an empty database is brought to the latest version", async ({ sql }) => {
  expect(await schemaState(sql)).toEqual({ current: 0, latest, pending: names });
  expect(await tables(sql)).toEqual([]);
  expect(await migrate(sql)).toEqual({ from: 0, to: latest, applied: names });
  expect(await schemaState(sql)).toEqual({ current: latest, latest, pending: [] });
  const made = await tables(sql);
  for (const table of ["workspaces", "users", "settings", "audit_log", "instruments", "runs"]) {
    expect(made).toContain(table);
  }
  const rows = await sql<{ version: number; name: string; checksum: string }[]>`
    select version, name, checksum from schema_migrations order by version`;
  expect([...rows]).toEqual(
    migrations.map((m) => ({ version: m.version, name: m.name, checksum: checksumOf(m) })),
  );
});

emptyDatabaseTest("a second run changes nothing", async ({ sql }) => {
  await migrate(sql, migrations.slice(0, 2));
  expect(await migrate(sql)).toEqual({ from: 2, to: latest, applied: names.slice(2) });
  const before = await sql`select * from schema_migrations order by version`;
  expect(await migrate(sql)).toEqual({ from: latest, to: latest, applied: [] });
  const after = await sql`select * from schema_migrations order by version`;
  expect([...after]).toEqual([...before]);
});

emptyDatabaseTest("an edited migration is refused by its name", async ({ sql }) => {
  await migrate(sql, migrations.slice(0, 2));
  const edited = migrations.map((m) => (m.version === 2 ? { ...m, sql: `${m.sql}\n` } : m));
  const sentence =
    "the migration 0002_settings_and_audit was applied to this database with another text";
  expect(migrate(sql, edited)).rejects.toThrow(sentence);
  expect(schemaState(sql, edited)).rejects.toThrow(sentence);
  await sql`select 1`;
  expect((await schemaState(sql)).current).toBe(2);
});

emptyDatabaseTest(
  "a schema newer than the program is refused with both numbers",
  async ({ sql }) => {
    await migrate(sql);
    const older = migrations.slice(0, 3);
    const sentence = `schema is at version ${latest} but this Dragon only knows version 3`;
    expect(migrate(sql, older)).rejects.toThrow(sentence);
    expect(schemaState(sql, older)).rejects.toThrow(sentence);
    await sql`select 1`;
  },
);

emptyDatabaseTest(
  "a failing migration leaves no trace and keeps those before it",
  async ({ sql }) => {
    const first = { version: 1, name: "0001_good", sql: "create table good (id bigint)" };
    const bad = {
      version: 2,
      name: "0002_bad",
      sql: "create table half (id bigint); select 1 / 0",
    };
    expect(migrate(sql, [first, bad])).rejects.toThrow(
      "the migration 0002_bad failed: division by zero",
    );
    await sql`select 1`;
    expect(await schemaState(sql, [first, bad])).toEqual({
      current: 1,
      latest: 2,
      pending: ["0002_bad"],
    });
    expect(await tables(sql)).toEqual(["good", "schema_migrations"]);
    const mended = { ...bad, sql: "create table whole (id bigint)" };
    expect((await migrate(sql, [first, mended])).applied).toEqual(["0002_bad"]);
  },
);

emptyDatabaseTest("two migrators at once take turns", async ({ sql, target }) => {
  const slow = migrations.map((m) =>
    m.version === 1 ? { ...m, sql: `select pg_sleep(0.2);\n${m.sql}` } : m,
  );
  const other = connect(target, { max: 2 });
  try {
    const results = await Promise.all([
      migrate(sql, slow),
      migrate(other, slow),
      migrate(sql, slow),
    ]);
    const applied = results.flatMap((result) => result.applied);
    expect(applied).toEqual(names);
    expect(results.filter((result) => result.applied.length === latest).length).toBe(1);
  } finally {
    await other.end();
  }
});

emptyDatabaseTest(
  "the lock and the time-out are given back after a migration",
  async ({ target }) => {
    const single = connect(target, { max: 1 });
    try {
      await migrate(single);
      const [row] = await single<{ held: number; timeout: string }[]>`
      select count(*) as held, current_setting('statement_timeout') as timeout
      from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()`;
      expect(row).toEqual({ held: 0, timeout: "30s" });
    } finally {
      await single.end();
    }
  },
);
