// Processes that trade and compute, as they last told of themselves. Interfaces only. Nothing decides on
// these rows, they are for people: who holds an account or a run is told by leases and claims.
import type { EpochMs } from "../model/time.ts";
import type { Scope, WorkspaceId } from "./access-store.ts";
import type { AccountId } from "./account-store.ts";
import type { BotId } from "./bot-store.ts";

/** What a process tells of itself, whole, every time. */
export type WorkerBeat = {
  /** Names the process, differently after every start; also the holder of its leases and claims. */
  readonly name: string;
  readonly host: string;
  readonly pid: number;
  /** `serve` has the pages too. */
  readonly role: "serve" | "worker";
  readonly version: string;
  readonly startedAt: EpochMs;
  /** The epoch of the trading states it goes by, by workspace. */
  readonly epochs: ReadonlyMap<WorkspaceId, number>;
};

/** A process as one workspace sees it. */
export type WorkerRow = Omit<WorkerBeat, "epochs"> & {
  readonly beatAt: EpochMs;
  /** By the database's clock: it told nothing for longer than it should. */
  readonly isSilent: boolean;
  /** The epoch of this workspace's trading states; null when it knows none. */
  readonly epoch: number | null;
  /** Accounts of this workspace whose lease it has. */
  readonly accountIds: readonly AccountId[];
};

/** An account that has or had a lease, with who trades it. */
export type LeasedAccount = {
  readonly accountId: AccountId;
  readonly accountName: string;
  /** Null when nobody holds the lease, or its time is over. */
  readonly holder: string | null;
  readonly takenAt: EpochMs;
  readonly expiresAt: EpochMs;
  /** How often the lease was taken or given back, this time included. */
  readonly changes: number;
  readonly bots: readonly { readonly id: BotId; readonly name: string; readonly status: string }[];
};

/** Rows of processes. */
export type WorkerStore = {
  /** Tells of this process; rows that have been silent for a day go. */
  beat(worker: WorkerBeat): Promise<void>;
  /** The process ends. */
  leave(name: string): Promise<void>;
  /** Every process, by start, at most 200. */
  list(scope: Scope): Promise<readonly WorkerRow[]>;
  /** The epoch of the trading states; null before anybody looked at them. */
  epoch(scope: Scope): Promise<number | null>;
  /** Accounts of a workspace that were ever traded, by name, at most 200. */
  leases(scope: Scope): Promise<readonly LeasedAccount[]>;
};
