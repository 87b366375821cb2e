// The ledger of one owner as a person follows it: page by page, with what everything up to a row adds up to.
// Interfaces only; it reads what the trading store wrote and writes nothing.
import type { Decimal } from "../model/decimal.ts";
import type { LedgerEntry, LedgerKind } from "../model/ledger.ts";
import type { EpochMs } from "../model/time.ts";
import type { Owner } from "../model/trade-record.ts";
import type { Scope } from "./access-store.ts";
import type { AccountId } from "./account-store.ts";

/** An entry with the sum of all asked entries up to it. */
export type LedgerRow = LedgerEntry & {
  readonly id: number;
  /** In the settle asset; entries of unknown worth are left out, as in `LedgerTotals`. */
  readonly running: Decimal;
};

/** Names a row among those of its owner. */
export type LedgerPlace = { readonly at: EpochMs; readonly id: number };

/** Which rows are asked for. */
export type LedgerQuery = {
  readonly accountId: AccountId;
  readonly owner: Owner;
  /** Null is every kind; the running sum is of these kinds alone. */
  readonly kinds: readonly LedgerKind[] | null;
  /** Only rows before this one; null begins with the newest. */
  readonly before: LedgerPlace | null;
  /** At most 500. */
  readonly limit: number;
};

/** Ledgers of the owners of a workspace. */
export type BotLedgerStore = {
  /** Newest first. */
  rows(scope: Scope, query: LedgerQuery): Promise<readonly LedgerRow[]>;
  /** Base currency per unit of quantity, of the newest fill of a market; null before the first. */
  contractSize(scope: Scope, accountId: AccountId, symbol: string): Promise<Decimal | null>;
};
