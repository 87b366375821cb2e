// The bots of a workspace for their pages: how they stand, what their owner wishes, new ones from a run. Built
// by src/bots.ts, used by web/routes/bots*.tsx. It only writes definitions and wishes; workers act on them.
import type { Decimal } from "../../model/decimal.ts";
import { assert } from "../../model/result.ts";
import { DAY_MS, type EpochMs, utcDayStart } from "../../model/time.ts";
import type { Scope } from "../../ports/access-store.ts";
import type { AccountId, AccountStore } from "../../ports/account-store.ts";
import type { Bot, BotId, BotRefusal, BotStore, StoredEvent } from "../../ports/bot-store.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { TradingStore } from "../../ports/trading-store.ts";
import { type Actor, type FieldRefusal, refuseField } from "./actor.ts";
import { checkBotName } from "./bot-draft-fields.ts";
import { type BotDrafts, createBotDrafts, type DraftDeps } from "./bot-draft.ts";
import { type BotsOverview, overviewOf } from "./bot-overview.ts";
import { createWatch, type Watch } from "./bot-watch.ts";

/** What an owner may ask of a bot; `flatten` closes what it holds and leaves it paused. */
export type BotWish = "running" | "paused" | "stopped" | "flatten";

/** Words that must be typed before something that is hard to undo. */
export const WISH_WORDS = { stopped: "STOP", flatten: "FLATTEN" } as const;

/** What must be typed to delete bots. */
export const REMOVE_WORD = "DELETE";

/** Most bots acted on at once. */
export const BULK_BOTS_MAX = 200;

/** A change that was not made, as a sentence. */
export type WishRefusal = {
  readonly ok: false;
  readonly reason: BotRefusal | "needs_word" | "not_possible";
  readonly detail: string;
};

/** The outcome of a change of one bot. */
export type BotOutcome = { readonly ok: true; readonly bot: Bot } | WishRefusal;

/** What a change of several bots came to. */
export type BulkOutcome = {
  readonly done: number;
  /** One sentence per bot that was left as it is, with its name where it has one. */
  readonly refused: readonly string[];
};

/** Bots of a workspace; those of another do not exist for the caller. */
export type BotsDesk = BotDrafts & {
  now(): EpochMs;
  overview(scope: Scope): Promise<BotsOverview>;
  /** Hears the overview every other second until called off; a read that fails is tried again. */
  readonly watch: Watch<BotsOverview>;
  /** @param typed what was typed to confirm; read for `stopped` and `flatten` alone */
  wish(actor: Actor, id: BotId, wish: BotWish, typed: string): Promise<BotOutcome>;
  /** The same for several, each on its own. @throws InvariantError above BULK_BOTS_MAX */
  bulk(actor: Actor, ids: readonly BotId[], wish: BotWish, typed: string): Promise<BulkOutcome>;
  rename(actor: Actor, id: BotId, typed: string): Promise<BotOutcome | FieldRefusal>;
  /** Only created and stopped bots that hold nothing and have no order. */
  remove(actor: Actor, id: BotId, typed: string): Promise<{ readonly ok: true } | WishRefusal>;
};

/** What the desk is built from. */
export type BotsDeskDeps = DraftDeps & {
  readonly bots: BotStore;
  readonly accounts: Pick<AccountStore, "list">;
  readonly trading: Pick<TradingStore, "totals">;
  readonly clock: Clock;
  readonly log: Log;
};

const EVENTS_AT_ONCE = 500;
const EVENT_READS_MAX = 4;

/** Builds the desk. */
export function createBotsDesk(deps: BotsDeskDeps): BotsDesk {
  const { bots, clock } = deps;
  const read = (scope: Scope) => readOverview(deps, scope);
  const one = (actor: Actor, id: BotId, wish: BotWish, typed: string) =>
    applyWish(deps, actor, id, wish, typed);
  return {
    ...createBotDrafts(deps),
    now: () => clock.now(),
    overview: read,
    watch: createWatch({ read, clock, log: deps.log }),
    wish: one,
    async bulk(actor, ids, wish, typed) {
      assert(ids.length <= BULK_BOTS_MAX, `${ids.length} bots are more than ${BULK_BOTS_MAX}`);
      const refused: string[] = [];
      for (const id of ids) {
        const outcome = await one(actor, id, wish, typed);
        if (!outcome.ok) refused.push(outcome.detail);
      }
      return { done: ids.length - refused.length, refused };
    },
    async rename({ scope }, id, typed) {
      const name = checkBotName(typed);
      if (!name.ok) return name;
      const renamed = await bots.rename(scope, id, name.value, clock.now());
      if (renamed.ok) return { ok: true, bot: renamed.value };
      return renamed.reason === "name_taken" ? refuseField("name", renamed.detail) : renamed;
    },
    async remove({ scope }, id, typed) {
      const lacking = wordMissing(typed, REMOVE_WORD);
      if (lacking) return lacking;
      const removed = await bots.remove(scope, id, clock.now());
      if (removed.ok) return { ok: true };
      return { ...removed, detail: await withName(deps, scope, id, removed.detail) };
    },
  };
}

async function readOverview(deps: BotsDeskDeps, scope: Scope): Promise<BotsOverview> {
  const at = deps.clock.now();
  const [bots, accounts, snapshots, loud] = await Promise.all([
    deps.bots.list(scope, null),
    deps.accounts.list(scope),
    deps.bots.snapshots(scope, null),
    readEvents(deps, scope, at - DAY_MS),
  ]);
  const today = await readToday(deps, scope, bots, at);
  return overviewOf({ at, bots, accounts, snapshots, today, ...loud });
}

/** Loud events since an instant, as many as are read at all. */
async function readEvents({ bots }: BotsDeskDeps, scope: Scope, since: EpochMs) {
  const events: StoredEvent[] = [];
  let beforeId: number | null = null;
  for (let reads = 0; reads < EVENT_READS_MAX; reads++) {
    const found: readonly StoredEvent[] = await bots.events(scope, {
      ...{ accountId: null, botId: null, beforeId, limit: EVENTS_AT_ONCE },
      severities: ["warning", "error"],
    });
    events.push(...found.filter(({ at }) => at >= since));
    const last = found.at(-1);
    // Events are stored in the order they happen, but for seconds.
    if (found.length < EVENTS_AT_ONCE || !last || last.at < since) {
      return { events, hasMoreEvents: false };
    }
    beforeId = last.id;
  }
  return { events, hasMoreEvents: true };
}

/** What each account of a bot realised today; one with entries of unknown worth is left out. */
async function readToday(
  { trading }: BotsDeskDeps,
  scope: Scope,
  bots: readonly Bot[],
  at: EpochMs,
): Promise<ReadonlyMap<AccountId, Decimal>> {
  const query = { sinceAt: utcDayStart(at), owner: null };
  const ids = [...new Set(bots.map(({ accountId }) => accountId))];
  const sums = await Promise.all(ids.map((id) => trading.totals(scope, id, query)));
  const known = sums.flatMap(({ net, missing }, index) => {
    const id = ids[index];
    return missing > 0 || id === undefined ? [] : [[id, net] as const];
  });
  return new Map(known);
}

function wordMissing(typed: string, word: string): WishRefusal | null {
  if (typed.trim() === word) return null;
  const detail = `“${typed.slice(0, 60)}” is not ${word}; nothing was changed`;
  return { ok: false, reason: "needs_word", detail };
}

async function applyWish(
  deps: BotsDeskDeps,
  { scope }: Actor,
  id: BotId,
  wish: BotWish,
  typed: string,
): Promise<BotOutcome> {
  const word = wish === "stopped" || wish === "flatten" ? WISH_WORDS[wish] : null;
  const lacking = word === null ? null : wordMissing(typed, word);
  if (lacking) return lacking;
  const bot = await deps.bots.find(scope, id);
  if (!bot) return { ok: false, reason: "unknown_bot", detail: "there is no such bot" };
  const why = impossible(bot, wish);
  if (why !== null) return { ok: false, reason: "not_possible", detail: `${bot.name} ${why}` };
  // A flatten that is under way ends in paused; another wish would only be overwritten by it.
  const wanted = wish === "flatten" ? ({ action: "flatten" } as const) : { status: wish };
  const wished = await deps.bots.wish(scope, id, wanted, deps.clock.now());
  return wished.ok ? { ok: true, bot: wished.value } : wished;
}

/** Why a wish would come to nothing; null when it may be made. */
function impossible({ status, desiredAction }: Bot, wish: BotWish): string | null {
  if (wish === "running" && status === "error") {
    return "stopped with an error: look at it and clear the error first";
  }
  if (wish === "flatten" && status === "created") return "never ran, so it holds nothing";
  if (wish === "running" && desiredAction !== null) {
    return "is closing everything: start it again after that";
  }
  return null;
}

async function withName(
  { bots }: BotsDeskDeps,
  scope: Scope,
  id: BotId,
  detail: string,
): Promise<string> {
  const bot = await bots.find(scope, id);
  return bot ? `${bot.name}: ${detail}` : detail;
}
