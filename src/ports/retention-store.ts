// What grows for ever and may go one day. Interfaces only. Orders, fills, the ledger and the audit log are not
// here: they stay. Every call is one short statement, so that nobody waits for it.
import type { EpochMs } from "../model/time.ts";
import type { Scope, WorkspaceId } from "./access-store.ts";
import type { AccountId } from "./account-store.ts";

/** Old rows of a workspace. Each removes at most `limit` rows and returns how many it removed. */
export type RetentionStore = {
  workspaces(): Promise<readonly WorkspaceId[]>;
  /** With deleted ones, whose rows are still there. */
  accounts(scope: Scope): Promise<readonly AccountId[]>;
  removeEvents(scope: Scope, before: EpochMs, limit: number): Promise<number>;
  /** Oldest first, whatever their age. */
  removeOldestEvents(scope: Scope, limit: number): Promise<number>;
  /** Bytes of all events, and how many there are. */
  eventSize(scope: Scope): Promise<{ readonly bytes: number; readonly rows: number }>;
  /** Only what was carried out or refused. */
  removeCommands(scope: Scope, before: EpochMs, limit: number): Promise<number>;
  removeSamples(
    scope: Scope,
    accountId: AccountId,
    before: EpochMs,
    limit: number,
  ): Promise<number>;
  /** Leaves the first sample of every hour, per bot and for the account. */
  thinSamples(scope: Scope, accountId: AccountId, before: EpochMs, limit: number): Promise<number>;
  /** Last figures of bots that were removed. */
  removeSnapshots(scope: Scope, removedBefore: EpochMs, limit: number): Promise<number>;
};
