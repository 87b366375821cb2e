// What a person may ask of a running bot: what was typed becomes a command with a preview of its effect, or one
// sentence why not. Used by bot-detail.ts. The worker decides again when it carries a command out; what is
// shown here is how the bot stood a moment ago.
import { add, compare, decimal, type Decimal, multiply, subtract } from "../../model/decimal.ts";
import type { BotFigures, OrderView, PositionView } from "../../model/live-figures.ts";
import type { Command } from "../../ports/command-store.ts";
import type { IntentId } from "../../ports/trading-store.ts";
import type { Bot } from "../../ports/bot-store.ts";
import { type FieldRefusal, refuseField } from "./actor.ts";

/** Actions of the page. */
export const BOT_ACTIONS = [
  "close_part",
  "move_stop",
  "skip_rung",
  "cancel_order",
  "clear_error",
] as const;

/** The name of an action. */
export type BotAction = (typeof BOT_ACTIONS)[number];

/** What was typed; fields an action does not read are ignored. */
export type TypedAction = {
  readonly action: string;
  readonly pct: string;
  readonly price: string;
  readonly mayLoosen: string;
  readonly order: string;
};

/** A command that may be asked, and what it will do. */
export type ActionPreview = {
  readonly command: Command;
  /** Verb and noun, for the button. */
  readonly label: string;
  /** One sentence each. */
  readonly effects: readonly string[];
};

type Previewed = { readonly ok: true; readonly value: ActionPreview } | FieldRefusal;

const ZERO = "0" as Decimal;
const HUNDRED = decimal("100");
const PRICE = /^\d{1,15}(\.\d{1,12})?$/;

/** The command that was typed, with its effect. @param contractSize base currency per unit */
export function previewAction(
  bot: Pick<Bot, "status" | "lastError">,
  figures: BotFigures | null,
  contractSize: Decimal | null,
  typed: TypedAction,
): Previewed {
  const action = BOT_ACTIONS.find((each) => each === typed.action);
  if (!action) {
    const known = BOT_ACTIONS.join(", ");
    return refuseField("action", `"${typed.action.slice(0, 40)}" must be one of ${known}`);
  }
  if (action === "clear_error") return clearError(bot);
  if (figures === null) {
    return refuseField("form", "no worker has shown how the bot stands: nothing can be previewed");
  }
  if (action === "cancel_order") return cancelOrder(figures, typed.order);
  const { position } = figures;
  if (position === null) return refuseField("form", "the bot holds nothing");
  if (action === "skip_rung") return skipRung(position);
  if (action === "close_part") return closePart(figures, position, typed.pct);
  return moveStop(figures, position, contractSize, typed);
}

function ready(command: Command, label: string, effects: readonly string[]): Previewed {
  return { ok: true, value: { command, label, effects } };
}

function clearError({ status, lastError }: Pick<Bot, "status" | "lastError">): Previewed {
  if (status !== "error") return refuseField("form", "the bot has no error to clear");
  return ready({ kind: "clear_error" }, "Clear error", [
    `It stopped with: ${lastError ?? "an error"}`,
    "It is paused then. Run it once the cause is gone; if it is still there, the bot stops again.",
  ]);
}

function cancelOrder({ orders }: BotFigures, typed: string): Previewed {
  const order = orders.find(({ intentId }) => String(intentId) === typed.trim());
  if (!order) return refuseField("order", "the order is not open any more");
  if (order.purpose === "protective_stop") {
    return refuseField("order", "the protective stop is moved, not cancelled: use “Move stop”");
  }
  const command: Command = { kind: "cancel_order", intentId: order.intentId as IntentId };
  return ready(command, "Cancel order", [
    `${orderSentence(order)} is taken back.`,
    "The strategy may decide the same order again at its next look; pause the bot to keep it away.",
  ]);
}

/** `rung buy 0.5 at 99.5`. */
export function orderSentence({ purpose, side, qty, price, triggerPrice }: OrderView): string {
  const where = triggerPrice ?? price;
  return `${purpose.replaceAll("_", " ")} ${side} ${qty}${where === null ? "" : ` at ${where}`}`;
}

function skipRung({ nextRungPrice, rungsFilled, rungsMax }: PositionView): Previewed {
  if (nextRungPrice === null) return refuseField("form", "no rung is waiting");
  return ready({ kind: "skip_rung" }, "Skip rung", [
    `The rung at ${nextRungPrice} is left out (${rungsFilled} of ${rungsMax} are filled).`,
    "The rung after it stays where it is.",
  ]);
}

function closePart({ price }: BotFigures, position: PositionView, typed: string): Previewed {
  const text = typed.trim();
  const pct = /^\d{1,3}(\.\d{1,4})?$/.test(text) ? decimal(text) : null;
  if (pct === null || compare(pct, ZERO) <= 0 || compare(pct, HUNDRED) > 0) {
    const shown = text.slice(0, 40);
    return refuseField("pct", `"${shown}" must be a number above 0 and up to 100`);
  }
  const qty = multiply(multiply(position.qty, pct), decimal("0.01"));
  const verb = position.positionSide === "long" ? "sold" : "bought back";
  const near = price === null ? "" : `, now about ${price.price}`;
  return ready({ kind: "close_part", pct: Number(pct) }, `Close ${pct} %`, [
    `${qty} of ${position.qty} are ${verb} at the market${near}, rounded down to the step of the exchange.`,
    `${subtract(position.qty, qty)} stay, with stop and take-profit resized to them.`,
  ]);
}

function moveStop(
  { price }: BotFigures,
  position: PositionView,
  contractSize: Decimal | null,
  typed: TypedAction,
): Previewed {
  const text = typed.price.trim();
  if (!PRICE.test(text) || compare(decimal(text), ZERO) <= 0) {
    return refuseField("price", `"${text.slice(0, 40)}" must be a price above 0`);
  }
  const to = decimal(text);
  const isLong = position.positionSide === "long";
  const isBeyond = (a: Decimal, b: Decimal) => (isLong ? compare(a, b) >= 0 : compare(a, b) <= 0);
  if (price !== null && isBeyond(to, price.price)) {
    const side = isLong ? "below" : "above";
    return refuseField("price", `${to} must be ${side} the price, now ${price.price}`);
  }
  const mayLoosen = typed.mayLoosen === "yes";
  const { stopPrice } = position;
  const isLooser = stopPrice !== null && !isBeyond(to, stopPrice);
  if (isLooser && !mayLoosen) {
    const detail = `${to} protects less than the present stop at ${stopPrice}: allow it expressly`;
    return refuseField("price", detail);
  }
  return ready({ kind: "move_stop", price: to, mayLoosen }, "Move stop", [
    stopPrice === null
      ? `A protective stop is placed at ${to}.`
      : `The protective stop moves from ${stopPrice} to ${to}${isLooser ? ", which protects LESS" : ""}.`,
    "It holds until the next rung fills, which sets it anew, or a trailing stop is tighter.",
    ...resultSentence(position, to, contractSize),
  ]);
}

/** What the position comes to when it ends there, before fees. */
function resultSentence(
  { positionSide, averageEntry, qty }: PositionView,
  at: Decimal,
  contractSize: Decimal | null,
): string[] {
  if (contractSize === null) return [];
  const [from, to] = positionSide === "long" ? [averageEntry, at] : [at, averageEntry];
  const result = multiply(multiply(subtract(to, from), qty), contractSize);
  const sign = compare(result, ZERO) > 0 ? "+" : "";
  return [`Ending there the position comes to ${sign}${shorter(add(result, ZERO))} before fees.`];
}

/** At most eight decimals, cut. */
function shorter(value: Decimal): string {
  return /^-?\d+(\.\d{1,8})?/.exec(value)?.[0] ?? value;
}
