// What a test of a trading store works with: a store, a workspace with accounts and a stranger. Used by
// tests/contract/trading-*.contract.ts and whoever opens a store for them.
import type { Scope } from "../../src/ports/access-store.ts";
import type { AccountId } from "../../src/ports/account-store.ts";
import type {
  Lease,
  NewIntent,
  StoredIntent,
  TradingStore,
} from "../../src/ports/trading-store.ts";
import { START } from "./trading.ts";

/** A store with two accounts of one workspace, and a stranger. */
export type StoreWorld = {
  readonly store: TradingStore;
  readonly scope: Scope;
  readonly stranger: Scope;
  newAccount(): Promise<AccountId>;
};

/** Registers one test of a store. */
export type StoreTest = (name: string, body: (world: StoreWorld) => Promise<void>) => void;

/** A lease that does not end during a test. */
export const TTL_MS = 30_000;
/** A new account and its lease. */
export async function leased({ store, scope, newAccount }: StoreWorld): Promise<Lease> {
  const taken = await store.takeLease(scope, await newAccount(), "worker-1", TTL_MS, false);
  if (!taken.ok) throw new Error(taken.detail);
  return taken.value;
}

/** Commits intents under the present epoch. */
export async function committed(
  { store, scope }: StoreWorld,
  lease: Lease,
  ...place: NewIntent[]
): Promise<StoredIntent[]> {
  const seen = await store.epoch(scope);
  const made = await store.commitIntents(scope, lease, seen, { place, send: [] }, START);
  if (!made.ok) throw new Error(made.detail);
  return [...made.value];
}
