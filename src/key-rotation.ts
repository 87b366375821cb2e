// Composition of a change of the master key over the instance's own database. Called by main.ts for
// `dragon admin rotate-key`. The new key is never shown and written nowhere but into the key file.
import { createKeyRotationRepository } from "./adapters/postgres/key-rotation-repository.ts";
import { migrate } from "./adapters/postgres/migrate.ts";
import { type Rotated, rotateMasterKey } from "./adapters/vault/rotate-key.ts";
import { type Config, parseMasterKey } from "./config.ts";
import type { Clock } from "./ports/clock.ts";
import { resealCredentials } from "./services/desk/credential-seal.ts";
import { deskStores, type Storage } from "./storage.ts";

/** What it is composed from. */
export type KeyRotationDeps = {
  readonly config: Pick<Config, "dataDir" | "masterKey">;
  readonly storage: Storage;
  readonly clock: Clock;
};

/**
 * Changes the master key to the one that was typed and notes it in the instance's audit log.
 * @throws InputError when the text is no key or the present one; MasterKeyError and DatabaseError with a sentence
 */
export async function rotateKey(deps: KeyRotationDeps, typed: string): Promise<Rotated> {
  const { config, storage, clock } = deps;
  const next = parseMasterKey(typed.trim(), "the new master key");
  const database = await storage.openRaw("command");
  try {
    await migrate(database.sql);
    const { settings, audit } = deskStores(database);
    const rotated = await rotateMasterKey(
      {
        dataDir: config.dataDir,
        fromEnvironment: config.masterKey(),
        parse: parseMasterKey,
        settings,
        store: createKeyRotationRepository(database.sql),
        reseal: resealCredentials,
      },
      next,
      clock.now(),
    );
    await audit.appendInstance(
      {
        actorId: null,
        actor: "command line",
        action: "master_key_changed",
        object: "master_key",
        before: { keyId: rotated.fromKeyId },
        after: { keyId: rotated.toKeyId, credentials: rotated.credentials },
      },
      clock.now(),
    );
    return rotated;
  } finally {
    await database.close();
  }
}
