// Account locks in memory: what several simulated processes see of each other. For tests of leases.
import type { AccountLocks } from "../../src/ports/account-locks.ts";
import type { AccountId } from "../../src/ports/account-store.ts";

/** The locks of one process and the strings to pull. */
export type SimulatedLocks = {
  readonly locks: AccountLocks;
  /** The connection is lost: every lock is gone and the process is told. */
  lose(): void;
  /** While set, nothing can be locked. */
  isDown: boolean;
};

/** Processes that share one table of locks. @returns makes the locks of a further process */
export function createSimulatedLocks(): () => SimulatedLocks {
  const owners = new Map<AccountId, object>();
  return () => {
    const me = {};
    const listeners = new Set<(accountIds: readonly AccountId[]) => void>();
    const mine = () => [...owners].filter(([, owner]) => owner === me).map(([id]) => id);
    const freeAll = () => {
      for (const accountId of mine()) owners.delete(accountId);
    };
    const simulated: SimulatedLocks = {
      isDown: false,
      locks: {
        tryLock: async (accountId) => {
          if (simulated.isDown) throw new Error("the database is not there");
          if (!owners.has(accountId)) owners.set(accountId, me);
          return owners.get(accountId) === me;
        },
        unlock: async (accountId) => {
          if (owners.get(accountId) === me) owners.delete(accountId);
        },
        isHeld: (accountId) => owners.get(accountId) === me,
        onLost: (listener) => {
          listeners.add(listener);
          return () => listeners.delete(listener);
        },
        close: async () => freeAll(),
      },
      lose: () => {
        const accountIds = mine();
        freeAll();
        for (const listener of [...listeners]) listener(accountIds);
      },
    };
    return simulated;
  };
}
