// What an address asks of the list of bots, and addresses for it: `?status=running&sort=-pnl`. Used by bots.tsx
// and bots-view.ts; a word it does not know is refused by name. Pure.
import type { BotStatus } from "../../model/bot.ts";
import { InputError } from "../../model/result.ts";
import { parseTimeframe } from "../../model/time.ts";
import { BOT_FLAGS, type BotFlag, type BotRow } from "../../services/desk/bot-overview.ts";

/** Columns the list can be sorted by. */
export const BOT_SORTS = [
  "health",
  "name",
  "symbol",
  "timeframe",
  "status",
  "pnl",
  "account",
  "alerts",
] as const;

/** A column to sort by. */
export type BotSort = (typeof BOT_SORTS)[number];

/** The list as somebody asked for it. */
export type BotsQuery = {
  readonly q: string;
  readonly symbol: string;
  /** Minutes; null for all. */
  readonly timeframeMin: number | null;
  readonly status: BotStatus | null;
  readonly account: number | null;
  readonly flag: BotFlag | "any" | null;
  /** Bounds of profit and loss in the settle asset, inclusive; null for none. */
  readonly pnlFrom: number | null;
  readonly pnlTo: number | null;
  readonly sort: BotSort;
  readonly isDown: boolean;
};

/** Every status, in the order of the filter. */
export const BOT_STATUSES: readonly BotStatus[] = [
  "running",
  "paused",
  "error",
  "stopped",
  "created",
];

const TEXT_CHARS_MAX = 100;
const KNOWN = [
  ...["q", "symbol", "timeframe", "status", "account", "flag", "pnl-from", "pnl-to", "sort"],
];

/**
 * Reads an address; `done` is the page's own.
 * @throws InputError naming the parameter
 */
export function readBotsQuery(params: URLSearchParams): BotsQuery {
  const read = (name: string) => (params.get(name) ?? "").trim().slice(0, TEXT_CHARS_MAX);
  for (const name of params.keys()) {
    if (name !== "done" && !KNOWN.includes(name)) {
      throw new InputError(`${name.slice(0, 40)}: there is no such filter of bots`);
    }
  }
  const sort = read("sort") || "name";
  const isDown = sort.startsWith("-");
  return {
    q: read("q"),
    symbol: read("symbol"),
    timeframeMin: read("timeframe") === "" ? null : parseTimeframe(read("timeframe")),
    status: oneOf("status", read("status"), BOT_STATUSES),
    account: accountOf(read("account")),
    flag: oneOf("flag", read("flag"), ["any", ...BOT_FLAGS]),
    pnlFrom: amountOf("pnl-from", read("pnl-from")),
    pnlTo: amountOf("pnl-to", read("pnl-to")),
    sort: oneOf("sort", isDown ? sort.slice(1) : sort, BOT_SORTS) ?? "name",
    isDown,
  };
}

function oneOf<T extends string>(name: string, text: string, allowed: readonly T[]): T | null {
  if (text === "") return null;
  const found = allowed.find((each) => each === text);
  if (found !== undefined) return found;
  throw new InputError(`${name}: it is "${text.slice(0, 40)}"; ${allowed.join(", ")} are allowed`);
}

function accountOf(text: string): number | null {
  if (text === "") return null;
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new InputError(
    `account: it is "${text.slice(0, 40)}"; the number of an account is allowed`,
  );
}

function amountOf(name: string, text: string): number | null {
  if (text === "") return null;
  if (/^-?\d{1,12}(\.\d{1,8})?$/.test(text)) return Number(text);
  throw new InputError(`${name}: it is "${text.slice(0, 40)}"; an amount such as -12.5 is allowed`);
}

/** The same as a query string; what is as usual stays out of it. */
export function writeBotsQuery(query: BotsQuery): string {
  const sort = `${query.isDown ? "-" : ""}${query.sort}`;
  const { timeframeMin } = query;
  const entries: readonly (readonly [string, string])[] = [
    ["q", query.q],
    ["symbol", query.symbol],
    ["timeframe", timeframeMin === null ? "" : `${timeframeMin}m`],
    ["status", query.status ?? ""],
    ["account", query.account === null ? "" : String(query.account)],
    ["flag", query.flag ?? ""],
    ["pnl-from", String(query.pnlFrom ?? "")],
    ["pnl-to", String(query.pnlTo ?? "")],
    ["sort", sort === "name" ? "" : sort],
  ];
  const params = new URLSearchParams();
  for (const [name, value] of entries) if (value !== "") params.set(name, value);
  return params.toString();
}

/** The bots that are asked for, in the order that is asked for; equal ones by number. */
export function select(rows: readonly BotRow[], query: BotsQuery): BotRow[] {
  const direction = query.isDown ? -1 : 1;
  return rows
    .filter((row) => fits(row, query))
    .toSorted((a, b) => {
      const [left, right] = [keyOf(a, query.sort), keyOf(b, query.sort)];
      // What is not known comes last, whichever way the list is turned.
      if (left === null || right === null) return left === right ? 0 : left === null ? 1 : -1;
      const order = left < right ? -1 : left > right ? 1 : 0;
      return order * direction || a.bot.id - b.bot.id;
    });
}

function fits({ bot, flags, figures }: BotRow, query: BotsQuery): boolean {
  const { q, symbol, timeframeMin, status, account, flag } = query;
  const text = `${bot.name} ${bot.symbol} ${bot.accountName} ${bot.id}`.toLowerCase();
  const hasFlag = flag === "any" ? flags.length > 0 : flags.some((each) => each.flag === flag);
  return (
    text.includes(q.toLowerCase()) &&
    (symbol === "" || bot.symbol === symbol) &&
    (timeframeMin === null || bot.timeframeMin === timeframeMin) &&
    (status === null || bot.status === status) &&
    (account === null || bot.accountId === account) &&
    (flag === null || hasFlag) &&
    isWithin(pnlOf(figures), query)
  );
}

/** What is not known lies within no bounds. */
function isWithin(pnl: number | null, { pnlFrom, pnlTo }: BotsQuery): boolean {
  if (pnlFrom === null && pnlTo === null) return true;
  return pnl !== null && pnl >= (pnlFrom ?? pnl) && pnl <= (pnlTo ?? pnl);
}

function pnlOf(figures: BotRow["figures"]): number | null {
  return figures?.pnl.net == null ? null : Number(figures.pnl.net);
}

const HEALTH_RANK = { error: 0, warning: 1, ok: 2 } as const;

function keyOf({ bot, health, figures, alerts }: BotRow, sort: BotSort): string | number | null {
  switch (sort) {
    case "health":
      return HEALTH_RANK[health];
    case "name":
      return bot.name.toLowerCase();
    case "symbol":
      return bot.symbol;
    case "timeframe":
      return bot.timeframeMin;
    case "status":
      return BOT_STATUSES.indexOf(bot.status);
    case "pnl":
      return pnlOf(figures);
    case "account":
      return bot.accountName.toLowerCase();
    case "alerts":
      return alerts.errors * 1e6 + alerts.warnings;
  }
}
