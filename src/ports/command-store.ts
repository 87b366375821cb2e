// What a person asks of a running bot beside pause and stop: rows written by pages, carried out once by
// the holder of the account's lease, each with its outcome. Interfaces only.
import type { Decimal } from "../model/decimal.ts";
import type { Result } from "../model/result.ts";
import type { EpochMs } from "../model/time.ts";
import type { Id, Scope } from "./access-store.ts";
import type { BotId } from "./bot-store.ts";
import type { AccountId } from "./account-store.ts";
import type { IntentId, LeaseGuard } from "./trading-store.ts";

export type CommandId = Id<"command">;

/** What may be asked. */
export type Command =
  /** Sells (buys back) a part of the position at the market; above 0 to 100. */
  | { readonly kind: "close_part"; readonly pct: number }
  /** Moves the protective stop; only towards safety unless `mayLoosen`. */
  | { readonly kind: "move_stop"; readonly price: Decimal; readonly mayLoosen: boolean }
  /** The next rung of the ladder is left out. */
  | { readonly kind: "skip_rung" }
  | { readonly kind: "cancel_order"; readonly intentId: IntentId }
  /** Takes over what the exchange holds, leaves it alone, closes or cancels it. */
  | {
      readonly kind: "settle_finding";
      readonly findingKey: string;
      readonly choice: "adopt" | "ignore" | "heed" | "flatten" | "cancel";
      /** Who takes it over, null for a person; absent for whoever gets it by itself. */
      readonly heir?: BotId | null;
    }
  | { readonly kind: "clear_error" };

/** A command as it is kept. */
export type StoredCommand = {
  readonly id: CommandId;
  readonly accountId: AccountId;
  /** Null for commands to the account. */
  readonly botId: BotId | null;
  readonly command: Command;
  readonly actor: string;
  readonly at: EpochMs;
  /** Null while it waits. */
  readonly doneAt: EpochMs | null;
  /** What came of it, one sentence. */
  readonly outcome: string | null;
  readonly isRefused: boolean;
};

/** Commands of a workspace. */
export type CommandStore = {
  /** Audited, wakes the worker. Refused while 20 commands of the account wait. */
  ask(
    scope: Scope,
    command: Pick<StoredCommand, "accountId" | "botId" | "command" | "actor">,
    at: EpochMs,
  ): Promise<Result<StoredCommand, "unknown_account" | "unknown_bot" | "too_many">>;
  /**
   * Oldest first, each handed out once; those that waited, or were taken without an end, longer than
   * 60 s are finished as refused by the store.
   */
  waiting(scope: Scope, guard: LeaseGuard, at: EpochMs): Promise<readonly StoredCommand[]>;
  finish(
    scope: Scope,
    guard: LeaseGuard,
    id: CommandId,
    end: { readonly outcome: string; readonly isRefused: boolean },
    at: EpochMs,
  ): Promise<boolean>;
  /** Newest first. @param limit at most 100 */
  recent(
    scope: Scope,
    query: { readonly accountId: AccountId; readonly botId: BotId | null; readonly limit: number },
  ): Promise<readonly StoredCommand[]>;
};
