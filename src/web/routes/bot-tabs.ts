// The tabs of a bot's page: reads what the chosen one shows and turns it into props. Used by bot.tsx; an address
// that cannot be read shows the beginning of its tab.
import type { ActionsProps } from "../../../views/components/bot-actions.tsx";
import type { BotConfigProps, ShownVersion } from "../../../views/components/bot-config.tsx";
import type { DangerProps } from "../../../views/components/bot-danger.tsx";
import type { BotOrdersProps, ShownOrder } from "../../../views/components/bot-orders.tsx";
import type {
  EventField,
  EventsTabProps,
  LedgerTabProps,
} from "../../../views/components/bot-records.tsx";
import type { BotTab } from "../../../views/pages/bot.tsx";
import type { Severity } from "../../model/bot.ts";
import { add } from "../../model/decimal.ts";
import type { LedgerPlace } from "../../ports/bot-ledger-store.ts";
import type { ConfigVersion } from "../../ports/bot-store.ts";
import type { OrderFills, StoredCycle } from "../../ports/trading-store.ts";
import { actorOf } from "../../services/desk/account.ts";
import { KILL_WORD } from "../../services/desk/bot-changes.ts";
import { type BotDetail, type BotStanding, ROWS_SHOWN } from "../../services/desk/bot-detail.ts";
import { GROUP_HINTS, isSafeWhileOpen, WAITS } from "../../services/desk/bot-edit-fields.ts";
import { configDiff, fieldsInUse, fieldValues } from "../../services/desk/bot-edits.ts";
import { PART_KINDS, PNL_PARTS, type PnlPart } from "../../services/desk/bot-pnl.ts";
import { REMOVE_WORD, WISH_WORDS } from "../../services/desk/bots.ts";
import { includesRole } from "../../services/desk/tokens.ts";
import type { Visitor } from "../route.ts";
import { entriesOf, standingOf } from "./bot-view.ts";

/** What went wrong with a change, and what was typed. */
export type BotTrouble = {
  /** Sentences by field or action. */
  readonly problems?: Readonly<Record<string, string | undefined>>;
  readonly typed?: Readonly<Record<string, string | undefined>>;
};

/** Everything a tab is read with. */
export type TabSource = {
  readonly botDetail: BotDetail;
  readonly visitor: Visitor;
  readonly standing: BotStanding;
  readonly query: Readonly<Record<string, string>>;
  readonly trouble: BotTrouble;
  readonly preview: ActionsProps["preview"];
};

/** A name of a tab; the overview for anything else. */
export function tabOf(text: string | undefined): BotTab["tab"] {
  const tabs = ["overview", "orders", "ledger", "events", "config"] as const;
  return tabs.find((tab) => tab === text) ?? "overview";
}

/** A number that can be opened; null for anything else. */
export function partOf(text: string | undefined): PnlPart | null {
  return PNL_PARTS.find((part) => part === text) ?? null;
}

/** Reads the chosen tab. */
export async function readTab(source: TabSource, tab: BotTab["tab"]): Promise<BotTab> {
  switch (tab) {
    case "overview":
      return overviewTab(source);
    case "orders":
      return { tab, props: await ordersTab(source) };
    case "ledger":
      return { tab, props: await ledgerTab(source) };
    case "events":
      return { tab, props: await eventsTab(source) };
    case "config":
      return { tab, props: await configTab(source) };
  }
}

function overviewTab({ visitor, standing, trouble, preview }: TabSource): BotTab {
  const { session, csrf } = visitor;
  const { timeZone } = session.user;
  const mayTrade = includesRole(session.role, "trader");
  const isOwner = includesRole(session.role, "owner");
  const { row, pnl, asset } = standing;
  const { bot, figures } = row;
  const position = figures?.position ?? null;
  const actions: ActionsProps = {
    ...{ botId: bot.id, csrf, preview, status: bot.status, desiredStatus: bot.desiredStatus },
    isClosing: bot.desiredAction !== null,
    hasPosition: position !== null,
    stopPrice: position?.stopPrice ?? null,
    nextRung: position?.nextRungPrice ?? null,
  };
  const { problems = {} } = trouble;
  return {
    tab: "overview",
    standing: standingOf(standing, timeZone, mayTrade),
    charts: {
      ...{ botId: bot.id, timeZone, asset },
      equity: pnl.equity === null ? null : Number(pnl.equity),
    },
    actions: mayTrade ? actions : null,
    danger: mayTrade ? dangerOf(standing, { csrf, isOwner, problems }) : null,
  };
}

function dangerOf(
  { row, pnl, asset, state }: BotStanding,
  { csrf, isOwner, problems }: Pick<DangerProps, "csrf" | "problems"> & { isOwner: boolean },
): DangerProps {
  const { bot, figures } = row;
  const legs = pnl.open.map(({ positionSide, qty }) => `${qty} ${positionSide}`);
  const notional = figures?.position?.notional ?? null;
  const worth = notional === null ? "" : ` worth about ${notional} ${asset}`;
  const isHeldBack = state !== null && state.state !== "active";
  return {
    ...{ botId: bot.id, csrf, problems },
    mayRelease: isOwner && isHeldBack,
    mayKill: !isHeldBack || state.state === "reducing",
    isStopped: bot.status === "stopped" && bot.desiredStatus === "stopped",
    words: {
      ...{ stop: WISH_WORDS.stopped, flatten: WISH_WORDS.flatten },
      ...{ kill: KILL_WORD, remove: REMOVE_WORD },
    },
    held: legs.length === 0 ? null : `${legs.join(", ")} of ${bot.symbol}${worth}`,
    openOrders: figures?.orders.length ?? 0,
    mayRemove: bot.status === "stopped" || bot.status === "created",
  };
}

async function ordersTab({ botDetail, visitor, standing }: TabSource): Promise<BotOrdersProps> {
  const { scope } = actorOf(visitor.session);
  const { bot } = standing.row;
  const [orders, cycles] = await Promise.all([
    botDetail.orders(scope, bot),
    botDetail.cycles(scope, bot),
  ]);
  return {
    timeZone: visitor.session.user.timeZone,
    asset: standing.asset,
    orders: orders.map(orderOf),
    trips: cycles.map(tripOf),
  };
}

function orderOf({ intent, fills }: OrderFills): ShownOrder {
  const { id, decidedAt, side, positionSide, purpose, reason, qty, filledQty, status } = intent;
  const { detail, clientOrderId, exchangeOrderId, terms } = intent;
  const price = "price" in terms ? terms.price : null;
  const trigger = "triggerPrice" in terms ? terms.triggerPrice : null;
  const where = [trigger === null ? "" : `from ${trigger}`, price === null ? "" : `at ${price}`];
  return {
    ...{ id, decidedAt, side, positionSide, purpose, reason, qty, filledQty, status, detail },
    ...{ clientOrderId, exchangeOrderId },
    terms: [terms.kind.replaceAll("_", " "), ...where].filter((text) => text !== "").join(" "),
    fills: fills.map(({ at, price: paid, qty: part, fee, liquidity, tradeId }) => ({
      ...{ at, price: paid, qty: part, liquidity, tradeId },
      fee: fee && `${fee.amount} ${fee.asset}${fee.isEstimated ? " (estimated)" : ""}`,
    })),
  };
}

function tripOf(cycle: StoredCycle): BotOrdersProps["trips"][number] {
  const { openedAt, closedAt, positionSide, entryQty, realised, fees, funding } = cycle;
  return {
    ...{ openedAt, closedAt, positionSide, entryQty, realised, fees, funding },
    net: add(add(realised, fees), funding),
    exitReason: cycle.exitReason,
    rungs: cycle.rungs.length,
  };
}

const LEDGER_FILTERS = [
  ["net", "All"],
  ["realised", "Realised"],
  ["fees", "Fees"],
  ["funding", "Funding"],
  ["adjustments", "Adjustments"],
] as const;

/** `1764000000000.42` names the row that the page begins behind. */
function placeOf(text: string | undefined): LedgerPlace | null {
  const found = /^(\d{1,15})\.(\d{1,15})$/.exec(text ?? "");
  return found ? { at: Number(found[1]), id: Number(found[2]) } : null;
}

async function ledgerTab(source: TabSource): Promise<LedgerTabProps> {
  const { botDetail, visitor, standing, query } = source;
  const { scope } = actorOf(visitor.session);
  const { row, pnl, asset } = standing;
  const { id } = row.bot;
  const part = LEDGER_FILTERS.map(([key]) => key).find((key) => key === query.kind) ?? "net";
  const before = placeOf(query.before);
  const kinds = part === "net" ? null : PART_KINDS[part];
  const rows = await botDetail.ledger(scope, row.bot, kinds, before);
  const shown = rows.slice(0, ROWS_SHOWN);
  const last = shown.at(-1);
  const href = `/bots/${id}?tab=ledger${part === "net" ? "" : `&kind=${part}`}`;
  const { realised, fees, funding, adjustments, net } = pnl.totals;
  return {
    ...{ timeZone: visitor.session.user.timeZone, asset, rows: entriesOf(row.bot, shown) },
    filters: LEDGER_FILTERS.map(([key, label]) => ({
      ...{ label, isCurrent: key === part },
      href: `/bots/${id}?tab=ledger${key === "net" ? "" : `&kind=${key}`}`,
    })),
    total: { net, realised, fees, funding, adjustments }[part],
    newestHref: before === null ? null : href,
    olderHref: rows.length > ROWS_SHOWN && last ? `${href}&before=${last.at}.${last.id}` : null,
  };
}

type SeverityFilter = {
  readonly name: string;
  readonly label: string;
  readonly severities: readonly Severity[] | null;
};

const ALL: SeverityFilter = { name: "all", label: "All", severities: null };
const SEVERITIES: readonly SeverityFilter[] = [
  ALL,
  { name: "warnings", label: "Warnings and errors", severities: ["warning", "error"] },
  { name: "errors", label: "Errors", severities: ["error"] },
];

async function eventsTab(source: TabSource): Promise<EventsTabProps> {
  const { botDetail, visitor, standing, query } = source;
  const { scope } = actorOf(visitor.session);
  const { bot } = standing.row;
  const filter = SEVERITIES.find(({ name }) => name === query.severity) ?? ALL;
  const asked = query.before ?? "";
  const beforeId = /^[1-9]\d{0,14}$/.test(asked) ? Number(asked) : null;
  const { severities } = filter;
  const events = await botDetail.events(scope, bot, { severities, beforeId });
  const shown = events.slice(0, ROWS_SHOWN);
  const hrefOf = (name: string) => `/bots/${bot.id}?tab=events&severity=${name}`;
  return {
    timeZone: visitor.session.user.timeZone,
    events: shown.map(({ id, at, kind, severity, sentence, fields }) => ({
      ...{ id, at, kind, severity, sentence },
      fields: Object.entries(fields)
        .filter(([, value]) => value !== null)
        .map(([name, value]) => eventField(bot.id, name, String(value))),
    })),
    filters: SEVERITIES.map(({ name, label }) => ({
      ...{ label, href: hrefOf(name), isCurrent: name === filter.name },
    })),
    newestHref: beforeId === null ? null : hrefOf(filter.name),
    olderHref:
      events.length > ROWS_SHOWN ? `${hrefOf(filter.name)}&before=${shown.at(-1)?.id}` : null,
  };
}

function eventField(botId: number, name: string, value: string): EventField {
  const isOrder = name === "clientOrderId";
  return { name, value, href: isOrder ? `/bots/${botId}?tab=orders#client-${value}` : null };
}

async function configTab(source: TabSource): Promise<BotConfigProps> {
  const { botDetail, visitor, standing, trouble } = source;
  const { session, csrf } = visitor;
  const { scope } = actorOf(session);
  const { bot } = standing.row;
  const [isIdle, versions] = await Promise.all([
    botDetail.isIdle(scope, bot),
    botDetail.versions(scope, bot),
  ]);
  const { problems = {}, typed = {} } = trouble;
  const values = fieldValues(bot.config);
  const fields = fieldsInUse(bot.config);
  const known = new Set(fields.map(({ path }) => path));
  const closed = fields.filter(({ path }) => !isIdle && !isSafeWhileOpen(path));
  const waiting = new Set(closed.map(({ group }) => group));
  // A sentence about a setting the form does not have belongs above it.
  const other = Object.entries(problems).find(([path]) => path !== "form" && !known.has(path));
  return {
    ...{ botId: bot.id, csrf, version: bot.configVersion },
    timeZone: session.user.timeZone,
    mayTrade: includesRole(session.role, "trader"),
    fields: fields.map(({ path, label, group, unit, options, hint }) => {
      const isOpen = isIdle || isSafeWhileOpen(path);
      return {
        ...{ path, label, group, groupHint: GROUP_HINTS[group], isOpen, problem: problems[path] },
        ...{ unit: unitOf(unit, standing.asset), options: options ?? null },
        groupWaits: waiting.has(group) ? WAITS : null,
        hint: isOpen ? hint : undefined,
        value: typed[path] ?? values[path] ?? "",
      };
    }),
    versions: versions.map((version, index) => versionOf(version, versions[index + 1])),
    json: JSON.stringify(bot.config, null, 2),
    problem: problems.form ?? other?.[1],
  };
}

/** The unit of a setting; amounts of money are in the settle asset. */
function unitOf(unit: string | undefined, asset: string): string | null {
  return unit === undefined ? null : unit.replace("quote", asset);
}

function versionOf(
  { version, at, actor, note, config }: ConfigVersion,
  before: ConfigVersion | undefined,
): ShownVersion {
  const changes = before ? configDiff(before.config, config) : [];
  return { version, at, actor, note, changes };
}
