// Composition of the database side: opens it, brings the schema up to date and builds the stores.
// Loaded by main.ts only for commands that need a database.
import { createLinkRepository } from "./adapters/postgres/access-links.ts";
import { createAccessRepository } from "./adapters/postgres/access-repository.ts";
import { createAuditRepository } from "./adapters/postgres/audit-repository.ts";
import { type Database, openDatabase } from "./adapters/postgres/database.ts";
import { migrate } from "./adapters/postgres/migrate.ts";
import { archivedBinaries } from "./adapters/postgres/server-archive.ts";
import { createSettingsRepository } from "./adapters/postgres/settings-repository.ts";
import { loadBundle } from "./bundle.ts";
import type { OpenStores } from "./cli/command.ts";
import type { Config } from "./config.ts";
import type { Clock } from "./ports/clock.ts";
import type { Log } from "./ports/log.ts";
import type { UserLinkStore } from "./ports/user-link-store.ts";

/** What opening a database needs. */
export type StorageDeps = { readonly config: Config; readonly log: Log; readonly clock: Clock };

/** Ways to open the database. */
export type Storage = {
  /** As it is, schema untouched. */
  openRaw(as: "serve" | "worker" | "command"): Promise<Database>;
  /** With the schema up to date. */
  openStores(): Promise<OpenStores>;
  /** Opens, migrates and closes. */
  migrateOnly(): Promise<{ from: number; to: number; applied: readonly string[] }>;
};

/** Stores about people and settings. */
export type DeskStores = Pick<OpenStores, "access" | "settings" | "audit"> & {
  readonly links: UserLinkStore;
};

/** The stores that starting and checking need. */
export function deskStores(database: Pick<Database, "sql">): DeskStores {
  const { sql } = database;
  return {
    access: createAccessRepository(sql),
    links: createLinkRepository(sql),
    settings: createSettingsRepository(sql),
    audit: createAuditRepository(sql),
  };
}

/** Every store; the research side is loaded only here, so that a start need not wait for it. */
async function allStores(database: Database): Promise<OpenStores> {
  const { sql } = database;
  const { createCandleRepository } = await import("./adapters/postgres/candle-repository.ts");
  const { createInstrumentRepository } =
    await import("./adapters/postgres/instrument-repository.ts");
  const { createPeriodRepository } = await import("./adapters/postgres/period-repository.ts");
  const { createRunRepository } = await import("./adapters/postgres/run-repository.ts");
  return {
    ...deskStores(database),
    instruments: createInstrumentRepository(sql),
    periods: createPeriodRepository(sql),
    runs: createRunRepository(sql),
    candles: createCandleRepository(sql),
    close: () => database.close(),
  };
}

/** Builds the storage; nothing is opened yet. */
export function createStorage({ config, log }: StorageDeps): Storage {
  const { databaseUrl, dataDir } = config;
  const openRaw = async (as: "serve" | "worker" | "command") => {
    const bundle = await loadBundle();
    return openDatabase({
      ...(databaseUrl === undefined ? {} : { databaseUrl }),
      ...(bundle ? { binaries: archivedBinaries(bundle.postgres) } : {}),
      dataDir,
      as,
      log: log.child("database"),
    });
  };
  return {
    openRaw,
    async openStores() {
      const database = await openRaw("command");
      return closingOnFailure(database, async () => {
        await migrate(database.sql);
        return allStores(database);
      });
    },
    async migrateOnly() {
      const database = await openRaw("command");
      try {
        return await migrate(database.sql);
      } finally {
        await database.close();
      }
    },
  };
}

/** Runs a step of a start; the database does not stay open when it fails. */
export async function closingOnFailure<T>(database: Database, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    await database.close();
    throw error;
  }
}
