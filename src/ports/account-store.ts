// Accounts at exchanges, their limits and their sealed credentials. Interfaces only;
// src/adapters/postgres implements them. A secret passes here sealed, never in clear.
import type { Decimal } from "../model/decimal.ts";
import type { Result } from "../model/result.ts";
import type { EpochMs } from "../model/time.ts";
import type { Id, Scope, WorkspaceId } from "./access-store.ts";
import type { ProbeReport } from "./account-probe.ts";
import type { KeyId, Sealed } from "./vault.ts";

export type AccountId = Id<"account">;
export type CredentialId = Id<"credential">;

/** Our simulated exchange, live prices with simulated fills, or real money. */
export type AccountMode = "demo" | "paper" | "live";

/** A disabled account trades nothing; a deleted one is only kept for what points at it. */
export type AccountStatus = "active" | "disabled";

/** What the account may lose and hold, in US dollars and percentage points; null is no limit. */
export type AccountLimits = {
  /** Loss within one UTC day. */
  readonly maxDailyLossUsd: Decimal | null;
  /** Loss since the account was added. */
  readonly maxTotalLossUsd: Decimal | null;
  /** Fall of the equity below its highest value, above 0 to 100. */
  readonly maxDrawdownPct: Decimal | null;
  /** Notional of all positions and entries in one symbol. */
  readonly maxSymbolExposureUsd: Decimal | null;
  /** Notional of all positions and entries, long and short added up. */
  readonly maxGrossExposureUsd: Decimal | null;
};

/** A set of credentials without its secrets. */
export type CredentialInfo = {
  readonly id: CredentialId;
  /** The master key that sealed it. */
  readonly keyId: KeyId;
  /** First and last three characters of the API key. */
  readonly maskedKey: string;
  readonly createdAt: EpochMs;
  readonly lastUsedAt: EpochMs | null;
  /** Its secrets were removed then. */
  readonly revokedAt: EpochMs | null;
};

/** What the exchange answered at the last test, and for which credentials. */
export type StoredProbe = ProbeReport & {
  readonly credentialId: CredentialId;
  readonly symbol: string;
};

/** An account of a workspace. */
export type TradingAccount = {
  readonly id: AccountId;
  readonly name: string;
  readonly exchangeId: string;
  readonly mode: AccountMode;
  readonly status: AccountStatus;
  /** True when no bot may open or enlarge a position here. */
  readonly blocksNewEntries: boolean;
  readonly limits: AccountLimits;
  /** The credentials in use; null for accounts that need none. */
  readonly credential: CredentialInfo | null;
  readonly probe: StoredProbe | null;
  readonly createdAt: EpochMs;
  readonly updatedAt: EpochMs;
};

/** What a new account brings; it begins active, without limits and without a block. */
export type NewAccount = Pick<TradingAccount, "name" | "exchangeId" | "mode">;

/** The sealed parts of a set of credentials. */
export type SealedParts = {
  readonly apiKey: Sealed;
  readonly apiSecret: Sealed;
  readonly passphrase: Sealed | null;
  readonly uid: Sealed | null;
};

/** Sealed credentials together with the row their seal is bound to. */
export type SealedCredential = {
  readonly id: CredentialId;
  readonly workspaceId: WorkspaceId;
  readonly keyId: KeyId;
  readonly parts: SealedParts;
};

/** New credentials; they are sealed once their row has its id, because the seal is bound to it. */
export type NewCredential = {
  readonly keyId: KeyId;
  readonly maskedKey: string;
  seal(row: Pick<SealedCredential, "id" | "workspaceId">): SealedParts;
};

/** What may be changed about an account; absent parts stay. */
export type AccountChange = {
  readonly name?: string;
  readonly status?: AccountStatus;
  readonly blocksNewEntries?: boolean;
  readonly limits?: AccountLimits;
};

/** Why nothing was changed; `key_changed` when this process seals with a former master key. */
export type AccountRefusal = "unknown_account" | "name_taken" | "key_changed";

/** Accounts of a workspace; deleted ones and those of other workspaces do not exist here. */
export type AccountStore = {
  /** By name. */
  list(scope: Scope): Promise<TradingAccount[]>;
  find(scope: Scope, id: AccountId): Promise<TradingAccount | null>;
  /** Account and credentials are stored together or not at all. */
  create(
    scope: Scope,
    account: NewAccount,
    credential: NewCredential | null,
    at: EpochMs,
  ): Promise<Result<TradingAccount, Exclude<AccountRefusal, "unknown_account">>>;
  change(
    scope: Scope,
    id: AccountId,
    change: AccountChange,
    at: EpochMs,
  ): Promise<Result<TradingAccount, Exclude<AccountRefusal, "key_changed">>>;
  /** Revokes the present credentials and removes their secrets in the same transaction. */
  replaceCredential(
    scope: Scope,
    id: AccountId,
    credential: NewCredential,
    at: EpochMs,
  ): Promise<Result<TradingAccount, Exclude<AccountRefusal, "name_taken">>>;
  /** Marks it deleted and removes the secrets; false when there is no such account. */
  remove(scope: Scope, id: AccountId, at: EpochMs): Promise<boolean>;
  /** Keeps the report unless the credentials were replaced meanwhile; false then. */
  saveProbe(scope: Scope, id: AccountId, probe: StoredProbe): Promise<boolean>;
  /** The sealed credentials in use, noting that they were used; null without any. */
  useCredential(scope: Scope, id: AccountId, at: EpochMs): Promise<SealedCredential | null>;
  /** Former credentials, newest first, at most 50. */
  formerCredentials(scope: Scope, id: AccountId): Promise<CredentialInfo[]>;
};

/** Things of an account that would lose their footing without it. */
export type AccountLinks = {
  /** What is linked, e.g. `2 bots`; empty when nothing is. */
  describe(scope: Scope, id: AccountId): Promise<readonly string[]>;
};

/** A change of the master key: everything sealed moves to the new key together. */
export type KeyChange = {
  readonly fromKeyId: KeyId;
  readonly toKeyId: KeyId;
  /** The check value under the new key. */
  readonly check: Sealed;
  /** Opens with the old key and seals with the new one. @throws Error when it does not open */
  reseal(row: SealedCredential): SealedParts;
  /** Reads a stored row back with the new key. @throws Error when it does not open */
  verify(row: SealedCredential): void;
};

/** Sealed rows of the whole instance, for the change of the master key alone. */
export type KeyRotationStore = {
  /**
   * Reseals, verifies and stores the check value in one transaction.
   * @returns how many credentials were resealed, or `key_changed` when the database belongs to another key
   */
  rotate(change: KeyChange, at: EpochMs): Promise<Result<number, "key_changed">>;
};
