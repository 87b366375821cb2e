// Composition of what lets accounts trade real money, over an open database: pre-flight, arming, and the live side of
// an account's page. Called by serve.ts and tests, which hand in the way to the exchange of an account.
import { createAccountRepository } from "./adapters/postgres/account-repository.ts";
import { createAuditRepository } from "./adapters/postgres/audit-repository.ts";
import { createBotRepository } from "./adapters/postgres/bot-repository.ts";
import type { Sql } from "./adapters/postgres/connect.ts";
import { createControlRepository } from "./adapters/postgres/control-repository.ts";
import { schemaState } from "./adapters/postgres/migrate.ts";
import { createSettingsRepository } from "./adapters/postgres/settings-repository.ts";
import { createTradingRepository } from "./adapters/postgres/trading-repository.ts";
import { folderFacts } from "./adapters/system/machine.ts";
import { keyIdOf } from "./adapters/vault/vault.ts";
import { nextStatus } from "./execution/order-machine.ts";
import type { Clock } from "./ports/clock.ts";
import type { Log } from "./ports/log.ts";
import { type AccountLive, createAccountLive } from "./services/live/account-live.ts";
import { targetView } from "./services/live/alarm-settings.ts";
import { createPreflight } from "./services/live/preflight.ts";
import type { PreflightSources } from "./services/live/preflight-facts.ts";
import { createPreflightRuns } from "./services/live/preflight-runs.ts";

/** What it is built from. */
export type PreflightSideDeps = {
  readonly sql: Sql;
  /** The master key's bytes. */
  readonly key: Uint8Array;
  readonly dataDir: string;
  /** 0..99: this installation. */
  readonly instance: number;
  readonly open: PreflightSources["open"];
  readonly clock: Clock;
  readonly log: Log;
};

/** The live side of accounts. */
export type PreflightSide = {
  readonly accountLive: AccountLive;
  /** Ends pre-flights that are under way. */
  stop(): Promise<void>;
};

/** Builds it; nothing runs yet. */
export function composePreflight(deps: PreflightSideDeps): PreflightSide {
  const { sql, key, dataDir, instance, open, clock } = deps;
  const log = deps.log.child("preflight");
  const accounts = createAccountRepository(sql);
  const bots = createBotRepository(sql);
  const control = createControlRepository(sql);
  const settings = createSettingsRepository(sql);
  const audit = createAuditRepository(sql);
  const preflight = createPreflight({
    ...{ accounts, bots, control, settings, audit, open, instance, clock, log },
    trading: createTradingRepository(sql, nextStatus),
    freeBytes: async () => folderFacts(dataDir).freeBytes,
    schema: () => schemaState(sql),
    hasAlarm: async (scope) => (await targetView({ settings }, scope)) !== null,
    keyId: keyIdOf(key),
  });
  const runs = createPreflightRuns({ preflight, accounts, clock, log });
  return {
    accountLive: createAccountLive({
      ...{ accounts, bots, control, settings, audit, preflight, runs, clock, log },
    }),
    stop: runs.stop,
  };
}
