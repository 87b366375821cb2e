// Accounts and their sealed credentials on PostgreSQL. Built by the composition root and tests. It
// never sees a secret in clear; credentials sealed under a former master key are refused.
import type { Decimal } from "../../model/decimal.ts";
import { ok, refuse, type Result } from "../../model/result.ts";
import type { EpochMs } from "../../model/time.ts";
import type { Scope } from "../../ports/access-store.ts";
import type {
  AccountChange,
  AccountId,
  AccountMode,
  AccountStatus,
  AccountStore,
  CredentialId,
  CredentialInfo,
  NewAccount,
  NewCredential,
  SealedCredential,
  StoredProbe,
  TradingAccount,
} from "../../ports/account-store.ts";
import type { KeyId } from "../../ports/vault.ts";
import { CHECK_SETTING, keyIdOfCheck } from "../vault/key-check.ts";
import type { Query, Sql, Transaction } from "./connect.ts";
import { errorCode } from "./errors.ts";
import { at, firstOrNull, jsonb, one } from "./rows.ts";
import { type SealedRow, sealedColumns, sealedCredential } from "./sealed-rows.ts";

const UNIQUE_VIOLATION = "23505";
const FORMER_MAX = 50;

/** The account store on a migrated database. */
export function createAccountRepository(sql: Sql): AccountStore {
  return {
    list: async (scope) =>
      (await select(sql, scope, sql`order by lower(a.name) collate "C", a.id`)).map(accountOf),
    find: (scope, id) => find(sql, scope, id),
    create: (scope, account, credential, now) => create(sql, scope, account, credential, now),
    change: (scope, id, change, now) => changeAccount(sql, scope, id, change, now),
    replaceCredential: (scope, id, credential, now) =>
      sql.begin((tx) => replaceCredential(tx, scope, id, credential, now)),
    remove: (scope, id, now) => sql.begin((tx) => remove(tx, scope, id, now)),
    saveProbe: (scope, id, probe) => saveProbe(sql, scope, id, probe),
    useCredential: (scope, id, now) => useCredential(sql, scope, id, now),
    formerCredentials: async (scope, id) =>
      await sql<CredentialInfo[]>`
        select id, key_id, masked_key, created_at, last_used_at, revoked_at from credentials
        where workspace_id = ${scope.workspaceId} and account_id = ${id}
          and revoked_at is not null
        order by revoked_at desc, id desc limit ${FORMER_MAX}`,
  };
}

type AccountRow = {
  readonly id: AccountId;
  readonly name: string;
  readonly exchangeId: string;
  readonly mode: AccountMode;
  readonly status: AccountStatus;
  readonly riskBlockNewEntries: boolean;
  readonly maxDailyLossUsd: Decimal | null;
  readonly maxTotalLossUsd: Decimal | null;
  readonly maxDrawdownPct: Decimal | null;
  readonly maxSymbolExposureUsd: Decimal | null;
  readonly maxGrossExposureUsd: Decimal | null;
  readonly probe: StoredProbe | null;
  readonly createdAt: EpochMs;
  readonly updatedAt: EpochMs;
  readonly credentialId: CredentialId | null;
  readonly keyId: KeyId;
  readonly maskedKey: string;
  readonly credentialCreatedAt: EpochMs;
  readonly lastUsedAt: EpochMs | null;
};

async function select(sql: Query, scope: Scope, tail: ReturnType<Sql>): Promise<AccountRow[]> {
  return await sql<AccountRow[]>`
    select a.id, a.name, a.exchange_id, a.mode, a.status, a.risk_block_new_entries,
      a.max_daily_loss_usd, a.max_total_loss_usd, a.max_drawdown_pct, a.max_symbol_exposure_usd,
      a.max_gross_exposure_usd, a.probe, a.created_at, a.updated_at, c.id as credential_id,
      c.key_id, c.masked_key, c.created_at as credential_created_at, c.last_used_at
    from accounts a
    left join credentials c on c.account_id = a.id and c.revoked_at is null
    where a.workspace_id = ${scope.workspaceId} and a.status <> 'deleted' ${tail}`;
}

function accountOf(row: AccountRow): TradingAccount {
  const { id, name, exchangeId, mode, status, probe, createdAt, updatedAt } = row;
  const credential = row.credentialId && {
    id: row.credentialId,
    keyId: row.keyId,
    maskedKey: row.maskedKey,
    createdAt: row.credentialCreatedAt,
    lastUsedAt: row.lastUsedAt,
    revokedAt: null,
  };
  return {
    ...{ id, name, exchangeId, mode, status, probe, createdAt, updatedAt, credential },
    blocksNewEntries: row.riskBlockNewEntries,
    limits: {
      maxDailyLossUsd: row.maxDailyLossUsd,
      maxTotalLossUsd: row.maxTotalLossUsd,
      maxDrawdownPct: row.maxDrawdownPct,
      maxSymbolExposureUsd: row.maxSymbolExposureUsd,
      maxGrossExposureUsd: row.maxGrossExposureUsd,
    },
  };
}

async function find(sql: Query, scope: Scope, id: AccountId): Promise<TradingAccount | null> {
  const row = firstOrNull(await select(sql, scope, sql`and a.id = ${id}`));
  return row && accountOf(row);
}

async function create(
  sql: Sql,
  scope: Scope,
  account: NewAccount,
  credential: NewCredential | null,
  now: EpochMs,
): Promise<Result<TradingAccount, "name_taken" | "key_changed">> {
  return await sql.begin(async (tx) => {
    if (credential && !(await isPresentKey(tx, credential.keyId))) return keyChanged();
    const made = firstOrNull(
      await tx<{ id: AccountId }[]>`
        insert into accounts (workspace_id, name, exchange_id, mode, status,
          risk_block_new_entries, created_at, updated_at)
        values (${scope.workspaceId}, ${account.name}, ${account.exchangeId}, ${account.mode},
          'active', false, ${at(now)}, ${at(now)})
        on conflict (workspace_id, lower(name)) where status <> 'deleted' do nothing
        returning id`,
    );
    if (!made) return nameTaken(account.name);
    if (credential) await addCredential(tx, scope, made.id, credential, now);
    return ok(accountOf(one(await select(tx, scope, tx`and a.id = ${made.id}`))));
  });
}

// A rotation holds the check value for itself until everything is resealed, so credentials cannot
// slip in under the former key.
async function isPresentKey(tx: Transaction, keyId: KeyId): Promise<boolean> {
  const row = firstOrNull(
    await tx<{ value: string }[]>`
      select value #>> '{}' as value from settings
      where workspace_id is null and key = ${CHECK_SETTING} for share`,
  );
  return row !== null && keyIdOfCheck(row.value) === keyId;
}

// The id is taken before the row is written, because the seal is bound to it.
async function addCredential(
  tx: Transaction,
  scope: Scope,
  accountId: AccountId,
  credential: NewCredential,
  now: EpochMs,
): Promise<void> {
  const { id } = one(
    await tx<{ id: CredentialId }[]>`
      select nextval(pg_get_serial_sequence('credentials', 'id')) as id`,
  );
  const { workspaceId, userId } = scope;
  const parts = credential.seal({ id, workspaceId });
  await tx`
    insert into credentials (id, workspace_id, account_id, key_id, sealed_api_key,
      sealed_api_secret, sealed_passphrase, sealed_uid, masked_key, created_by, created_at)
    overriding system value
    values (${id}, ${workspaceId}, ${accountId}, ${credential.keyId}, ${parts.apiKey},
      ${parts.apiSecret}, ${parts.passphrase}, ${parts.uid}, ${credential.maskedKey}, ${userId},
      ${at(now)})`;
}

async function changeAccount(
  sql: Sql,
  scope: Scope,
  id: AccountId,
  change: AccountChange,
  now: EpochMs,
): Promise<Result<TradingAccount, "unknown_account" | "name_taken">> {
  const { name, status, blocksNewEntries, limits } = change;
  const values = {
    updated_at: at(now),
    ...(name === undefined ? {} : { name }),
    ...(status === undefined ? {} : { status }),
    ...(blocksNewEntries === undefined ? {} : { risk_block_new_entries: blocksNewEntries }),
    ...(limits && {
      max_daily_loss_usd: limits.maxDailyLossUsd,
      max_total_loss_usd: limits.maxTotalLossUsd,
      max_drawdown_pct: limits.maxDrawdownPct,
      max_symbol_exposure_usd: limits.maxSymbolExposureUsd,
      max_gross_exposure_usd: limits.maxGrossExposureUsd,
    }),
  };
  try {
    await sql`
      update accounts set ${sql(values)}
      where id = ${id} and workspace_id = ${scope.workspaceId} and status <> 'deleted'`;
  } catch (error) {
    if (errorCode(error) === UNIQUE_VIOLATION) return nameTaken(name ?? "");
    throw error;
  }
  const changed = await find(sql, scope, id);
  return changed ? ok(changed) : unknownAccount();
}

/** Takes the account for this transaction; false when there is none. */
async function lock(tx: Transaction, scope: Scope, id: AccountId): Promise<boolean> {
  const { count } = await tx`
    select 1 from accounts
    where id = ${id} and workspace_id = ${scope.workspaceId} and status <> 'deleted' for update`;
  return count === 1;
}

async function revoke(tx: Transaction, scope: Scope, id: AccountId, now: EpochMs): Promise<void> {
  await tx`
    update credentials set revoked_at = ${at(now)}, sealed_api_key = null,
      sealed_api_secret = null, sealed_passphrase = null, sealed_uid = null
    where account_id = ${id} and workspace_id = ${scope.workspaceId} and revoked_at is null`;
}

async function replaceCredential(
  tx: Transaction,
  scope: Scope,
  id: AccountId,
  credential: NewCredential,
  now: EpochMs,
): Promise<Result<TradingAccount, "unknown_account" | "key_changed">> {
  // The check value first, as in `create` and in a rotation: one order of locks for all.
  if (!(await isPresentKey(tx, credential.keyId))) return keyChanged();
  if (!(await lock(tx, scope, id))) return unknownAccount();
  await revoke(tx, scope, id, now);
  await addCredential(tx, scope, id, credential, now);
  await tx`update accounts set probe = null, updated_at = ${at(now)} where id = ${id}`;
  return ok(accountOf(one(await select(tx, scope, tx`and a.id = ${id}`))));
}

async function remove(
  tx: Transaction,
  scope: Scope,
  id: AccountId,
  now: EpochMs,
): Promise<boolean> {
  if (!(await lock(tx, scope, id))) return false;
  await revoke(tx, scope, id, now);
  await tx`
    update accounts set status = 'deleted', probe = null, updated_at = ${at(now)}
    where id = ${id}`;
  return true;
}

async function saveProbe(
  sql: Sql,
  scope: Scope,
  id: AccountId,
  probe: StoredProbe,
): Promise<boolean> {
  const { count } = await sql`
    update accounts set probe = ${jsonb(sql, probe)}
    where id = ${id} and workspace_id = ${scope.workspaceId} and exists (
      select 1 from credentials
      where account_id = ${id} and id = ${probe.credentialId} and revoked_at is null)`;
  return count === 1;
}

async function useCredential(
  sql: Sql,
  scope: Scope,
  id: AccountId,
  now: EpochMs,
): Promise<SealedCredential | null> {
  const row = firstOrNull(
    await sql<SealedRow[]>`
      update credentials set last_used_at = ${at(now)}
      where account_id = ${id} and workspace_id = ${scope.workspaceId} and revoked_at is null
      returning ${sealedColumns(sql)}`,
  );
  return row && sealedCredential(row);
}

function unknownAccount() {
  return refuse("unknown_account", "there is no such account");
}

function nameTaken(name: string) {
  return refuse("name_taken", `an account named ${name} exists already`);
}

function keyChanged() {
  const detail = "the master key was changed while Dragon was running: restart Dragon";
  return refuse("key_changed", detail);
}
