// Composition of `dragon preflight`, `dragon arm` and `dragon disarm` over the instance's own database. Called by
// main.ts. It takes no lease and trades nothing; the exchange of an account is only asked.
import { createAccountRepository } from "./adapters/postgres/account-repository.ts";
import { migrate } from "./adapters/postgres/migrate.ts";
import { settleMasterKey } from "./adapters/vault/master-key.ts";
import type { OpenArming } from "./cli/arming.ts";
import { type Config, parseMasterKey } from "./config.ts";
import { installationNumber } from "./demo-exchange.ts";
import { composeLive } from "./live.ts";
import type { Clock } from "./ports/clock.ts";
import type { Log } from "./ports/log.ts";
import { composePreflight } from "./preflight.ts";
import { closingOnFailure, deskStores, type Storage } from "./storage.ts";

/** What it is composed from. */
export type ArmingDeps = {
  readonly config: Pick<Config, "dataDir" | "masterKey" | "jobLeaseMs" | "jobLeaseRenewEveryMs">;
  readonly storage: Storage;
  readonly clock: Clock;
  readonly log: Log;
  /** Ends a pre-flight that is under way. */
  readonly signal: AbortSignal;
};

/**
 * Opens the database, the stored keys and the way to the exchanges.
 * @throws DatabaseError or MasterKeyError with a sentence; nothing stays open then
 */
export async function openArming(deps: ArmingDeps): Promise<OpenArming> {
  const { config, storage, clock, log, signal } = deps;
  const database = await storage.openRaw("command");
  return closingOnFailure(database, async () => {
    const { sql, target } = database;
    await migrate(sql);
    const { access, settings } = deskStores(database);
    const fromEnvironment = config.masterKey();
    const { dataDir } = config;
    const { bytes: key } = await settleMasterKey(
      { dataDir, fromEnvironment, parse: parseMasterKey },
      settings,
      clock.now(),
    );
    const instance = await installationNumber(settings, "instance.number", 100, clock.now());
    const live = composeLive({
      ...{ sql, target, key, clock, log, instance, name: "command", loopbackUrls: {} },
      demo: () => Promise.reject(new Error("no command asks the demo exchange")),
      lease: { ttlMs: config.jobLeaseMs, renewEveryMs: config.jobLeaseRenewEveryMs },
    });
    const open = live.openForChecks;
    const side = composePreflight({ sql, key, dataDir, instance, open, clock, log });
    const stop = () => void side.stop();
    signal.addEventListener("abort", stop, { once: true });
    return {
      live: side.accountLive,
      accounts: createAccountRepository(sql),
      access,
      async close() {
        signal.removeEventListener("abort", stop);
        await side.stop();
        await live.stop();
        await database.close();
      },
    };
  });
}
