// Locks that prove a process to be alive: one per account, gone the moment its process or connection is.
// Interfaces only; src/adapters/postgres implements them. A lock is no right to write; the lease is.
import type { AccountId } from "./account-store.ts";

/** Locks of this process. */
export type AccountLocks = {
  /**
   * True when this process owns the lock, also when it did before; false when another one does.
   * @throws when the database is not there
   */
  tryLock(accountId: AccountId): Promise<boolean>;
  /** Gives the lock away; nothing happens when it is not ours. */
  unlock(accountId: AccountId): Promise<void>;
  /** Whether we own the lock as far as is known here. */
  isHeld(accountId: AccountId): boolean;
  /** Tells once per loss that every lock is gone, with those that were held. @returns ends it */
  onLost(listener: (accountIds: readonly AccountId[]) => void): () => void;
  /** Gives every lock away, without telling; afterwards none can be taken. */
  close(): Promise<void>;
};
