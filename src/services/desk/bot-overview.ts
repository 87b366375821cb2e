// How the bots of a workspace stand, joined from rows, the workers' last figures, accounts, events and the
// ledger. Pure: read by bots.ts for the overview page. What nobody told stays null and never becomes 0.
import { add, type Decimal } from "../../model/decimal.ts";
import type { AccountFigures, BotFigures, HealthLevel } from "../../model/live-figures.ts";
import type { EpochMs } from "../../model/time.ts";
import { settleAssetOf } from "../../model/instrument.ts";
import type { AccountId, AccountMode, TradingAccount } from "../../ports/account-store.ts";
import type { Bot, BotId, ShownSnapshot, Snapshot, StoredEvent } from "../../ports/bot-store.ts";
import type { Json } from "../../ports/settings-store.ts";
import { wantsDriving } from "../live/account-bots.ts";

/** Figures older than this are stale when nothing was heard of their worker. */
const STALE_AFTER_MS = 15_000;
/** Figures of a worker that lives are written again after a minute although nothing changed. */
const STALE_ANYHOW_MS = 330_000;

/** What is wrong around a bot, in the order it is shown. */
export const BOT_FLAGS = [
  "stale",
  "unprotected",
  "kill",
  "blocked",
  "exchange",
  "finding",
] as const;

/** The name of a flag. */
export type BotFlag = (typeof BOT_FLAGS)[number];

/** A bot as the overview shows it. */
export type BotRow = {
  readonly bot: Bot;
  readonly health: HealthLevel;
  /** One sentence: what it waits for, or what a person has to do. */
  readonly nextAction: string;
  /** What the worker showed last; null before it showed anything. */
  readonly figures: BotFigures | null;
  readonly shownAt: EpochMs | null;
  readonly account: Pick<TradingAccount, "status" | "blocksNewEntries">;
  /** Flags that are up, each with its sentence. */
  readonly flags: readonly { readonly flag: BotFlag; readonly sentence: string }[];
  /** Warnings and errors of the last 24 hours. */
  readonly alerts: AlertCount;
};

/** Loud events; `isMore` when there were too many to count. */
export type AlertCount = {
  readonly warnings: number;
  readonly errors: number;
  readonly isMore: boolean;
};

/** Sums over the bots of one kind of money; null while a part is unknown. */
export type BotTotals = {
  readonly mode: AccountMode;
  readonly asset: string;
  readonly equity: Decimal | null;
  /** Realised since the UTC day began, costs and funding included. */
  readonly today: Decimal | null;
  /** Notional of all positions, long and short added up. */
  readonly exposure: Decimal | null;
  readonly running: number;
  readonly paused: number;
  readonly error: number;
  /** Bots whose part of the sums is old. */
  readonly stale: number;
  readonly bots: number;
};

/** The whole overview. */
export type BotsOverview = {
  readonly at: EpochMs;
  /** By name. */
  readonly rows: readonly BotRow[];
  /** Live first; real and invented money are never added up. */
  readonly totals: readonly BotTotals[];
};

/** Everything the overview is joined from. */
export type OverviewFacts = {
  readonly at: EpochMs;
  readonly bots: readonly Bot[];
  readonly accounts: readonly TradingAccount[];
  readonly snapshots: readonly ShownSnapshot[];
  /** Loud events of the last 24 hours, newest first. */
  readonly events: readonly StoredEvent[];
  readonly hasMoreEvents: boolean;
  /** Realised today by account; an account that is not in it could not be summed. */
  readonly today: ReadonlyMap<AccountId, Decimal>;
};

const ZERO = "0" as Decimal;
const MODES: readonly AccountMode[] = ["live", "paper", "demo"];

/**
 * Whether figures are too old while somebody ought to write them: the worker is silent, or it lives and
 * has shown nothing for longer than it may.
 */
export function isStale(shown: Pick<ShownSnapshot, "at" | "isWorkerAlive">, at: EpochMs): boolean {
  return at - shown.at > (shown.isWorkerAlive ? STALE_ANYHOW_MS : STALE_AFTER_MS);
}

/** Joins everything. */
export function overviewOf(facts: OverviewFacts): BotsOverview {
  const rows = facts.bots.map((bot) => rowOf(bot, facts));
  return { at: facts.at, rows, totals: totalsOf(rows, facts.today) };
}

/** A document of this version; null for anything else, which is then as good as unknown. */
function documentOf<T extends { readonly format: 1 }>(body: Json | undefined): T | null {
  const isKnown = typeof body === "object" && body !== null && "format" in body;
  return isKnown && body.format === 1 ? (body as unknown as T) : null;
}

/** How an account stands; null before a worker looked at it. */
export function accountFiguresOf(
  snapshots: readonly Snapshot[],
  accountId: AccountId,
): AccountFigures | null {
  const isOfAccount = (each: Snapshot) => each.botId === null && each.accountId === accountId;
  return documentOf<AccountFigures>(snapshots.find(isOfAccount)?.body);
}

function rowOf(bot: Bot, facts: OverviewFacts): BotRow {
  const own = facts.snapshots.find(({ botId }) => botId === bot.id);
  const figures = documentOf<BotFigures>(own?.body);
  const shown = figures === null ? null : (own ?? null);
  const account = facts.accounts.find(({ id }) => id === bot.accountId);
  const flags = flagsOf(bot, figures, shown, facts);
  const isOld = flags.some(({ flag }) => flag === "stale");
  return {
    bot,
    figures,
    shownAt: shown?.at ?? null,
    flags,
    account: {
      status: account?.status ?? "disabled",
      blocksNewEntries: account?.blocksNewEntries ?? false,
    },
    health: healthOf(bot, figures, isOld),
    nextAction: nextActionOf(bot, figures, isOld),
    alerts: alertsOf(bot.id, facts),
  };
}

function flagsOf(
  bot: Bot,
  figures: BotFigures | null,
  shown: ShownSnapshot | null,
  { at, accounts, snapshots }: OverviewFacts,
): BotRow["flags"] {
  const account = accounts.find(({ id }) => id === bot.accountId);
  const around = accountFiguresOf(snapshots, bot.accountId);
  const kill = figures?.gates.find(({ key, isOpen }) => key === "trading_state" && !isOpen);
  const sentences: Record<BotFlag, string | null> = {
    stale: staleSentence(bot, shown, at),
    unprotected: unprotectedSentence(figures),
    kill: kill ? `Trading state: ${kill.sentence}.` : null,
    blocked: blockedSentence(account, around),
    exchange: exchangeSentence(around, figures),
    finding: around?.findings[0]?.sentence ?? null,
  };
  return BOT_FLAGS.flatMap((flag) => {
    const sentence = sentences[flag];
    return sentence === null ? [] : [{ flag, sentence }];
  });
}

function staleSentence(bot: Bot, shown: ShownSnapshot | null, at: EpochMs): string | null {
  if (!wantsDriving(bot)) return null;
  // A wish that is seconds old has not reached its worker yet.
  const since = shown ?? { at: bot.updatedAt, isWorkerAlive: false };
  if (!isStale(since, at)) return null;
  if (shown === null) return "No worker has taken it up.";
  return shown.isWorkerAlive
    ? "Its worker has shown nothing of it for more than five minutes."
    : "Its worker has not been heard of for more than 15 seconds.";
}

function unprotectedSentence(figures: BotFigures | null): string | null {
  const position = figures?.position ?? null;
  if (position === null || position.stopPrice !== null || figures?.health !== "error") return null;
  return "The position has no protective stop at the exchange.";
}

function blockedSentence(
  account: TradingAccount | undefined,
  around: AccountFigures | null,
): string | null {
  if (account?.status !== "active") return "The account is disabled: nothing is traded.";
  const [why] = around?.blocks ?? [];
  if (why !== undefined) return `The account opens nothing new: ${why}.`;
  return account.blocksNewEntries ? "The account opens nothing new." : null;
}

const TROUBLES: Readonly<Record<Exclude<AccountFigures["exchange"], "ok">, string>> = {
  degraded: "The exchange answers badly.",
  open: "The exchange does not answer: nothing but closing is tried.",
  half_open: "The exchange is being tried again.",
  maintenance: "The exchange is under maintenance.",
};

function exchangeSentence(
  around: AccountFigures | null,
  figures: BotFigures | null,
): string | null {
  if (around !== null) return around.exchange === "ok" ? null : TROUBLES[around.exchange];
  const gate = figures?.gates.find(({ key, isOpen }) => key === "exchange" && !isOpen);
  return gate ? `Exchange: ${gate.sentence}.` : null;
}

function healthOf(bot: Bot, figures: BotFigures | null, isOld: boolean): HealthLevel {
  if (bot.status === "error") return "error";
  if (isOld) return figures?.position ? "error" : "warning";
  return wantsDriving(bot) ? (figures?.health ?? "ok") : "ok";
}

function nextActionOf(bot: Bot, figures: BotFigures | null, isOld: boolean): string {
  if (bot.status === "error") return `Needs a person: ${bot.lastError ?? "it stopped"}`;
  if (bot.desiredAction !== null) return "Closes everything it holds";
  if (isOld) {
    return figures === null ? "Waits for a worker" : "Unknown: its worker has not been heard of";
  }
  if (!wantsDriving(bot)) return IDLE[bot.status];
  return figures?.nextAction ?? "Waits for its worker";
}

const IDLE = {
  created: "Waits to be started",
  running: "Waits for its worker",
  paused: "Waits for its worker",
  stopped: "Does nothing until it is started",
} as const;

function alertsOf(id: BotId, { events, hasMoreEvents }: OverviewFacts): AlertCount {
  const own = events.filter(({ botId }) => botId === id);
  const errors = own.filter(({ severity }) => severity === "error").length;
  return { errors, warnings: own.length - errors, isMore: hasMoreEvents };
}

function totalsOf(rows: readonly BotRow[], today: OverviewFacts["today"]): BotTotals[] {
  const groups = new Map<string, BotRow[]>();
  for (const mode of MODES) {
    for (const row of rows.filter(({ bot }) => bot.mode === mode)) {
      const key = `${mode} ${settleAssetOf(row.bot.symbol)}`;
      groups.set(key, [...(groups.get(key) ?? []), row]);
    }
  }
  return [...groups.values()].map((group) => totalOf(group, today));
}

function totalOf(group: readonly BotRow[], today: OverviewFacts["today"]): BotTotals {
  const count = (status: Bot["status"]) => group.filter(({ bot }) => bot.status === status).length;
  const [first] = group;
  const accountIds = [...new Set(group.map(({ bot }) => bot.accountId))];
  // A bot that never ran holds its allocation and nothing else.
  const equities = group.map(({ bot, figures }) =>
    figures === null && bot.status === "created" ? bot.config.allocation : figures?.equity,
  );
  const exposures = group.map(({ bot, figures }) => {
    if (figures === null) return bot.status === "created" ? ZERO : null;
    return figures.position === null ? ZERO : figures.position.notional;
  });
  return {
    mode: first?.bot.mode ?? "demo",
    asset: settleAssetOf(first?.bot.symbol ?? ""),
    equity: sumOf(equities),
    today: sumOf(accountIds.map((id) => today.get(id))),
    exposure: sumOf(exposures),
    running: count("running"),
    paused: count("paused"),
    error: count("error"),
    stale: group.filter(({ flags }) => flags.some(({ flag }) => flag === "stale")).length,
    bots: group.length,
  };
}

/** Null as soon as one part is unknown. */
function sumOf(parts: readonly (Decimal | null | undefined)[]): Decimal | null {
  let sum = ZERO;
  for (const part of parts) {
    if (part === null || part === undefined) return null;
    sum = add(sum, part);
  }
  return sum;
}
