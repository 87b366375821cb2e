// The bot store in memory, on the rows of a simulated trading store. For simulations and as the second
// opinion of the contract of bot stores. Its writes crash and fail with those of the trading store.
import { assert, ok, refuse, type Result } from "../../src/model/result.ts";
import type { EpochMs } from "../../src/model/time.ts";
import { compareText } from "../../src/model/trade-record.ts";
import type { Scope } from "../../src/ports/access-store.ts";
import type { AccountId } from "../../src/ports/account-store.ts";
import type {
  Bot,
  BotId,
  BotRefusal,
  BotStore,
  EquitySample,
  NewBot,
  Snapshot,
} from "../../src/ports/bot-store.ts";
import { type Book, copyOf, noteEvents, numbered, type StoredBot } from "./simulated-rows.ts";
import type { SimulatedStore } from "./simulated-store.ts";

const BOTS_MAX = 9999;
const EVENTS_MAX = 500;
const SAMPLES_MAX = 5000;
const VERSIONS_MAX = 100;
const NOWHERE = 0 as AccountId;
const FINAL = ["filled", "cancelled", "refused", "expired", "abandoned"];

type Inside = SimulatedStore["inside"];

/** A bot store on the rows of a simulated store. */
export function createSimulatedBots({ store, inside }: SimulatedStore): BotStore {
  return {
    ...definitions(inside),
    ...changes(inside),
    remove: (scope, id, at) => remove(inside, store, scope, id, at),
    ...states(inside),
    ...events(inside),
    ...figures(inside),
  };
}

function booksOf({ world }: Inside, { workspaceId }: Scope): Book[] {
  return [...world.accounts.values()].filter((book) => book.workspaceId === workspaceId);
}

function botsOf(inside: Inside, scope: Scope): StoredBot[] {
  const all = booksOf(inside, scope).flatMap(({ bots }) => [...bots.values()]);
  return all.filter(({ isDeleted }) => !isDeleted);
}

function found(inside: Inside, scope: Scope, id: BotId): StoredBot | null {
  return botsOf(inside, scope).find(({ bot }) => bot.id === id) ?? null;
}

type Change = (known: StoredBot, book: Book) => Result<StoredBot, BotRefusal>;

/** Changes a bot that was not deleted. */
async function changed(
  inside: Inside,
  scope: Scope,
  id: BotId,
  change: Change,
): Promise<Result<Bot, BotRefusal>> {
  return await inside.write((draft) => {
    const book = draft.accounts.get(draft.homes.get(id) ?? NOWHERE);
    const known = book?.bots.get(id);
    if (!book || book.workspaceId !== scope.workspaceId || !known || known.isDeleted) {
      return refuse("unknown_bot", "there is no such bot");
    }
    const outcome = change(known, book);
    if (!outcome.ok) return outcome;
    const copy = copyOf(book);
    copy.bots.set(id, outcome.value);
    draft.accounts.set(book.id, copy);
    return ok(outcome.value.bot);
  });
}

/** Why a new bot or a new name is not taken; null when it is. */
function refused(
  others: readonly StoredBot[],
  wanted: Pick<Bot, "name"> & Partial<NewBot>,
): Result<never, "name_taken" | "leg_taken"> | null {
  const { name, accountId, symbol, sides = [] } = wanted;
  if (others.some(({ bot }) => bot.name.toLowerCase() === name.toLowerCase())) {
    return refuse("name_taken", `a bot named ${name} exists already`);
  }
  const isRival = (other: StoredBot) =>
    other.bot.accountId === accountId &&
    other.bot.symbol === symbol &&
    other.sides.some((side) => sides.includes(side));
  return others.some(isRival) ? refuse("leg_taken", "another bot trades this side") : null;
}

function definitions(inside: Inside): Pick<BotStore, "list" | "find" | "create"> {
  return {
    list: async (scope, accountId) =>
      botsOf(inside, scope)
        .map(({ bot }) => bot)
        .filter((bot) => accountId === null || bot.accountId === accountId)
        .sort((a, b) => compareText(a.name.toLowerCase(), b.name.toLowerCase())),
    find: async (scope, id) => found(inside, scope, id)?.bot ?? null,
    create: (scope, wanted, actor, at) =>
      inside.write((draft) => {
        const { sides, ...rest } = wanted;
        const book = draft.accounts.get(wanted.accountId);
        if (book?.workspaceId !== scope.workspaceId) {
          return refuse("unknown_account", "there is no such account");
        }
        const refusal = refused(botsOf(inside, scope), wanted);
        if (refusal) return refusal;
        if ((draft.numbers.get("bot") ?? 0) >= BOTS_MAX) {
          return refuse("too_many_bots", "there are no more numbers");
        }
        const id = numbered(draft, "bot") as BotId;
        const { name: accountName, mode, exchangeId } = book.account;
        const bot: Bot = {
          ...{ ...rest, id, accountName, mode, exchangeId, configVersion: 1, status: "created" },
          ...{ desiredStatus: "paused", desiredAction: null, lastError: null },
          ...{ createdAt: at, updatedAt: at },
        };
        const configs = [{ version: 1, config: wanted.config, actor, note: "", at }];
        const copy = copyOf(book);
        copy.bots.set(id, { bot, sides, configs, isDeleted: false });
        draft.accounts.set(book.id, copy);
        draft.homes.set(id, book.id);
        return ok(bot);
      }),
  };
}

function changes(
  inside: Inside,
): Pick<BotStore, "rename" | "changeConfig" | "configVersions" | "wish"> {
  return {
    rename: (scope, id, name, at) =>
      changed(inside, scope, id, (known) => {
        const others = botsOf(inside, scope).filter(({ bot }) => bot.id !== id);
        const refusal = refused(others, { name });
        if (refusal) return refusal;
        return ok({ ...known, bot: { ...known.bot, name, updatedAt: at } });
      }),
    changeConfig: (scope, id, { seenVersion, config, note }, actor, at) =>
      changed(inside, scope, id, ({ bot, configs, ...rest }) => {
        if (bot.configVersion !== seenVersion) {
          return refuse("version_moved", `the configuration is at ${bot.configVersion}`);
        }
        const version = seenVersion + 1;
        return ok({
          ...rest,
          bot: { ...bot, config, configVersion: version, updatedAt: at },
          configs: [...configs, { version, config, actor, note, at }],
        });
      }),
    configVersions: async (scope, id) =>
      [...(found(inside, scope, id)?.configs ?? [])].reverse().slice(0, VERSIONS_MAX),
    wish: (scope, id, { status, action }, at) =>
      changed(inside, scope, id, (known) => {
        const { desiredStatus, desiredAction } = known.bot;
        const wished = {
          desiredStatus: status ?? desiredStatus,
          desiredAction: action === undefined ? desiredAction : action,
        };
        return ok({ ...known, bot: { ...known.bot, ...wished, updatedAt: at } });
      }),
  };
}

async function remove(
  inside: Inside,
  store: SimulatedStore["store"],
  scope: Scope,
  id: BotId,
  at: EpochMs,
): Promise<Result<null, BotRefusal>> {
  const home = found(inside, scope, id)?.bot.accountId ?? NOWHERE;
  const held = await store.holdings(scope, home);
  const removed = await changed(inside, scope, id, (known, book) => {
    const owner = `bot:${id}`;
    const isAlive = [...book.intents.values()].some(
      (intent) => intent.owner === owner && !FINAL.includes(intent.status),
    );
    const isOver = known.bot.status === "stopped" || known.bot.status === "created";
    if (isAlive || !isOver || held.some(({ holder }) => holder === owner)) {
      return refuse("not_stopped", "the bot is not stopped, or has orders or a position");
    }
    return ok({ ...known, isDeleted: true, bot: { ...known.bot, updatedAt: at } });
  });
  return removed.ok ? ok(null) : removed;
}

function isDriven({ bot, isDeleted }: StoredBot): boolean {
  const { status, desiredStatus, desiredAction } = bot;
  const isOn = ["running", "paused", "error"].includes(status);
  return !isDeleted && (isOn || desiredStatus === "running" || desiredAction !== null);
}

function states(inside: Inside): Pick<BotStore, "tradedAccounts" | "state" | "setStatus"> {
  return {
    tradedAccounts: async () =>
      [...inside.world.accounts.values()]
        .filter(({ bots }) => [...bots.values()].some(isDriven))
        .map(({ workspaceId, id }) => ({ workspaceId, accountId: id })),
    state: async (scope, id) => {
      const known = found(inside, scope, id);
      return (known && inside.world.accounts.get(known.bot.accountId)?.states.get(id)) ?? null;
    },
    setStatus: async (scope, guard, id, change, at) => {
      const { status, lastError, clearsAction, desiredStatus } = change;
      const done = await inside.guarded(scope, guard, (book) => {
        const known = book.bots.get(id);
        assert(known !== undefined, `account ${guard.accountId} has no bot ${id}`);
        assert((status === "error") === (lastError !== null), "an error has its sentence");
        const { bot } = known;
        const desiredAction = clearsAction ? null : bot.desiredAction;
        const wished = { desiredAction, desiredStatus: desiredStatus ?? bot.desiredStatus };
        const moved = { ...bot, ...wished, status, lastError, updatedAt: at };
        book.bots.set(id, { ...known, bot: moved });
        return true;
      });
      return done === true;
    },
  };
}

function events(inside: Inside): Pick<BotStore, "appendEvents" | "events"> {
  return {
    appendEvents: async (scope, guard, added) => {
      const done = await inside.guarded(scope, guard, (book, draft) => {
        noteEvents(draft, book, added);
        return true;
      });
      return done === true;
    },
    events: async (scope, { accountId, botId, severities, beforeId, limit }) => {
      assert(limit >= 1 && limit <= EVENTS_MAX, `limit: ${limit} is not 1..${EVENTS_MAX}`);
      return booksOf(inside, scope)
        .flatMap((book) => book.events)
        .filter(
          (event) =>
            (accountId === null || event.accountId === accountId) &&
            (botId === null || event.botId === botId) &&
            (severities === null || severities.includes(event.severity)) &&
            (beforeId === null || event.id < beforeId),
        )
        .sort((a, b) => b.id - a.id)
        .slice(0, limit);
    },
  };
}

/** Kept beside the rows: figures are no part of what a crash may lose. */
function figures(inside: Inside): Pick<BotStore, "saveFigures" | "snapshots" | "equity"> {
  const shown = new Map<string, Snapshot>();
  const curve = new Map<string, EquitySample>();
  const isOurs = (scope: Scope, { accountId }: { readonly accountId: AccountId }) =>
    inside.world.accounts.get(accountId)?.workspaceId === scope.workspaceId;
  const isAlive = (scope: Scope, { botId }: Snapshot) =>
    botId === null || found(inside, scope, botId) !== null;
  return {
    saveFigures: async (scope, snapshots, samples) => {
      for (const snapshot of snapshots.filter((each) => isOurs(scope, each))) {
        const key = `${snapshot.accountId}/${snapshot.botId}`;
        const known = shown.get(key);
        const isSame = known?.worker === snapshot.worker;
        if (isSame || (known?.at ?? 0) <= snapshot.at) shown.set(key, snapshot);
      }
      for (const sample of samples.filter((each) => isOurs(scope, each))) {
        const key = `${sample.accountId}/${sample.botId}/${sample.at}`;
        if (!curve.has(key)) curve.set(key, sample);
      }
    },
    snapshots: async (scope, accountId) =>
      [...shown.values()]
        .filter((each) => isOurs(scope, each) && isAlive(scope, each))
        .filter((each) => accountId === null || each.accountId === accountId)
        .sort((a, b) => a.accountId - b.accountId || (a.botId ?? 0) - (b.botId ?? 0))
        .map((each) => ({ ...each, isWorkerAlive: false })),
    equity: async (scope, { accountId, botId, sinceAt, limit }) => {
      assert(limit >= 1 && limit <= SAMPLES_MAX, `limit: ${limit} is not 1..${SAMPLES_MAX}`);
      const all = [...curve.values()]
        .filter((each) => isOurs(scope, each) && each.at >= sinceAt)
        .filter((each) => each.accountId === accountId && each.botId === botId)
        .sort((a, b) => a.at - b.at);
      if (all.length <= limit) return all;
      const bucket = (place: number) => Math.floor((place * (limit - 1)) / (all.length - 1));
      return all.filter((_, place) => place === 0 || bucket(place) > bucket(place - 1));
    },
  };
}
