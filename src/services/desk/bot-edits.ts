// Which settings of a bot may be changed, and when: some at any time, others only while it is flat and does
// not run, because an open cycle was counted by them. Used by bot-detail.ts; pure. A change is a whole
// new version or none at all.
import { compare, decimal, type Decimal } from "../../model/decimal.ts";
import { InputError } from "../../model/result.ts";
import type { BotConfig } from "../../ports/bot-store.ts";
import type { Json } from "../../ports/settings-store.ts";
import { checkIntervals, parseConfig } from "../../strategy/dca-atr/config.ts";
import { type FieldRefusal, refuseField } from "./actor.ts";
import { BOT_LEVERAGE_MAX } from "./bot-draft-fields.ts";
import { EDIT_FIELDS, type EditField, isSafeWhileOpen } from "./bot-edit-fields.ts";

/** One value that differs between two configurations. */
export type ConfigChange = {
  /** Dotted, e.g. `strategy.exits.tp_pct`. */
  readonly path: string;
  /** Null where there was none. */
  readonly before: string | null;
  readonly after: string | null;
};

/** What decides whether a change is allowed now. */
export type EditSituation = {
  readonly timeframeMin: number;
  /** Holds nothing, has no order, and neither runs nor is to run. */
  readonly isIdle: boolean;
};

type Checked<T> = { readonly ok: true; readonly value: T } | FieldRefusal;

const AMOUNT = /^\d{1,15}(\.\d{1,18})?$/;
const HUNDRED = decimal("100");
const OPEN_ORDERS_MAX = 1000;

/** The fields of a form with their present values as text; an absent limit is empty. */
export function fieldValues(config: BotConfig): Readonly<Record<string, string>> {
  const leaves = new Map(leavesOf(config as unknown as Json));
  return Object.fromEntries(
    EDIT_FIELDS.map(({ path }) => [path, textOf(leaves.get(path) ?? null)] as const),
  );
}

/** The fields that mean something under a configuration's modes. */
export function fieldsInUse(config: BotConfig): readonly EditField[] {
  const leaves = new Map(leavesOf(config as unknown as Json));
  return EDIT_FIELDS.filter(({ onlyWhen }) => {
    return onlyWhen === undefined || leaves.get(onlyWhen.path) === onlyWhen.value;
  });
}

/**
 * A configuration with what was typed. Fields that were not posted stay; one that is refused refuses all.
 */
export function editConfig(
  config: BotConfig,
  typed: Readonly<Record<string, string | undefined>>,
  situation: EditSituation,
): Checked<BotConfig> {
  let next: Json = config as unknown as Json;
  const present = fieldValues(config);
  for (const field of EDIT_FIELDS) {
    const text = typed[field.path]?.trim();
    if (text === undefined || text === present[field.path]) continue;
    const value = readValue(field, text);
    if (!value.ok) return value;
    next = replaced(next, field.path.split("."), value.value);
  }
  return checkConfig(config, next as unknown as BotConfig, situation);
}

/** Whether a configuration may follow the present one, now; the same rules for edits and for undo. */
export function checkConfig(
  config: BotConfig,
  next: BotConfig,
  { timeframeMin, isIdle }: EditSituation,
): Checked<BotConfig> {
  const changes = configDiff(config, next);
  if (changes.length === 0) return refuseField("form", "nothing was changed");
  for (const { path } of changes) {
    const name = path.replace("strategy.", "");
    if (path.startsWith("strategy.general.allow_")) {
      return refuseField(path, `${name} decides which side of the market is taken: make a new bot`);
    }
    if (isIdle || isSafeWhileOpen(path)) continue;
    const detail = `${name} can be changed once the bot is paused or stopped, flat and without orders`;
    return refuseField(path, detail);
  }
  try {
    checkIntervals(parseConfig(next.strategy), timeframeMin);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const named = changes.find(({ path }) => error.message.includes(path.replace("strategy.", "")));
    return refuseField(named?.path ?? "form", error.message);
  }
  return { ok: true, value: next };
}

/** What differs, in the order of the documents. */
export function configDiff(before: BotConfig, after: BotConfig): ConfigChange[] {
  const [old, fresh] = [before, after].map(
    (each) => new Map(leavesOf(each as unknown as Json).map(([path, leaf]) => [path, leaf])),
  );
  if (!old || !fresh) return [];
  const paths = new Set([...old.keys(), ...fresh.keys()]);
  return [...paths].flatMap((path) => {
    const [from, to] = [old.get(path), fresh.get(path)];
    if (from === to) return [];
    return [{ path, before: shown(from), after: shown(to) }];
  });
}

type Leaf = string | number | boolean | null;

/** Every value of a document with its dotted path; lists as one text. */
function leavesOf(document: Json, path = ""): (readonly [string, Leaf])[] {
  if (typeof document !== "object" || document === null) return [[path, document]];
  if (Array.isArray(document)) return [[path, JSON.stringify(document)]];
  return Object.entries(document).flatMap(([key, value]) =>
    leavesOf(value as Json, path === "" ? key : `${path}.${key}`),
  );
}

function shown(leaf: Leaf | undefined): string | null {
  return leaf === undefined ? null : leaf === null ? "none" : String(leaf);
}

function textOf(leaf: Leaf): string {
  if (leaf === null) return "";
  return typeof leaf === "boolean" ? (leaf ? "yes" : "no") : String(leaf);
}

/** The document with one value replaced. */
function replaced(document: Json, [key, ...rest]: readonly string[], value: Leaf): Json {
  if (key === undefined) return value;
  const group = document as { readonly [key: string]: Json };
  return { ...group, [key]: replaced(group[key] ?? {}, rest, value) };
}

function readValue(field: EditField, text: string): Checked<Leaf> {
  const { path, label, kind } = field;
  switch (kind) {
    case "choice": {
      const known = field.options?.some(({ value }) => value === text);
      if (known) return { ok: true, value: text };
      const allowed = field.options?.map(({ value }) => value).join(", ");
      return refuseField(path, `"${text.slice(0, 40)}" for ${label} must be one of ${allowed}`);
    }
    case "amount":
    case "limit":
    case "percent": {
      if (text === "" && kind !== "amount") return { ok: true, value: null };
      const most = kind === "percent" ? HUNDRED : null;
      return amountOf(field, text, most);
    }
    case "count":
      if (text === "") return { ok: true, value: null };
      return wholeOf(field, text, OPEN_ORDERS_MAX);
    case "leverage":
      return wholeOf(field, text, BOT_LEVERAGE_MAX);
    case "number":
      if (AMOUNT.test(text)) return { ok: true, value: Number(text) };
      return refuseField(path, `"${text.slice(0, 40)}" for ${label} must be a number of 0 or more`);
  }
}

function wholeOf({ path, label }: EditField, text: string, most: number): Checked<Leaf> {
  if (/^[1-9]\d{0,3}$/.test(text) && Number(text) <= most) return { ok: true, value: Number(text) };
  const shownText = text.slice(0, 40);
  return refuseField(path, `"${shownText}" for ${label} must be a whole number from 1 to ${most}`);
}

function amountOf({ path, label }: EditField, text: string, most: Decimal | null): Checked<Leaf> {
  const value = AMOUNT.test(text) ? decimal(text) : null;
  const isAbove = value !== null && compare(value, decimal("0")) > 0;
  if (isAbove && (most === null || compare(value, most) <= 0)) return { ok: true, value };
  const range = most === null ? "above 0" : `above 0 and up to ${most}`;
  return refuseField(path, `"${text.slice(0, 40)}" for ${label} must be a number ${range}`);
}
