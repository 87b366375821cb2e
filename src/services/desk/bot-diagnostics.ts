// What somebody needs who is to help with a bot, as one text to copy: ids, versions, gates, orders, the last events.
// Used by bot-detail.ts; pure. It holds no keys, no addresses and nothing of other bots.
import { isoUtc } from "../../model/time.ts";
import type { StoredEvent } from "../../ports/bot-store.ts";
import { orderSentence } from "./bot-actions.ts";
import type { BotStanding } from "./bot-detail.ts";

/** Writes the text; instants in UTC. @param events newest first */
export function diagnosticsOf(standing: BotStanding, events: readonly StoredEvent[]): string {
  const { at, pnl, state, asset, commands } = standing;
  const { totals } = pnl;
  return [
    `Dragon bot diagnostics, ${isoUtc(at)}`,
    ...factsOf(standing),
    `own trading state: ${state === null ? "never set" : `${state.state}: ${state.reason}`}`,
    `realised ${totals.realised} fees ${totals.fees} funding ${totals.funding} ` +
      `adjustments ${totals.adjustments} unrealised ${pnl.unrealised ?? "unknown"} ${asset}; ` +
      `${totals.missing} entries of unknown worth, ${totals.estimated} estimated`,
    ...section("Gates", gatesOf(standing)),
    ...section("Open orders", ordersOf(standing)),
    ...section(
      "Commands",
      commands.map(({ id, at: askedAt, command, doneAt, outcome }) => {
        const end = doneAt === null ? "waits" : `${isoUtc(doneAt)} ${outcome ?? ""}`;
        return `${id} ${isoUtc(askedAt)} ${JSON.stringify(command)}: ${end}`;
      }),
    ),
    ...section(
      "Events, newest first",
      events.map(
        (event) => `${isoUtc(event.at)} ${event.severity} ${event.kind}: ${event.sentence}`,
      ),
    ),
    ...section("Configuration", JSON.stringify(standing.row.bot.config, null, 2).split("\n")),
    "",
  ].join("\n");
}

function section(title: string, lines: readonly string[]): string[] {
  return ["", `${title}:`, ...(lines.length === 0 ? ["  none"] : lines.map((line) => `  ${line}`))];
}

function factsOf({ row, worker }: BotStanding): string[] {
  const { bot, figures, shownAt } = row;
  return [
    `bot ${bot.id}, account ${bot.accountId} (${bot.mode}, ${bot.exchangeId}), run ${bot.runId ?? "none"}`,
    `${bot.symbol}, ${bot.timeframeMin} minutes, ${bot.strategyName} ${bot.strategyVersion}, ` +
      `configuration version ${bot.configVersion}`,
    `status ${bot.status}, wished ${bot.desiredStatus}, action ${bot.desiredAction ?? "none"}` +
      `${bot.lastError === null ? "" : `, error: ${bot.lastError}`}`,
    `worker ${worker ?? "unknown"}, figures of ${shownAt === null ? "never" : isoUtc(shownAt)}`,
    `next: ${row.nextAction}`,
    `last decision: ${figures?.lastDecision ?? "unknown"}`,
    `flags: ${row.flags.map(({ flag }) => flag).join(", ") || "none"}`,
  ];
}

function gatesOf({ row }: BotStanding): string[] {
  return (row.figures?.gates ?? []).map(
    ({ key, isOpen, sentence, since }) =>
      `${isOpen ? "open  " : "CLOSED"} ${key}: ${sentence} (since ${isoUtc(since)})`,
  );
}

function ordersOf({ row }: BotStanding): string[] {
  return (row.figures?.orders ?? []).map(
    (order) =>
      `${order.intentId} ${order.status} ${orderSentence(order)}, filled ${order.filledQty}, ` +
      `client ${order.clientOrderId ?? "none"}, exchange ${order.exchangeOrderId ?? "none"}`,
  );
}
