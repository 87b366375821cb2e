// Accounts of the worlds of kill-world.ts: demo accounts, and live ones with sealed keys as their owner left them
// armed. Programs reach the exchange of a live account by its own names, and are led to the simulated one.
import { createAccountRepository } from "../../src/adapters/postgres/account-repository.ts";
import type { Sql } from "../../src/adapters/postgres/connect.ts";
import { createControlRepository } from "../../src/adapters/postgres/control-repository.ts";
import { createSettingsRepository } from "../../src/adapters/postgres/settings-repository.ts";
import { settleMasterKey } from "../../src/adapters/vault/master-key.ts";
import { createSecret } from "../../src/adapters/vault/secret.ts";
import { createVault } from "../../src/adapters/vault/vault.ts";
import { parseMasterKey } from "../../src/config.ts";
import type { Scope } from "../../src/ports/access-store.ts";
import type { AccountId } from "../../src/ports/account-store.ts";
import { sealCredentials } from "../../src/services/desk/credential-seal.ts";
import { writeArmed } from "../../src/services/live/armed-mark.ts";
import type { VenueAddress } from "../support/venue-process.ts";

/** Where an account is opened. */
export type AccountPlace = {
  readonly sql: Sql;
  readonly scope: Scope;
  readonly name: string;
  /** Of the account at the exchange. */
  readonly keys: VenueAddress["accounts"][number];
  readonly at: number;
};

/** The master key of live-process.ts. */
export const MASTER_KEY = new Uint8Array(32).fill(7);

/** A demo account. */
export async function openDemo({ sql, scope, name, at }: AccountPlace): Promise<AccountId> {
  const wish = { name, exchangeId: "woox", mode: "demo" } as const;
  const account = await createAccountRepository(sql).create(scope, wish, null, at);
  if (!account.ok) throw new Error(account.detail);
  return account.value.id;
}

/** A live account that may trade, its keys sealed under a master key. */
export async function openLive(place: AccountPlace, masterKey: Uint8Array): Promise<AccountId> {
  const { sql, scope, name, keys, at } = place;
  const settings = createSettingsRepository(sql);
  const key = { dataDir: "/", fromEnvironment: masterKey, parse: parseMasterKey };
  await settleMasterKey(key, settings, at);
  const vault = createVault(masterKey);
  const credentials = {
    ...{ apiKey: createSecret(keys.apiKey), apiSecret: createSecret(keys.secret) },
    // Whoever tells whose key it is need not ask the exchange, which may be asked ten times a minute.
    ...{ passphrase: null, uid: createSecret(name) },
  };
  const made = await createAccountRepository(sql).create(
    scope,
    { name, exchangeId: "woox", mode: "live" },
    {
      ...{ keyId: vault.keyId, maskedKey: "•••" },
      seal: (row) => sealCredentials(vault, row, credentials),
    },
    at,
  );
  if (!made.ok) throw new Error(made.detail);
  const { id } = made.value;
  const change = { state: "active", reason: "armed for a test", actor: "ann" } as const;
  await createControlRepository(sql).setStates(
    scope,
    [
      { ...change, scope: { kind: "account", accountId: id } },
      { ...change, scope: { kind: "live" } },
    ],
    at,
  );
  await writeArmed(settings, scope, id, { mark: { at, by: "ann" }, at });
  return id;
}
