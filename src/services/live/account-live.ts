// How an account stands and what lets it trade real money, for its page: figures of its worker, its trading state,
// pre-flight, arming, and limits that were reached. Built by the composition; it reads rows and hands wishes on.
import type { AccountFigures } from "../../model/live-figures.ts";
import type { EpochMs } from "../../model/time.ts";
import type { Scope } from "../../ports/access-store.ts";
import type { AccountId, AccountStore, TradingAccount } from "../../ports/account-store.ts";
import type { AuditStore } from "../../ports/audit-store.ts";
import type { BotId, BotStore, ShownSnapshot } from "../../ports/bot-store.ts";
import type { Clock } from "../../ports/clock.ts";
import type { ControlStore } from "../../ports/control-store.ts";
import type { Log } from "../../ports/log.ts";
import type { Trip } from "../../risk/account-limits.ts";
import { strictest, type TradingState } from "../../risk/trading-state.ts";
import { type Actor, type FieldRefusal, noteAct, refuseField } from "../desk/actor.ts";
import { accountFiguresOf, isStale } from "../desk/bot-overview.ts";
import { createWatch } from "../desk/bot-watch.ts";
import { includesRole } from "../desk/tokens.ts";
import { type ArmedMark, readArmed } from "./armed-mark.ts";
import { type LatchSettings, readLatch, resetLatch } from "./limit-latch.ts";
import { type Preflight, type PreflightRun, RUN_FRESH_MS } from "./preflight.ts";
import type { Making, PreflightRuns } from "./preflight-runs.ts";
import { ownState } from "./trading-scopes.ts";

/** What a worker told last. */
export type AccountStanding = {
  readonly at: EpochMs;
  /** Null before a worker looked. */
  readonly figures: AccountFigures | null;
  readonly shownAt: EpochMs | null;
  readonly isStale: boolean;
};

/** A limit that was reached. */
export type ReachedLimit = {
  /** Names it in a wish: `account:daily_loss`, `12:drawdown`. */
  readonly key: string;
  readonly botId: BotId | null;
  /** The bot's name; null for a limit of the account itself. */
  readonly botName: string | null;
  readonly trip: Trip;
};

/** What lets a live account trade, or keeps it from it. */
export type LiveStanding = {
  /** The last run; null without one. */
  readonly run: PreflightRun | null;
  /** Whether the run may be armed with as far as its age and its checks tell. */
  readonly isUsable: boolean;
  readonly making: Making;
  /** Null when nobody armed it, or somebody disarmed it since. */
  readonly armed: ArmedMark | null;
  /** Whether only arming lets it trade. */
  readonly isOff: boolean;
  /** The strictest state of all, all live and this account; null while it was never armed. */
  readonly state: { readonly state: TradingState; readonly reason: string } | null;
};

/** What a person resets. */
export type ResetWish = {
  readonly accountId: AccountId;
  readonly limit: string;
  readonly typedWord: string;
};

/** What became of a change of an account. */
export type ChangeOutcome =
  { readonly ok: true } | FieldRefusal | { readonly ok: false; readonly reason: "unknown_account" };

/** The live side of an account's page. */
export type AccountLive = Pick<Preflight, "arm" | "disarm"> &
  Pick<PreflightRuns, "begin" | "whenEnded"> & {
    standing(scope: Scope, accountId: AccountId): Promise<AccountStanding>;
    /** Tells how the account stands while somebody looks. @returns calls it off */
    watch(
      scope: Scope,
      accountId: AccountId,
      listener: (standing: AccountStanding) => void,
    ): () => void;
    /** Of a live account. */
    live(scope: Scope, accountId: AccountId): Promise<LiveStanding>;
    /** Limits that were reached and keep entries back, those of the account first. */
    reached(scope: Scope, accountId: AccountId): Promise<readonly ReachedLimit[]>;
    /** Forgets a limit that was reached; audited. */
    reset(actor: Actor, wish: ResetWish): Promise<ChangeOutcome>;
  };

/** What it works with. */
export type AccountLiveDeps = {
  readonly accounts: Pick<AccountStore, "find">;
  readonly bots: Pick<BotStore, "list" | "snapshots">;
  readonly control: Pick<ControlStore, "read">;
  readonly settings: LatchSettings;
  readonly audit: Pick<AuditStore, "append">;
  readonly preflight: Preflight;
  readonly runs: PreflightRuns;
  readonly clock: Clock;
  readonly log: Log;
};

/** What has to be typed to reset a limit. */
export const RESET_WORD = "RESET";
/** The worker of the account writes new highs to the same document. */
const TRIES_MAX = 3;

/** Builds the service. */
export function createAccountLive(deps: AccountLiveDeps): AccountLive {
  const { bots, clock, log, preflight, runs } = deps;
  const watch = createWatch({
    read: (scope) => bots.snapshots(scope, null),
    ...{ clock, log },
  });
  return {
    arm: preflight.arm,
    disarm: preflight.disarm,
    begin: runs.begin,
    whenEnded: runs.whenEnded,
    async standing(scope, accountId) {
      return standingOf(await bots.snapshots(scope, accountId), accountId, clock.now());
    },
    watch: (scope, accountId, listener) =>
      watch(scope, (snapshots) => listener(standingOf(snapshots, accountId, clock.now()))),
    live: (scope, accountId) => liveOf(deps, scope, accountId),
    reached: (scope, accountId) => reachedOf(deps, scope, accountId),
    reset: (actor, wish) => reset(deps, actor, wish),
  };
}

function standingOf(
  snapshots: readonly ShownSnapshot[],
  accountId: AccountId,
  at: EpochMs,
): AccountStanding {
  const figures = accountFiguresOf(snapshots, accountId);
  const own = snapshots.find((each) => each.botId === null && each.accountId === accountId);
  if (figures === null || !own) return { at, figures, shownAt: null, isStale: false };
  return { at, figures, shownAt: own.at, isStale: isStale(own, at) };
}

async function liveOf(
  { control, settings, preflight, runs, clock }: AccountLiveDeps,
  scope: Scope,
  accountId: AccountId,
): Promise<LiveStanding> {
  const [run, armed, { states }] = await Promise.all([
    preflight.last(scope, accountId),
    readArmed(settings, scope, accountId),
    control.read(scope),
  ]);
  const own = ownState(states, { kind: "account", accountId });
  const wide = (["global", "live"] as const).map((kind) => ownState(states, { kind }));
  const rows = [...wide, own].filter((row) => row !== null);
  const state = strictest(rows.map((row) => row.state));
  const reason = rows.find((row) => row.state === state)?.reason ?? "";
  const isFrozen = ownState(states, { kind: "live" })?.state === "frozen";
  const ageMs = run === null ? null : clock.now() - run.at;
  return {
    ...{ run, armed, making: runs.making(accountId) },
    isOff: armed === null || own === null || isFrozen,
    isUsable: run?.level !== "fail" && ageMs !== null && ageMs >= 0 && ageMs <= RUN_FRESH_MS,
    state: own === null ? null : { state, reason },
  };
}

async function reachedOf(
  { settings, bots }: AccountLiveDeps,
  scope: Scope,
  accountId: AccountId,
): Promise<readonly ReachedLimit[]> {
  const latches = await readLatch(settings, scope, accountId);
  const named = new Map(
    (await bots.list(scope, accountId)).map(({ id, name }) => [String(id), { id, name }]),
  );
  const own = latches.account.trips.map((trip) => ({
    ...{ key: `account:${trip.kind}`, botId: null, botName: null, trip },
  }));
  const ofBots = Object.entries(latches.bots).flatMap(([key, { trips }]) => {
    const bot = named.get(key);
    // What a deleted bot once reached keeps nothing back.
    if (bot === undefined) return [];
    return trips.map((trip) => ({
      ...{ key: `${key}:${trip.kind}`, botId: bot.id, botName: bot.name, trip },
    }));
  });
  return [...own, ...ofBots];
}

async function reset(
  deps: AccountLiveDeps,
  actor: Actor,
  { accountId, limit, typedWord }: ResetWish,
): Promise<ChangeOutcome> {
  const { scope } = actor;
  const account: TradingAccount | null = await deps.accounts.find(scope, accountId);
  if (account === null) return { ok: false, reason: "unknown_account" };
  const refused = (detail: string) => refuseField(`reset:${limit}`, detail);
  if (!includesRole(scope.role, "owner")) {
    return refused("resetting a limit needs the rights of an owner");
  }
  const reached = await reachedOf(deps, scope, accountId);
  const found = reached.find(({ key }) => key === limit);
  if (found === undefined) return refuseField("form", "the limit does not keep anything back now");
  if (typedWord.trim() !== RESET_WORD) {
    return refused(`type ${RESET_WORD} in capital letters; nothing was changed`);
  }
  const { botId, trip } = found;
  await noteAct(deps, actor, {
    action: "limit_reset",
    object: botId === null ? `account:${accountId}` : `bot:${botId}`,
    before: { ...trip },
  });
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const wish = { accountId, botId, kinds: [trip.kind] };
    const written = await resetLatch(deps.settings, scope, wish, deps.clock.now());
    if (written.ok) return { ok: true };
  }
  return refused("the worker wrote at the same moment; nothing was changed, try again");
}
