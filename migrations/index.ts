// The ordered list of migrations, embedded as text: a compiled executable cannot list a folder.
// Read by adapters/postgres/migrate.ts. An entry that was released is never edited.
import workspacesAndUsers from "./0001_workspaces_and_users.sql" with { type: "text" };
import settingsAndAudit from "./0002_settings_and_audit.sql" with { type: "text" };
import candleSeries from "./0003_candle_series.sql" with { type: "text" };
import instrumentsAndPeriods from "./0004_instruments_and_periods.sql" with { type: "text" };
import runs from "./0005_runs.sql" with { type: "text" };
import userPreferences from "./0006_user_preferences.sql" with { type: "text" };
import runDocuments from "./0007_run_documents.sql" with { type: "text" };
import accountsAndCredentials from "./0008_accounts_and_credentials.sql" with { type: "text" };
import ordersAndLedger from "./0009_orders_and_ledger.sql" with { type: "text" };
import tradingStates from "./0010_trading_states.sql" with { type: "text" };
import bots from "./0011_bots.sql" with { type: "text" };
import commands from "./0012_commands.sql" with { type: "text" };
import workersAndJobs from "./0013_workers_and_jobs.sql" with { type: "text" };
import roomForUpdates from "./0014_room_for_updates.sql" with { type: "text" };

/** One step of the schema. */
export type Migration = {
  /** 1, 2, 3 … without holes. */
  readonly version: number;
  /** The file name without `.sql`. */
  readonly name: string;
  readonly sql: string;
};

/** All migrations, oldest first. */
export const migrations: readonly Migration[] = [
  { version: 1, name: "0001_workspaces_and_users", sql: workspacesAndUsers },
  { version: 2, name: "0002_settings_and_audit", sql: settingsAndAudit },
  { version: 3, name: "0003_candle_series", sql: candleSeries },
  { version: 4, name: "0004_instruments_and_periods", sql: instrumentsAndPeriods },
  { version: 5, name: "0005_runs", sql: runs },
  { version: 6, name: "0006_user_preferences", sql: userPreferences },
  { version: 7, name: "0007_run_documents", sql: runDocuments },
  { version: 8, name: "0008_accounts_and_credentials", sql: accountsAndCredentials },
  { version: 9, name: "0009_orders_and_ledger", sql: ordersAndLedger },
  { version: 10, name: "0010_trading_states", sql: tradingStates },
  { version: 11, name: "0011_bots", sql: bots },
  { version: 12, name: "0012_commands", sql: commands },
  { version: 13, name: "0013_workers_and_jobs", sql: workersAndJobs },
  { version: 14, name: "0014_room_for_updates", sql: roomForUpdates },
];
