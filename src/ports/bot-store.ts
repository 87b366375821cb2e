// Bots as rows: definition, configuration versions, the worker's state, events and the last shown
// figures. Interfaces only. Owners of rows write definitions; only the holder of the account's lease
// writes state (through the trading store's commit) and status.
import type { BotStatus, DesiredAction, DesiredStatus, PauseMode, Severity } from "../model/bot.ts";
import type { Decimal } from "../model/decimal.ts";
import type { EventKind } from "../model/event-kinds.ts";
import type { Result } from "../model/result.ts";
import type { EpochMs } from "../model/time.ts";
import type { Id, Scope, WorkspaceId } from "./access-store.ts";
import type { AccountId, AccountMode } from "./account-store.ts";
import type { RunId } from "./run-store.ts";
import type { Json } from "./settings-store.ts";
import type { LeaseGuard } from "./trading-store.ts";

/** 1 to 9999 within the installation; also the bot's part of client order ids and of owners. */
export type BotId = Id<"bot">;

/** What a bot runs on; part of every configuration version. */
export type BotConfig = {
  /** The strategy's own document, complete (every parameter present). */
  readonly strategy: Json;
  /** Quote currency the bot begins with; its realised balance compounds from here. */
  readonly allocation: Decimal;
  /** The most the bot sizes by, whatever it earned; null is no cap. */
  readonly balanceCap: Decimal | null;
  readonly leverage: number;
  readonly pauseMode: PauseMode;
  readonly limits: BotLimits;
};

/** Guards of one bot; null is no limit. Quantities in the instrument's units. */
export type BotLimits = {
  readonly maxOrderQty: Decimal | null;
  readonly maxOrderNotional: Decimal | null;
  readonly maxOpenOrders: number | null;
  readonly maxPositionNotional: Decimal | null;
  /** Fall of the bot's equity below its highest, in percent, above 0 to 100. */
  readonly maxDrawdownPct: Decimal | null;
};

/** A bot as it is kept. */
export type Bot = {
  readonly id: BotId;
  readonly accountId: AccountId;
  readonly accountName: string;
  readonly mode: AccountMode;
  readonly exchangeId: string;
  readonly name: string;
  readonly symbol: string;
  readonly timeframeMin: number;
  readonly strategyName: string;
  readonly strategyVersion: string;
  readonly config: BotConfig;
  /** Counts the versions of the configuration from 1. */
  readonly configVersion: number;
  /** The run it was made from; null without one. */
  readonly runId: RunId | null;
  readonly status: BotStatus;
  readonly desiredStatus: DesiredStatus;
  readonly desiredAction: DesiredAction | null;
  /** One sentence while the status is `error`; null otherwise. */
  readonly lastError: string | null;
  readonly createdAt: EpochMs;
  readonly updatedAt: EpochMs;
};

/** What a new bot brings; it begins `created` and wishes `paused`. */
export type NewBot = Pick<
  Bot,
  | "accountId"
  | "name"
  | "symbol"
  | "timeframeMin"
  | "strategyName"
  | "strategyVersion"
  | "config"
  | "runId"
> & {
  /** Sides it may trade; another candle bot on one of these legs is refused. */
  readonly sides: readonly ("long" | "short")[];
};

/** Why a bot was not stored or changed. */
export type BotRefusal =
  | "unknown_account"
  | "unknown_bot"
  | "name_taken"
  | "leg_taken"
  | "too_many_bots"
  | "version_moved"
  | "not_stopped";

/** One version of a configuration. */
export type ConfigVersion = {
  readonly version: number;
  readonly config: BotConfig;
  readonly actor: string;
  readonly note: string;
  readonly at: EpochMs;
};

/** The worker's durable state of a bot; `version` rises with every write. */
export type BotState = {
  readonly botId: BotId;
  readonly version: number;
  readonly body: Json;
  readonly updatedAt: EpochMs;
};

/** A durable event to write. */
export type NewEvent = {
  readonly kind: EventKind;
  /** Null for events of the account. */
  readonly botId: BotId | null;
  readonly at: EpochMs;
  /** One sentence with the figures, at most 500 characters; no secrets. */
  readonly sentence: string;
  /** Figures by name: ids, prices, quantities as text. */
  readonly fields: Readonly<Record<string, string | number | boolean | null>>;
};

/** A durable event as it is kept. */
export type StoredEvent = NewEvent & {
  readonly id: number;
  readonly accountId: AccountId;
  readonly severity: Severity;
};

/** Which events are asked for; newest first. */
export type EventQuery = {
  readonly accountId: AccountId | null;
  readonly botId: BotId | null;
  readonly severities: readonly Severity[] | null;
  readonly beforeId: number | null;
  /** At most 500. */
  readonly limit: number;
};

/**
 * The last figures a worker showed; written at most every 10 s in one batch, or on a change of status.
 * The document is the worker's and is read by pages alone: nothing decides on it.
 */
export type Snapshot = {
  readonly accountId: AccountId;
  /** Null for the snapshot of the account itself. */
  readonly botId: BotId | null;
  readonly worker: string;
  readonly at: EpochMs;
  readonly body: Json;
};

/** A snapshot as it is read. */
export type ShownSnapshot = Snapshot & {
  /** Its worker gave a sign of life (worker-store.ts) a moment ago, by the clock of the store. */
  readonly isWorkerAlive: boolean;
};

/** One point of an equity curve. */
export type EquitySample = {
  readonly accountId: AccountId;
  /** Null for the account as a whole. */
  readonly botId: BotId | null;
  readonly at: EpochMs;
  readonly equity: Decimal;
};

/** Bots of a workspace. */
export type BotStore = {
  /** By name; of one account when given. */
  list(scope: Scope, accountId: AccountId | null): Promise<readonly Bot[]>;
  find(scope: Scope, id: BotId): Promise<Bot | null>;
  create(scope: Scope, bot: NewBot, actor: string, at: EpochMs): Promise<Result<Bot, BotRefusal>>;
  rename(scope: Scope, id: BotId, name: string, at: EpochMs): Promise<Result<Bot, BotRefusal>>;
  /** A new version; refused when `seenVersion` is not the last one. */
  changeConfig(
    scope: Scope,
    id: BotId,
    change: { readonly seenVersion: number; readonly config: BotConfig; readonly note: string },
    actor: string,
    at: EpochMs,
  ): Promise<Result<Bot, BotRefusal>>;
  /** Newest first, at most 100. */
  configVersions(scope: Scope, id: BotId): Promise<readonly ConfigVersion[]>;
  /** What the owner wishes; wakes the workers. */
  wish(
    scope: Scope,
    id: BotId,
    wish: { readonly status?: DesiredStatus; readonly action?: DesiredAction | null },
    at: EpochMs,
  ): Promise<Result<Bot, BotRefusal>>;
  /** Marks it deleted; only stopped or created bots without open orders and positions. */
  remove(scope: Scope, id: BotId, at: EpochMs): Promise<Result<null, BotRefusal>>;

  /**
   * Accounts of all workspaces with a bot that has to be driven: running or paused, to run, with
   * something to be closed, or with an error: what it left is compared with the exchange on.
   */
  tradedAccounts(): Promise<
    readonly { readonly workspaceId: WorkspaceId; readonly accountId: AccountId }[]
  >;

  /** Null before the first commit of the bot. */
  state(scope: Scope, id: BotId): Promise<BotState | null>;
  /** What the worker found; false when the lease is not ours any more. */
  setStatus(
    scope: Scope,
    guard: LeaseGuard,
    id: BotId,
    change: {
      readonly status: BotStatus;
      readonly lastError: string | null;
      /** Cleared together with the change when it was carried out. */
      readonly clearsAction: boolean;
      /** A wish that follows from what happened, e.g. paused after a flatten. */
      readonly desiredStatus?: DesiredStatus;
    },
    at: EpochMs,
  ): Promise<boolean>;

  /** Appends events of an account; false when the lease is not ours any more. */
  appendEvents(scope: Scope, guard: LeaseGuard, events: readonly NewEvent[]): Promise<boolean>;
  events(scope: Scope, query: EventQuery): Promise<readonly StoredEvent[]>;
  /** Replaces snapshots and appends samples of any number of accounts in one transaction. */
  saveFigures(
    scope: Scope,
    snapshots: readonly Snapshot[],
    samples: readonly EquitySample[],
  ): Promise<void>;
  snapshots(scope: Scope, accountId: AccountId | null): Promise<readonly ShownSnapshot[]>;
  /** Oldest first. @param limit at most 5000; thinned evenly by the store above it */
  equity(
    scope: Scope,
    query: {
      readonly accountId: AccountId;
      readonly botId: BotId | null;
      readonly sinceAt: EpochMs;
      readonly limit: number;
    },
  ): Promise<readonly EquitySample[]>;
};
