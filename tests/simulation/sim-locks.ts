// The session locks of accounts as processes hold them: one process at a time, given back when its
// connection ends. The lock of a host that vanished stays until the database notices.
import type { AccountLocks } from "../../src/ports/account-locks.ts";
import type { AccountId } from "../../src/ports/account-store.ts";

/** The locks of every process. */
export type SimLocks = {
  /** The locks as one process sees them. */
  of(incarnation: number): AccountLocks;
  /** The connection of a process is gone. */
  leave(incarnation: number): void;
  /** Every connection is lost. */
  loseAll(): void;
};

type Listener = (accountIds: readonly AccountId[]) => void;

/** Nobody holds anything. */
export function createSimLocks(): SimLocks {
  const owners = new Map<AccountId, number>();
  const listeners = new Map<number, Set<Listener>>();

  function leave(incarnation: number): void {
    const lost = [...owners].filter(([, owner]) => owner === incarnation).map(([id]) => id);
    for (const id of lost) owners.delete(id);
    if (lost.length === 0) return;
    for (const listener of listeners.get(incarnation) ?? []) listener(lost);
  }

  return {
    leave,
    loseAll: () => {
      for (const owner of new Set(owners.values())) leave(owner);
    },
    of: (incarnation) => ({
      tryLock: async (accountId) => {
        const owner = owners.get(accountId) ?? incarnation;
        if (owner === incarnation) owners.set(accountId, incarnation);
        return owner === incarnation;
      },
      unlock: async (accountId) => {
        if (owners.get(accountId) === incarnation) owners.delete(accountId);
      },
      isHeld: (accountId) => owners.get(accountId) === incarnation,
      onLost: (listener) => {
        const own = listeners.get(incarnation) ?? new Set();
        listeners.set(incarnation, own.add(listener));
        return () => void own.delete(listener);
      },
      close: async () => {
        for (const [id, owner] of owners) if (owner === incarnation) owners.delete(id);
      },
    }),
  };
}
