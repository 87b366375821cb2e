// What the page of a bot shows, from what its service knows: plain props for the views. Used by bot.tsx,
// bot-tabs.ts and bot-data.tsx; nothing here asks anybody or decides anything.
import { clockTime } from "../../../views/format.ts";
import type { DerivationProps } from "../../../views/components/bot-derivation.tsx";
import type { BotHeadProps } from "../../../views/components/bot-head.tsx";
import type { ShownEntry } from "../../../views/components/bot-ledger.tsx";
import type { ShownCommand, StandingProps } from "../../../views/components/bot-standing.tsx";
import type { BotTile, BotTilesProps } from "../../../views/components/bot-tiles.tsx";
import type { BotOrigin } from "../../../views/pages/bot.tsx";
import type { Decimal } from "../../model/decimal.ts";
import type { EpochMs } from "../../model/time.ts";
import type { LedgerRow } from "../../ports/bot-ledger-store.ts";
import type { Bot } from "../../ports/bot-store.ts";
import type { Command, StoredCommand } from "../../ports/command-store.ts";
import type { BotStanding } from "../../services/desk/bot-detail.ts";
import type { BotPnl, PnlPart } from "../../services/desk/bot-pnl.ts";
import { ROWS_SHOWN } from "../../services/desk/bot-detail.ts";
import { statusOf } from "./bots-view.ts";

/** A command without an end for longer is over: its worker closes it when it looks the next time. */
const COMMAND_OVER_MS = 60_000;

const figure = (value: Decimal | null) => (value === null ? null : Number(value));

/** The head of the page. */
export function headOf(standing: BotStanding, timeZone: string): BotHeadProps {
  const { row, at, account, state, worker } = standing;
  const { bot, health, nextAction, flags, shownAt } = row;
  const { id, name, symbol, timeframeMin, mode, accountId, accountName } = bot;
  const { desiredAction, lastError } = bot;
  // That everything is being closed has a sign of its own.
  const { text: statusText, tone: statusTone } = statusOf({ ...bot, desiredAction: null });
  return {
    ...{ id, name, symbol, timeframeMin, mode, accountId, accountName },
    ...{ statusText, statusTone, desiredAction, lastError, health, nextAction, flags },
    ...{ shownAt, at, timeZone, worker, leaseUntil: account?.leaseUntil ?? null },
    ...row.alerts,
    heartbeats: row.figures?.heartbeats ?? [],
    halt: state === null || state.state === "active" ? null : state,
  };
}

/** Where the bot came from. */
export function originOf(bot: Bot): BotOrigin {
  const { id, runId, strategyName, strategyVersion, configVersion, createdAt } = bot;
  const strategy = `${strategyName} ${strategyVersion}`;
  return { id, runId, strategy, configVersion, createdAt };
}

/** The figures. */
export function tilesOf({ row, pnl, asset, at }: BotStanding, timeZone: string): BotTilesProps {
  const { totals } = pnl;
  const { config } = row.bot;
  const priceAt = pnl.open[0]?.priceAt ?? null;
  const priced = priceAt === null ? undefined : `price of ${clockTime(priceAt, at, timeZone)}`;
  const tile = (label: string, value: Decimal | null, part: PnlPart, note?: string): BotTile => ({
    ...{ label, value: figure(value), part, isSigned: true },
    ...(note === undefined ? {} : { note }),
  });
  const tiles: BotTile[] = [
    tile("Profit and loss", pnl.net, "net", "everything together"),
    tile("Realised", totals.realised, "realised"),
    tile("Unrealised", pnl.unrealised, "unrealised", priced),
    tile("Fees", totals.fees, "fees"),
    tile("Funding", totals.funding, "funding"),
    {
      ...{ label: "Equity", value: figure(pnl.equity), part: null, isSigned: false },
      note: `of ${config.allocation} at ${config.leverage}×`,
    },
  ];
  if (Number(totals.adjustments) !== 0) {
    tiles.splice(5, 0, tile("Adjustments", totals.adjustments, "adjustments"));
  }
  return { botId: row.bot.id, asset, tiles, lack: lackOf(totals) };
}

function lackOf({ missing, estimated }: BotPnl["totals"]): string | null {
  const lacks = [
    missing === 0 ? "" : `${missing} fills or entries of unknown worth are not in the sums`,
    estimated === 0 ? "" : `${estimated} fees are estimated until the exchange tells them`,
  ].filter((text) => text !== "");
  return lacks.length === 0 ? null : `${lacks.join("; ")}.`;
}

/** What changes by itself below the figures. */
export function standingOf(
  standing: BotStanding,
  timeZone: string,
  mayTrade: boolean,
): StandingProps {
  const { row, at, asset, commands } = standing;
  const { figures, bot } = row;
  return {
    ...{ botId: bot.id, asset, timeZone, at, mayTrade, isRunning: bot.status === "running" },
    gates: figures?.gates ?? null,
    price: figures?.price ?? null,
    position: figures?.position ?? null,
    orders: figures?.orders ?? [],
    lastDecision: figures?.lastDecision ?? null,
    lastCandleAt: figures?.lastCandleAt ?? null,
    nextCandleAt: figures?.nextCandleAt ?? null,
    commands: commands.map((command) => commandOf(command, at)),
  };
}

function commandOf(
  { command, actor, at, doneAt, outcome, isRefused }: StoredCommand,
  now: EpochMs,
): ShownCommand {
  const isOver = doneAt === null && now - at > COMMAND_OVER_MS;
  const state = isOver || isRefused ? "refused" : doneAt === null ? "waiting" : "done";
  const over = "Nobody told what came of it within a minute: look at the orders.";
  const waits = isOver ? over : "Waits for its worker.";
  return { what: commandSentence(command), actor, at, state, outcome: outcome ?? waits };
}

function commandSentence(command: Command): string {
  switch (command.kind) {
    case "close_part":
      return `Close ${command.pct} % of the position`;
    case "move_stop":
      return `Move the stop to ${command.price}${command.mayLoosen ? ", looser allowed" : ""}`;
    case "skip_rung":
      return "Skip the next rung";
    case "cancel_order":
      return `Cancel order ${command.intentId}`;
    case "settle_finding":
      return `Settle ${command.findingKey}: ${command.choice}`;
    case "clear_error":
      return "Clear the error";
  }
}

/** Ledger rows as tables show them. */
export function entriesOf({ id }: Pick<Bot, "id">, rows: readonly LedgerRow[]): ShownEntry[] {
  return rows.map(({ at, kind, ref, amount, asset, settleAmount, running, isEstimated }) => ({
    ...{ at, kind, ref, amount, asset, worth: settleAmount, running, isEstimated },
    href: kind === "realised" || kind === "fee" ? executionHref(id, ref) : null,
  }));
}

/** Where an execution stands; null for a reference that is not one. */
function executionHref(id: number, ref: string): string | null {
  const [, tradeId, side] = /#([^#]+)#(buy|sell)$/.exec(ref) ?? [];
  if (tradeId === undefined || side === undefined) return null;
  return `/bots/${id}?tab=orders#${encodeURIComponent(`fill-${tradeId}-${side}`)}`;
}

const TITLES: Readonly<Record<PnlPart, string>> = {
  net: "Profit and loss",
  realised: "Realised",
  fees: "Fees",
  funding: "Funding",
  adjustments: "Adjustments",
  unrealised: "Unrealised",
};

/** A number and where it comes from. @param rows one more than shown when there are more; null for none */
export function derivationOf(
  { row, pnl, asset }: BotStanding,
  part: PnlPart,
  rows: readonly LedgerRow[] | null,
  timeZone: string,
): DerivationProps {
  const { totals } = pnl;
  const { realised, fees, funding, adjustments } = totals;
  const values = { net: pnl.net, realised, fees, funding, adjustments, unrealised: pnl.unrealised };
  const parts = (["realised", "fees", "funding", "adjustments", "unrealised"] as const).map(
    (each) => ({ label: TITLES[each], value: values[each] }),
  );
  const kind = part === "net" ? "" : `&kind=${part}`;
  return {
    ...{ botId: row.bot.id, part, timeZone, asset, title: TITLES[part], value: values[part] },
    parts: part === "net" ? parts : [],
    rows: rows && entriesOf(row.bot, rows.slice(0, ROWS_SHOWN)),
    hasMore: rows !== null && rows.length > ROWS_SHOWN,
    ledgerHref: `/bots/${row.bot.id}?tab=ledger${kind}`,
    open: part === "net" || part === "unrealised" ? pnl.open : [],
    isOpenPart: part === "unrealised",
  };
}
