// What the simulated store keeps per account. Used by simulated-store.ts and simulated-intents.ts.
import type { ExactFill, ExactFunding } from "../../src/model/trade-record.ts";
import type { WorkspaceId } from "../../src/ports/access-store.ts";
import type { AccountId } from "../../src/ports/account-store.ts";
import type { IntentId, Lease, NewTransfer, StoredIntent } from "../../src/ports/trading-store.ts";

/** A fill and the intent it belongs to. */
export type StoredFill = { readonly fill: ExactFill; readonly intentId: IntentId | null };

/** The rows of one account. */
export type Book = {
  readonly workspaceId: WorkspaceId;
  lease: (Omit<Lease, "accountId"> & { readonly holder: string | null }) | null;
  readonly intents: Map<IntentId, StoredIntent>;
  readonly fills: Map<string, StoredFill>;
  readonly funding: Map<string, ExactFunding>;
  readonly transfers: Map<string, NewTransfer>;
};

/** A table by key. */
export type Table<Key, Row> = { get(key: Key): Row | undefined; set(key: Key, row: Row): unknown };

/** Everything committed, or a draft of it. */
export type World = {
  readonly accounts: Table<AccountId, Book>;
  readonly epochs: Table<WorkspaceId, number>;
};

/** A world on top of another one, which it changes only when it is committed. */
export function draftOf(world: World): World & { commit(): void } {
  const [accounts, epochs] = [overlay(world.accounts), overlay(world.epochs)];
  const commit = () => {
    accounts.commit();
    epochs.commit();
  };
  return { accounts, epochs, commit };
}

function overlay<Key, Row>(below: Table<Key, Row>): Table<Key, Row> & { commit(): void } {
  const changed = new Map<Key, Row>();
  return {
    get: (key) => changed.get(key) ?? below.get(key),
    set: (key, row) => changed.set(key, row),
    commit: () => {
      for (const [key, row] of changed) below.set(key, row);
    },
  };
}

/** An account without rows. */
export function emptyBookOf(workspaceId: WorkspaceId): Book {
  return {
    workspaceId,
    lease: null,
    intents: new Map(),
    fills: new Map(),
    funding: new Map(),
    transfers: new Map(),
  };
}

/** A draft of an account; the rows themselves are never changed in place. */
export function copyOf(book: Book): Book {
  return {
    workspaceId: book.workspaceId,
    lease: book.lease,
    intents: new Map(book.intents),
    fills: new Map(book.fills),
    funding: new Map(book.funding),
    transfers: new Map(book.transfers),
  };
}

/** The refusal of a write without the lease. */
export function leaseLost(): { ok: false; reason: "lease_lost"; detail: string } {
  return { ok: false, reason: "lease_lost", detail: "the lease of the account is not ours" };
}
