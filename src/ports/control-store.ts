// Trading states per scope as rows, and the epoch that rises with every change of one. Interfaces only;
// src/adapters/postgres implements them. No intent commits under an epoch older than the last change.
import type { EpochMs } from "../model/time.ts";
import type { TradingState } from "../risk/trading-state.ts";
import type { Scope, WorkspaceId } from "./access-store.ts";
import type { AccountId } from "./account-store.ts";
import type { BotId } from "./bot-store.ts";

/** What a state applies to; the strictest of all that cover an order wins. */
export type TradingScope =
  | { readonly kind: "global" }
  /** Every account of mode live. */
  | { readonly kind: "live" }
  | { readonly kind: "account"; readonly accountId: AccountId }
  | { readonly kind: "bot"; readonly botId: BotId };

/** The state of one scope; scopes without a row are active, except `live`, which begins frozen. */
export type ScopeState = {
  readonly scope: TradingScope;
  readonly state: TradingState;
  /** One sentence for people, at most 300 characters. */
  readonly reason: string;
  /** E-mail of a user, or `dragon` for the program itself. */
  readonly actor: string;
  readonly changedAt: EpochMs;
};

/** Every state of a workspace at one instant. */
export type ControlRows = { readonly epoch: number; readonly states: readonly ScopeState[] };

/** A wished state. */
export type StateChange = Pick<ScopeState, "scope" | "state" | "reason" | "actor">;

/** Trading states of workspaces. */
export type ControlStore = {
  read(scope: Scope): Promise<ControlRows>;
  /** Of all workspaces in one read, for the cells of a worker. */
  readAll(): Promise<ReadonlyMap<WorkspaceId, ControlRows>>;
  /**
   * Takes all changes, raises the epoch once and wakes every process, in one transaction. Waits for
   * commits in progress. A change to the state that is there already still renews reason and actor.
   */
  setStates(scope: Scope, changes: readonly StateChange[], at: EpochMs): Promise<ControlRows>;
};
