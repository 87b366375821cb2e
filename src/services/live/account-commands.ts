// Carries out what people ask of running bots: each command once, by whoever holds the account's lease, and each
// with an outcome in one sentence. Called by the account loop after the bots were driven.
import { compare, type Decimal, decimal, multiply } from "../../model/decimal.ts";
import { roundQty } from "../../model/order-rules.ts";
import type { ApprovedIntent, OrderIntent } from "../../model/order.ts";
import { gridOf, stepsDown } from "../../model/instrument.ts";
import type { Command, CommandStore, StoredCommand } from "../../ports/command-store.ts";
import { approve } from "../../risk/pre-trade.ts";
import type { RunningBot } from "./account-bots.ts";
import type { LoopContext } from "./account-loop.ts";
import { type BotRunner, ownerOf } from "./bot-runner.ts";
import type { PlaceOrder } from "./live-types.ts";

/** What came of a command. */
type Outcome = { readonly outcome: string; readonly isRefused: boolean };

const done = (outcome: string): Outcome => ({ outcome, isRefused: false });
const refused = (outcome: string): Outcome => ({ outcome, isRefused: true });

/** Carries out everything that waits. */
export async function carryOutCommands(
  loop: LoopContext,
  commands: CommandStore,
  bots: readonly RunningBot[],
): Promise<void> {
  const { scope, live } = loop;
  const { guard } = live.lease;
  for (const stored of await commands.waiting(scope, guard, live.clock.now())) {
    const end = await carryOut(loop, bots, stored).catch((error: unknown) => {
      live.log.error("a command did not end as it should", { error, command: stored.id });
      return refused("It is not known how far it came: look at the orders.");
    });
    await commands.finish(scope, guard, stored.id, end, live.clock.now());
    live.note({
      kind: end.isRefused ? "command_refused" : "command_done",
      botId: stored.botId,
      at: live.clock.now(),
      sentence: `${stored.actor}: ${end.outcome}`,
      fields: { command: stored.command.kind },
    });
  }
}

async function carryOut(
  loop: LoopContext,
  bots: readonly RunningBot[],
  { id, botId, command, actor }: StoredCommand,
): Promise<Outcome> {
  if (command.kind === "settle_finding") {
    const { findingKey: key, choice, heir } = command;
    return loop.settleFinding({ id, key, choice, actor, ...(heir === undefined ? {} : { heir }) });
  }
  const one = bots.find(({ bot }) => bot.id === botId);
  if (!one) return refused("The bot is not running.");
  if (command.kind === "clear_error") return clearError(loop, one);
  const { runner } = one;
  if (runner === null || !runner.isRestored()) return refused("The bot is not ready yet.");
  switch (command.kind) {
    case "cancel_order":
      return cancelOrder(loop, runner, command.intentId);
    case "close_part":
      return closePart(loop, one, runner, command.pct);
    case "move_stop":
      return moveStop(loop, one, runner, command);
    case "skip_rung": {
      const isSkipped = await runner.onOperator({ what: "skip_rung" });
      return isSkipped ? done("The next rung is left out.") : refused("No rung is wanted now.");
    }
  }
}

async function clearError({ bots, scope, live }: LoopContext, one: RunningBot): Promise<Outcome> {
  if (one.bot.status !== "error") return refused("The bot has no error.");
  const change = { status: "paused", lastError: null, clearsAction: false } as const;
  const at = live.clock.now();
  const wish = { ...change, desiredStatus: "paused" } as const;
  await bots.setStatus(scope, live.lease.guard, one.bot.id, wish, at);
  return done("The error is cleared; the bot is paused.");
}

async function cancelOrder(
  loop: LoopContext,
  runner: BotRunner,
  intentId: number,
): Promise<Outcome> {
  const intent = runner.orders().find(({ id }) => id === intentId);
  if (!intent) return refused("The order does not work any more.");
  if (intent.purpose === "protective_stop") {
    return refused("A protective stop is moved, not cancelled.");
  }
  const batch = { place: [], park: [], send: [], step: null, isFlatten: false };
  const report = await loop.parts.dispatcher.dispatch({ ...batch, cancel: [intent] });
  await runner.onRows();
  if (!report.ok) return refused(`The order was not cancelled: ${report.detail}`);
  const isGone = report.cancelled.every(({ outcome }) => outcome === "gone");
  return done(isGone ? "The order is gone." : "The exchange was asked to cancel the order.");
}

async function closePart(
  loop: LoopContext,
  { bot }: RunningBot,
  runner: BotRunner,
  pct: number,
): Promise<Outcome> {
  const held = runner.holding();
  if (held === null || held.positionSide === null) return refused("Nothing is held.");
  const market = loop.parts.markets.get(bot.symbol);
  if (!market) return refused("The market is not known yet.");
  const wished = multiply(held.qty, decimal(pct / 100));
  const qty = roundQty(market.rules, wished, held.qty);
  if (qty === null)
    return refused(`${wished} is below the smallest order, ${market.rules.qtyMin}.`);
  const approved = approvedClose(
    loop,
    bot.id,
    held.positionSide,
    lotsOf(qty, market.rules.qtyStep),
  );
  if (approved === null) return refused("The trading state does not allow it.");
  const order: PlaceOrder = {
    ...{ approved, owner: ownerOf(bot), botId: bot.id, heldQty: held.qty },
    market: { rules: market.rules, leverage: null, maker: { queueLevel: null, mayTake: true } },
    referencePrice: loop.freshPrice(bot.symbol),
  };
  const batch = { cancel: [], park: [], send: [], step: null, isFlatten: true };
  const report = await loop.parts.dispatcher.dispatch({ ...batch, place: [order] });
  await runner.onRows();
  if (!report.ok) return refused(`Nothing was sent: ${report.detail}`);
  const [sent] = report.dispatched;
  if (sent?.outcome === "open" || sent?.outcome === "unverified") {
    return done(`${qty} were ordered to be closed at the market.`);
  }
  return refused(`Nothing was closed: ${sent && "sentence" in sent ? sent.sentence : "no answer"}`);
}

function lotsOf(qty: Decimal, qtyStep: Decimal): number {
  return stepsDown(gridOf(Number(qtyStep), "qtyStep"), Number(qty));
}

/** A market order that closes a part of a position; null when the trading state forbids it. */
export function approvedClose(
  { live }: Pick<LoopContext, "live">,
  botId: PlaceOrder["botId"],
  positionSide: "long" | "short",
  qtyLots: number,
): ApprovedIntent | null {
  const side = positionSide === "long" ? "sell" : "buy";
  const intent: OrderIntent = {
    op: "place",
    slot: -1,
    target: {
      ...{ key: "close_part", purpose: "flatten", kind: "market", side, positionSide, qtyLots },
      ...{ isReduceOnly: true, priceTicks: 0, bandPct: 0, liveFrom: 0, replacePct: 0 },
      decidedAt: live.clock.now(),
      reason: "MANUAL",
    },
  };
  const approved: ApprovedIntent[] = [];
  approve([intent], live.cells.cell(live.account, botId).state, approved, []);
  return approved[0] ?? null;
}

async function moveStop(
  loop: LoopContext,
  { bot }: RunningBot,
  runner: BotRunner,
  { price, mayLoosen }: Extract<Command, { kind: "move_stop" }>,
): Promise<Outcome> {
  const side = runner.holding()?.positionSide ?? null;
  if (side === null) return refused("Nothing is held.");
  const mark = loop.freshPrice(bot.symbol);
  if (mark === null) return refused("No price is fresh enough to judge the stop by.");
  const isBeyond = compare(price, mark) !== (side === "long" ? -1 : 1);
  if (isBeyond) return refused(`${price} would close at once: the price is ${mark}.`);
  const ask = { what: "move_stop", price: Number(price), mayLoosen } as const;
  const isMoved = await runner.onOperator(ask);
  return isMoved
    ? done(`The protective stop goes to ${price}.`)
    : refused(`${price} is not safer than the stop there is.`);
}
