// Composition of stopping, releasing and telling people over an open database. Called by serve.ts and tests; it
// begins to follow closings and to look for alarms with `start`.
import { createAccountRepository } from "./adapters/postgres/account-repository.ts";
import { createAuditRepository } from "./adapters/postgres/audit-repository.ts";
import { createBotRepository } from "./adapters/postgres/bot-repository.ts";
import { createCommandRepository } from "./adapters/postgres/command-repository.ts";
import type { Sql } from "./adapters/postgres/connect.ts";
import { createControlRepository } from "./adapters/postgres/control-repository.ts";
import { createSettingsRepository } from "./adapters/postgres/settings-repository.ts";
import { createWorkerRepository } from "./adapters/postgres/worker-repository.ts";
import { createTradingRepository } from "./adapters/postgres/trading-repository.ts";
import { createNotifier } from "./adapters/notify/notifier.ts";
import { createVault } from "./adapters/vault/vault.ts";
import { nextStatus } from "./execution/order-machine.ts";
import type { Clock } from "./ports/clock.ts";
import type { Log } from "./ports/log.ts";
import type { Notifier } from "./ports/notifier.ts";
import { type Alarms, createAlarms } from "./services/live/alarms.ts";
import { createEmergency } from "./services/live/emergency.ts";
import type { Emergency } from "./services/live/emergency-types.ts";

/** What it is built from. */
export type EmergencySideDeps = {
  readonly sql: Sql;
  /** The master key's bytes. */
  readonly key: Uint8Array;
  readonly clock: Clock;
  readonly log: Log;
  readonly version: string;
  /** Another way out than the real one, for tests. */
  readonly notifier?: Notifier;
};

/** Stopping and telling. */
export type EmergencySide = {
  readonly emergency: Emergency;
  readonly alarms: Alarms;
  /** Begins to follow and to look. */
  start(): void;
  stop(): Promise<void>;
};

/** Builds it; nothing runs yet. */
export function composeEmergency(deps: EmergencySideDeps): EmergencySide {
  const { sql, clock, version } = deps;
  const log = deps.log.child("emergency");
  const bots = createBotRepository(sql);
  const controlRows = createControlRepository(sql);
  const workers = createWorkerRepository(sql);
  const settings = createSettingsRepository(sql);
  const emergency = createEmergency({
    ...{ control: controlRows, bots, settings, clock, log },
    accounts: createAccountRepository(sql),
    trading: createTradingRepository(sql, nextStatus),
    commands: createCommandRepository(sql),
    acknowledged: async (scope) => {
      // Silent ones count as long as they may still trade.
      const all = await workers.list(scope);
      const counted = all.filter(({ isSilent, accountIds }) => !isSilent || accountIds.length > 0);
      return counted.map(({ epoch }) => epoch ?? 0);
    },
  });
  const alarms = createAlarms({
    ...{ settings, bots, clock, log, control: controlRows },
    vault: createVault(deps.key),
    notifier: deps.notifier ?? createNotifier({ clock, userAgent: `Dragon/${version}` }),
    audit: createAuditRepository(sql),
  });
  const stopped = new AbortController();
  let running: Promise<unknown> = Promise.resolve();
  return {
    ...{ emergency, alarms },
    start() {
      running = Promise.all([emergency.run(stopped.signal), alarms.run(stopped.signal)]);
    },
    async stop() {
      stopped.abort(new Error("Dragon stops"));
      await running;
    },
  };
}
