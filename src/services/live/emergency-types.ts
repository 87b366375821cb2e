// The words of stopping and releasing trading: wishes, outcomes, and what the service works with. Types and the
// typed words only; used by emergency.ts, its parts and the pages.
import type { EpochMs } from "../../model/time.ts";
import type { Scope } from "../../ports/access-store.ts";
import type { AccountId } from "../../ports/account-store.ts";
import type { BotStore } from "../../ports/bot-store.ts";
import type { Clock } from "../../ports/clock.ts";
import type { CommandStore } from "../../ports/command-store.ts";
import type { ControlStore } from "../../ports/control-store.ts";
import type { Log } from "../../ports/log.ts";
import type { SettingsStore } from "../../ports/settings-store.ts";
import type { Actor, FieldRefusal } from "../desk/actor.ts";
import type { FlattenRound, RoundBot, RoundsDeps } from "./emergency-rounds.ts";
import type {
  EffectPreview,
  KillLevel,
  OpenFinding,
  TradingFacts,
  ViewDeps,
} from "./emergency-view.ts";
import type { KnownState } from "./trading-scopes.ts";

/** Levels by name. */
export const KILL_LEVELS = ["block", "stop", "flatten", "freeze"] as const satisfies KillLevel[];
/** What has to be typed; blocking and stopping must never wait for a word. */
export const KILL_WORDS: Readonly<Record<KillLevel, string | null>> = {
  block: null,
  stop: null,
  flatten: "FLATTEN",
  freeze: "FREEZE",
};
/** What has to be typed to release. */
export const RESUME_WORD = "RESUME";

/** What is wished of a scope. */
export type KillWish = {
  /** Key of the scope, see `scopeKey`. */
  readonly scope: string;
  readonly level: string;
  readonly reason: string;
  /** The typed word; ignored where none is needed. */
  readonly confirm: string;
};

/** What became of it. */
export type EmergencyOutcome =
  | { readonly ok: true; readonly sentence: string; readonly epoch: number }
  | FieldRefusal
  | { readonly ok: false; readonly reason: "not_allowed" | "no_effect"; readonly detail: string };

/** The state of one scope for people. */
export type ScopeView = KnownState & {
  readonly key: string;
  readonly name: string;
  /** Real money that is switched off: nobody stopped it, it is no emergency. */
  readonly isNeverOn: boolean;
};

/** How trading stands. */
export type TradingView = {
  readonly epoch: number;
  /** Workers that go by this epoch, of those that are known; null while none tells. */
  readonly confirmed: { readonly count: number; readonly of: number } | null;
  /** Every scope with a row; the others are active. */
  readonly states: readonly ScopeView[];
  readonly rounds: readonly (FlattenRound & {
    readonly name: string;
    readonly rows: readonly RoundBot[];
  })[];
  readonly findings: readonly OpenFinding[];
  readonly accounts: TradingFacts["accounts"];
  readonly bots: TradingFacts["bots"];
  readonly at: EpochMs;
};

/** What the service works with. */
export type EmergencyDeps = Omit<ViewDeps, "control" | "bots"> & {
  readonly control: Pick<ControlStore, "read" | "readAll" | "setStates">;
  readonly bots: RoundsDeps["bots"] & Pick<BotStore, "snapshots">;
  readonly settings: Pick<SettingsStore, "read" | "write">;
  readonly commands: Pick<CommandStore, "ask">;
  /** The epochs workers of the workspace go by, one each; empty while none tells. */
  readonly acknowledged: (scope: Scope) => Promise<readonly number[]>;
  readonly clock: Clock;
  readonly log: Log;
};

/** Stopping and releasing. */
export type Emergency = {
  view(scope: Scope): Promise<TradingView>;
  /** Shows how trading stands again and again while somebody looks. @returns calls it off */
  watch(scope: Scope, listener: (view: TradingView) => void): () => void;
  /** Scopes that are not active, widest first; live trading that was never on is left out. */
  stopped(scope: Scope): Promise<Pick<TradingView, "epoch" | "confirmed" | "states">>;
  /** What a level would do; null for a scope or level there is not. */
  preview(
    scope: Scope,
    wish: Pick<KillWish, "scope" | "level">,
  ): Promise<(EffectPreview & { readonly name: string; readonly level: KillLevel }) | null>;
  kill(actor: Actor, wish: KillWish): Promise<EmergencyOutcome>;
  resume(actor: Actor, wish: Omit<KillWish, "level">): Promise<EmergencyOutcome>;
  /** Hands a decision about a finding to the account's worker. */
  settle(
    actor: Actor,
    wish: {
      readonly accountId: AccountId;
      readonly findingKey: string;
      readonly choice: string;
      readonly confirm: string;
      /** Who takes it over: a bot's number or `person`; nothing for whoever gets it by itself. */
      readonly bot?: string;
    },
  ): Promise<EmergencyOutcome>;
  /** Follows closings of every workspace until the signal; never rejects. */
  run(signal: AbortSignal): Promise<void>;
};
