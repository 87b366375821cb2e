// What people type about a new bot: texts in, checked values or one sentence per field out. Pure; used by
// bot-draft.ts and, for names, by bots.ts. It never guesses a value that was not typed.
import type { PauseMode } from "../../model/bot.ts";
import { compare, type Decimal, decimal } from "../../model/decimal.ts";
import type { PositionSide } from "../../model/order.ts";
import type { BotLimits } from "../../ports/bot-store.ts";
import { type FieldRefusal, refuseField } from "./actor.ts";

export const BOT_NAME_CHARS_MAX = 60;
/** Of a name that two bots share: the side is written behind it. */
export const PAIR_NAME_CHARS_MAX = BOT_NAME_CHARS_MAX - " short".length;
/** Above this a small move ends the position; the exchange's own limit may be lower. */
export const BOT_LEVERAGE_MAX = 50;
const OPEN_ORDERS_MAX = 1000;
const AMOUNT_MAX = decimal("1000000000000");
const HUNDRED = decimal("100");

/** Names of the fields of the form. */
export const DRAFT_FIELDS = [
  "account",
  "name",
  "direction",
  "allocation",
  "balanceCap",
  "leverage",
  "pauseMode",
  "begin",
  "maxOrderQty",
  "maxOrderNotional",
  "maxOpenOrders",
  "maxPositionNotional",
  "maxDrawdownPct",
] as const;

/** The name of a field. */
export type DraftField = (typeof DRAFT_FIELDS)[number];

/** The form as typed; an empty limit is no limit. */
export type TypedDraft = Readonly<Record<DraftField, string>>;

/** One sentence per refused field. */
export type DraftProblems = Readonly<Partial<Record<DraftField, string>>>;

/** `two` is one bot per side, `both` one bot that takes turns. */
export type DraftDirection = PositionSide | "both" | "two";

/** The part of a draft that needs nothing but the texts. */
export type DraftValues = {
  readonly name: string;
  readonly direction: DraftDirection;
  readonly allocation: Decimal;
  readonly balanceCap: Decimal | null;
  readonly leverage: number;
  readonly pauseMode: PauseMode;
  /** Runs as soon as a worker takes it up; else it waits to be started. */
  readonly isStarted: boolean;
  readonly limits: BotLimits;
};

/** Values of the fields that were right; the others are absent and have their sentence. */
export type DraftReading = {
  readonly values: Partial<DraftValues>;
  readonly problems: DraftProblems;
};

type Checked<T> = { readonly ok: true; readonly value: T } | FieldRefusal;

/** The name without spaces around it. */
export function checkBotName(typed: string, charsMax = BOT_NAME_CHARS_MAX): Checked<string> {
  const name = typed.trim().replace(/\s+/g, " ");
  const { length } = name;
  if (length >= 1 && length <= charsMax && !/\p{Cc}/u.test(name)) {
    return { ok: true, value: name };
  }
  const detail = `The name has ${length} characters; it must have 1 to ${charsMax}`;
  return refuseField("name", detail);
}

const PAUSE_MODES: readonly PauseMode[] = ["exits_only", "freeze"];
const BEGINNINGS = ["paused", "running"] as const;

/** Sides a bot of this direction may open, one list per bot. */
export function sidesOf(direction: DraftDirection): readonly (readonly PositionSide[])[] {
  if (direction === "two") return [["long"], ["short"]];
  return [direction === "both" ? ["long", "short"] : [direction]];
}

/** Directions that a configuration with these sides allows, the recommended one first. */
export function directionsFor(sides: readonly PositionSide[]): readonly DraftDirection[] {
  return sides.length === 2 ? ["two", "both", "long", "short"] : sides;
}

/** Reads everything; what is refused is told, the rest can be shown already. */
export function readDraft(typed: TypedDraft, directions: readonly DraftDirection[]): DraftReading {
  const problems: Partial<Record<DraftField, string>> = {};
  const refuse = (field: DraftField, sentence: string) => {
    problems[field] ??= sentence;
    return undefined;
  };
  const amount = (field: DraftField, what: string, most = AMOUNT_MAX) =>
    readAmount(typed[field], most) ??
    refuse(
      field,
      `“${shown(typed[field])}” for ${what} must be a number above 0 and up to ${most}`,
    );
  const optional = (field: DraftField, what: string, most = AMOUNT_MAX) =>
    typed[field].trim() === "" ? null : amount(field, what, most);
  const choice = <T extends string>(field: DraftField, allowed: readonly T[]) =>
    allowed.find((each) => each === typed[field]) ??
    refuse(field, `“${shown(typed[field])}” must be one of ${allowed.join(", ")}`);
  const isPair = typed.direction === "two";
  const name = checkBotName(typed.name, isPair ? PAIR_NAME_CHARS_MAX : BOT_NAME_CHARS_MAX);
  const values = {
    name: name.ok ? name.value : refuse("name", name.detail),
    direction: choice("direction", directions),
    allocation: amount("allocation", "the allocation"),
    balanceCap: optional("balanceCap", "the cap"),
    leverage:
      readWhole(typed.leverage, BOT_LEVERAGE_MAX) ?? refuse("leverage", leverageRule(typed)),
    pauseMode: choice("pauseMode", PAUSE_MODES),
    isStarted: choice("begin", BEGINNINGS) === "running",
  };
  const limits = {
    maxOrderQty: optional("maxOrderQty", "the quantity of an order"),
    maxOrderNotional: optional("maxOrderNotional", "the notional of an order"),
    maxOpenOrders: readOrders(typed.maxOpenOrders, refuse),
    maxPositionNotional: optional("maxPositionNotional", "the notional of the position"),
    maxDrawdownPct: optional("maxDrawdownPct", "the drawdown", HUNDRED),
  };
  const hasLimits = isComplete<BotLimits>(limits);
  return { values: { ...defined(values), ...(hasLimits ? { limits } : {}) }, problems };
}

function readOrders(text: string, refuse: (field: DraftField, sentence: string) => undefined) {
  if (text.trim() === "") return null;
  const sentence = `“${shown(text)}” for open orders must be a whole number from 1 to ${OPEN_ORDERS_MAX}`;
  return readWhole(text, OPEN_ORDERS_MAX) ?? refuse("maxOpenOrders", sentence);
}

function leverageRule({ leverage }: TypedDraft): string {
  return `“${shown(leverage)}” for the leverage must be a whole number from 1 to ${BOT_LEVERAGE_MAX}`;
}

function readAmount(text: string, most: Decimal): Decimal | undefined {
  const plain = text.trim();
  if (!/^\d{1,15}(\.\d{1,8})?$/.test(plain)) return undefined;
  const value = decimal(plain);
  const fits = compare(value, decimal("0")) > 0 && compare(value, most) <= 0;
  return fits ? value : undefined;
}

function readWhole(text: string, most: number): number | undefined {
  const plain = text.trim();
  const value = /^\d{1,4}$/.test(plain) ? Number(plain) : 0;
  return value >= 1 && value <= most ? value : undefined;
}

function shown(text: string): string {
  return text.trim().slice(0, 40);
}

type Maybe<T> = { readonly [Key in keyof T]: T[Key] | undefined };

function isComplete<T>(parts: Maybe<T>): parts is T & Maybe<T> {
  return Object.values(parts).every((part) => part !== undefined);
}

function defined<T extends object>(parts: Maybe<T>): Partial<T> {
  const entries = Object.entries(parts).filter(([, part]) => part !== undefined);
  return Object.fromEntries(entries) as Partial<T>;
}
