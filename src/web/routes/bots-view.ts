// What the list of bots shows, from what the desk found: rows, headings, filters, totals. Used by bots.tsx and
// its stream; it asks nobody.
import type { BotRowView, FlagView, PillTone } from "../../../views/components/bot-row.tsx";
import type {
  BotHead,
  BotsLiveProps,
  BotTotalsView,
} from "../../../views/components/bots-table.tsx";
import type { BarField, Chip } from "../../../views/components/grid-filters.tsx";
import {
  age,
  asset,
  clockTime,
  count,
  money,
  qty,
  signTone,
  timeframe,
} from "../../../views/format.ts";
import type { Decimal } from "../../model/decimal.ts";
import { settleAssetOf } from "../../model/instrument.ts";
import type { EpochMs } from "../../model/time.ts";
import type { Bot } from "../../ports/bot-store.ts";
import type { BotFlag, BotRow, BotsOverview, BotTotals } from "../../services/desk/bot-overview.ts";
import { wantsDriving } from "../../services/live/account-bots.ts";
import {
  BOT_STATUSES,
  type BotSort,
  type BotsQuery,
  select,
  writeBotsQuery,
} from "./bots-query.ts";

/** Rows of one page; whoever has more narrows the list. */
export const BOT_ROWS_MAX = 200;

const FLAGS: Readonly<Record<BotFlag, Pick<FlagView, "label" | "tone">>> = {
  stale: { label: "STALE", tone: "red" },
  unprotected: { label: "NO STOP", tone: "red" },
  kill: { label: "KILL", tone: "red" },
  blocked: { label: "BLOCKED", tone: "amber" },
  exchange: { label: "EXCHANGE", tone: "amber" },
  finding: { label: "FINDING", tone: "amber" },
};

const STATUS_TONES: Readonly<Record<string, PillTone>> = {
  created: "blue",
  running: "green",
  paused: "amber",
  stopped: "",
  error: "red",
  flatten: "amber",
};

/** `running → paused`, and the colour of what it becomes. */
export function statusOf(bot: Pick<Bot, "status" | "desiredStatus" | "desiredAction">) {
  const { status, desiredStatus, desiredAction } = bot;
  const wish = desiredAction === null ? desiredStatus : "flatten";
  // A bot that was just made wishes to be paused, and is so in effect.
  const isQuiet = status === "error" || (status === "created" && wish === "paused");
  const isSettled = wish === status || (isQuiet && desiredAction === null);
  const becomes = isSettled ? status : wish;
  return { text: isSettled ? status : `${status} → ${wish}`, tone: STATUS_TONES[becomes] ?? "" };
}

const numberOf = (value: Decimal | null | undefined) =>
  value === null || value === undefined ? null : Number(value);

function rowView(
  { bot, figures, flags, alerts, ...row }: BotRow,
  at: EpochMs,
  timeZone: string,
): BotRowView {
  const { id, name, symbol, timeframeMin, accountId, mode } = bot;
  const position = figures?.position ?? null;
  const status = statusOf(bot);
  const isStale = flags.some(({ flag }) => flag === "stale");
  return {
    ...{ id, name, symbol, timeframeMin, accountId, mode },
    health: row.health,
    status: status.text,
    statusTone: status.tone,
    quote: settleAssetOf(symbol),
    pnl: numberOf(figures?.pnl.net),
    openPnl: numberOf(position?.unrealised),
    pnlMissing: figures?.pnl.missing ?? 0,
    position: position && `${position.positionSide} ${qty(Number(position.qty))}`,
    nextAction: row.nextAction,
    account: bot.accountName,
    isAccountActive: row.account.status === "active",
    flags: flags.map(({ flag, sentence }) => ({ ...FLAGS[flag], about: sentence })),
    heartbeats: figures?.heartbeats ?? [],
    asOf: row.shownAt === null ? null : clockTime(row.shownAt, at, timeZone),
    silence: isStale && row.shownAt !== null ? `heard ${age(row.shownAt, at)}` : null,
    warnings: alerts.warnings,
    errors: alerts.errors,
    hasMoreAlerts: alerts.isMore,
  };
}

function totalsView(totals: BotTotals): BotTotalsView {
  const { mode, asset: name, running, paused, error, stale, bots } = totals;
  const figure = (value: Decimal | null, isSigned = false) =>
    money(numberOf(value), name, { signed: isSigned });
  const doubt = (value: Decimal | null) => {
    if (value === null) return "not known yet";
    return stale > 0 ? `old: ${count(stale)} not heard of` : undefined;
  };
  return {
    mode,
    asset: name,
    tiles: [
      {
        label: "Equity of the bots",
        value: figure(totals.equity),
        note: doubt(totals.equity),
        about: "Allocations and what was earned on them, open positions included",
      },
      {
        label: "Realised today",
        value: figure(totals.today, true),
        tone: signTone(numberOf(totals.today)),
        note: totals.today === null ? "not known yet" : undefined,
        about: "Of their accounts since 00:00 UTC: closed profit, fees and funding",
      },
      {
        label: "Exposure",
        value: figure(totals.exposure),
        note: doubt(totals.exposure),
        about: "Worth of all positions, long and short added up",
      },
      {
        label: "Running",
        value: `${count(running)} of ${count(bots)}`,
        note: `${count(paused)} paused`,
      },
      { label: "In error", value: count(error), tone: error > 0 ? "down" : undefined },
    ],
  };
}

const HEADS: readonly (readonly [
  key: string,
  label: string,
  sort: BotSort | null,
  isNumber?: true,
])[] = [
  ["health", "", "health"],
  ["name", "Name", "name"],
  ["asset", "Asset", "symbol"],
  ["tf", "TF", "timeframe"],
  ["status", "Status", "status"],
  ["pnl", "PnL", "pnl", true],
  ["next", "Next action", null],
  ["account", "Account", "account"],
  ["flags", "Flags", null],
  ["beat", "Heartbeat", null],
  ["alerts", "24 h", "alerts", true],
];

/** Columns whose largest figures come first at the first click. */
const DOWN_FIRST: ReadonlySet<BotSort> = new Set<BotSort>(["pnl", "alerts"]);

function addressOf(query: BotsQuery): string {
  const text = writeBotsQuery(query);
  return text === "" ? "/bots" : `/bots?${text}`;
}

function headsOf(query: BotsQuery): BotHead[] {
  return HEADS.map(([key, label, sort, isNumber = false]) => {
    const isSorted = sort === query.sort;
    const isDown = isSorted ? !query.isDown : sort !== null && DOWN_FIRST.has(sort);
    return {
      key,
      label: label === "" ? "✓" : label,
      about: label === "" ? "Health" : key === "tf" ? "Timeframe" : label,
      isNumber,
      href: sort === null ? null : addressOf({ ...query, sort, isDown }),
      sorted: isSorted ? (query.isDown ? "descending" : "ascending") : null,
    };
  });
}

/** Who looks. */
export type Looker = {
  readonly csrf: string;
  readonly mayTrade: boolean;
  readonly timeZone: string;
};

/** When the oldest figures were taken that a worker keeps fresh; null while there are none. */
function oldestOf(rows: readonly BotRow[]): EpochMs | null {
  const driven = rows.filter(({ bot }) => wantsDriving(bot));
  const times = driven.flatMap(({ shownAt }) => shownAt ?? []);
  return times.length === 0 ? null : Math.min(...times);
}

/** What the stream sends and the page begins with. */
export function liveProps(
  { rows, totals, at }: BotsOverview,
  query: BotsQuery,
  { csrf, mayTrade, timeZone }: Looker,
): BotsLiveProps {
  const matching = select(rows, query);
  const oldestAt = oldestOf(rows);
  return {
    csrf,
    totals: totals.map(totalsView),
    heads: headsOf(query),
    asOf: oldestAt === null ? null : clockTime(oldestAt, at, timeZone),
    rows: matching.slice(0, BOT_ROWS_MAX).map((row) => rowView(row, at, timeZone)),
    matching: matching.length,
    hasOthers: rows.length > 0,
    isSelectable: mayTrade,
    query: writeBotsQuery(query),
  };
}

type Option = { readonly value: string; readonly label: string };

function different(options: readonly Option[]): Option[] {
  return [...new Map(options.map((option) => [option.value, option])).values()];
}

/** The fields of the bar, each with what the bots have. */
export function fieldsOf({ rows }: BotsOverview, query: BotsQuery): BarField[] {
  const bots = rows.map(({ bot }) => bot);
  const symbols = bots.map(({ symbol }) => ({ value: symbol, label: asset(symbol) }));
  const frames = bots
    .map(({ timeframeMin }) => timeframeMin)
    .toSorted((a, b) => a - b)
    .map((minutes) => ({ value: `${minutes}m`, label: timeframe(minutes) }));
  const accounts = bots.map(({ accountId, accountName, mode }) => ({
    value: String(accountId),
    label: `${accountName} (${mode})`,
  }));
  const field = (name: string, label: string, value: string, options: readonly Option[]) => ({
    id: `filter-${name}`,
    ...{ name, label, value, options: different(options) },
  });
  const { timeframeMin, account, pnlFrom, pnlTo } = query;
  const bound = (name: string, label: string, value: number | null) => ({
    ...({ id: `filter-${name}`, name, label, type: "number" } as const),
    value: value === null ? "" : String(value),
  });
  return [
    { id: "filter-q", name: "q", label: "Search", value: query.q, placeholder: "name, symbol" },
    field("symbol", "Asset", query.symbol, symbols),
    field("timeframe", "Timeframe", timeframeMin === null ? "" : `${timeframeMin}m`, frames),
    field(
      "status",
      "Status",
      query.status ?? "",
      BOT_STATUSES.map((value) => ({ value, label: value })),
    ),
    field("account", "Account", account === null ? "" : String(account), accounts),
    field("flag", "Flags", query.flag ?? "", [
      { value: "any", label: "any flag" },
      ...Object.entries(FLAGS).map(([value, { label }]) => ({ value, label })),
    ]),
    bound("pnl-from", "PnL from", pnlFrom),
    bound("pnl-to", "PnL to", pnlTo),
  ];
}

/** The active filters, each with the address without it. */
export function chipsOf(fields: readonly BarField[], query: BotsQuery): Chip[] {
  const without: Readonly<Record<string, Partial<BotsQuery>>> = {
    q: { q: "" },
    symbol: { symbol: "" },
    timeframe: { timeframeMin: null },
    status: { status: null },
    account: { account: null },
    flag: { flag: null },
    "pnl-from": { pnlFrom: null },
    "pnl-to": { pnlTo: null },
  };
  return fields
    .filter(({ value }) => value !== "")
    .map(({ name, label, value, options }) => {
      const chosen = options?.find((option) => option.value === value)?.label ?? `“${value}”`;
      return { text: `${label}: ${chosen}`, href: addressOf({ ...query, ...without[name] }) };
    });
}

/** What a bot holds, as the question before something drastic says it. */
export function holdingOf({ bot, figures, shownAt }: BotRow, at: number): string {
  if (figures === null) return "No worker has told what it holds.";
  const { position, orders } = figures;
  const told = `${orders.length === 1 ? "1 order" : `${orders.length} orders`} in the market (${age(shownAt, at)}).`;
  if (position === null) return `Holds nothing; ${told}`;
  const stop = position.stopPrice === null ? "without a protective stop" : "with a protective stop";
  const worth = money(numberOf(position.notional), settleAssetOf(bot.symbol));
  const held = `${position.positionSide} ${qty(Number(position.qty))}, worth ${worth}`;
  return `Holds ${held}, ${stop}; ${told}`;
}
