// What people type about accounts: names, keys and limits in, checked values or one sentence out. Used by
// trading-accounts.ts. A sentence never repeats a key, not even a part of it.
import { compare, decimal, type Decimal } from "../../model/decimal.ts";
import type { Credentials } from "../../ports/account-probe.ts";
import type { AccountLimits, AccountMode } from "../../ports/account-store.ts";
import type { Vault } from "../../ports/vault.ts";
import {
  ACCOUNT_EXCHANGES,
  ACCOUNT_MODES,
  type AccountExchange,
  findExchange,
  hasMode,
  needsKeys,
} from "./account-exchanges.ts";
import { type FieldRefusal, refuseField } from "./actor.ts";

export const ACCOUNT_NAME_CHARS_MAX = 60;
export const KEY_CHARS_MAX = 512;
export const SYMBOL_CHARS_MAX = 60;
const KEY_CHARS_MIN = 8;
const PASSPHRASE_CHARS_MIN = 7;
/** Shorter keys would show too much of themselves. */
const MASK_CHARS_MIN = 12;
const LIMIT_MAX = decimal("1000000000000");
const HUNDRED = decimal("100");

/** Keys as typed. */
export type TypedKeys = {
  readonly apiKey: string;
  readonly apiSecret: string;
  readonly passphrase: string;
};

/** A new account as typed. */
export type AccountWish = TypedKeys & {
  readonly name: string;
  readonly exchange: string;
  readonly mode: string;
};

/** Limits as typed; an empty text is no limit. */
export type TypedLimits = Readonly<Record<keyof AccountLimits, string>>;

type Checked<T> = { readonly ok: true; readonly value: T } | FieldRefusal;

function checked<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value };
}

/** The name without spaces around it. */
export function checkName(typed: string): Checked<string> {
  const name = typed.trim().replace(/\s+/g, " ");
  const length = [...name].length;
  if (length >= 1 && length <= ACCOUNT_NAME_CHARS_MAX && !/\p{Cc}/u.test(name)) {
    return checked(name);
  }
  return refuseField(
    "name",
    `the name has ${length} characters; it must have 1 to ${ACCOUNT_NAME_CHARS_MAX}`,
  );
}

/** Exchange and mode, which must go together. */
export function checkPlace(
  wish: Pick<AccountWish, "exchange" | "mode">,
): Checked<{ readonly exchange: AccountExchange; readonly mode: AccountMode }> {
  const exchange = findExchange(wish.exchange);
  if (!exchange) {
    const known = ACCOUNT_EXCHANGES.map(({ id }) => id).join(", ");
    return refuseField("exchange", `"${wish.exchange.slice(0, 40)}" must be one of ${known}`);
  }
  const mode = ACCOUNT_MODES.find((each) => each === wish.mode);
  if (!mode) {
    const allowed = ACCOUNT_MODES.join(", ");
    return refuseField("mode", `"${wish.mode.slice(0, 40)}" must be one of ${allowed}`);
  }
  if (!hasMode(exchange, mode)) {
    return refuseField("mode", `"demo" is only there for WOO X, which the simulator speaks`);
  }
  return checked({ exchange, mode });
}

/** The keys an account needs; null for one that needs none, and then none may be given. */
export function checkKeys(
  vault: Pick<Vault, "conceal">,
  { exchange, mode }: { readonly exchange: AccountExchange; readonly mode: AccountMode },
  typed: TypedKeys,
): Checked<Credentials | null> {
  if (!needsKeys(mode)) {
    const { apiKey, apiSecret, passphrase } = typed;
    return apiKey + apiSecret + passphrase === ""
      ? checked(null)
      : refuseField("form", "a paper account uses no keys");
  }
  const problem =
    keyProblem("apiKey", "the API key", typed.apiKey, KEY_CHARS_MIN) ??
    keyProblem("apiSecret", "the secret", typed.apiSecret, KEY_CHARS_MIN) ??
    passphraseProblem(exchange, typed.passphrase);
  if (problem) return problem;
  const { passphrase } = typed;
  return checked({
    apiKey: vault.conceal(typed.apiKey.trim()),
    apiSecret: vault.conceal(typed.apiSecret.trim()),
    passphrase: exchange.needsPassphrase ? vault.conceal(passphrase.trim()) : null,
    uid: null,
  });
}

function passphraseProblem({ name, needsPassphrase }: AccountExchange, typed: string) {
  if (needsPassphrase) {
    return keyProblem("passphrase", "the passphrase", typed, PASSPHRASE_CHARS_MIN);
  }
  return typed === "" ? undefined : refuseField("passphrase", `${name} uses no passphrase`);
}

function keyProblem(
  field: string,
  what: string,
  typed: string,
  charsMin: number,
): FieldRefusal | undefined {
  const text = typed.trim();
  if (text === "") return refuseField(field, `${what} is missing`);
  if (text.length < charsMin || text.length > KEY_CHARS_MAX) {
    const range = `${charsMin} to ${KEY_CHARS_MAX}`;
    return refuseField(field, `${what} has ${text.length} characters; it must have ${range}`);
  }
  if (!/^[\x21-\x7e]+$/.test(text)) {
    const detail = `${what} has a space or a letter that no exchange uses; copy it again`;
    return refuseField(field, detail);
  }
  return undefined;
}

/** What is shown of a key for ever: its first and last three characters. */
export function maskKey(key: string): string {
  if (key.length < MASK_CHARS_MIN) return "•••";
  return `${key.slice(0, 3)}…${key.slice(-3)}`;
}

const LIMITS: readonly (readonly [keyof AccountLimits, string, Decimal])[] = [
  ["maxDailyLossUsd", "the daily loss", LIMIT_MAX],
  ["maxTotalLossUsd", "the total loss", LIMIT_MAX],
  ["maxDrawdownPct", "the drawdown", HUNDRED],
  ["maxSymbolExposureUsd", "the exposure per symbol", LIMIT_MAX],
  ["maxGrossExposureUsd", "the gross exposure", LIMIT_MAX],
];

/** All limits; one that is refused refuses all. */
export function checkLimits(typed: TypedLimits): Checked<AccountLimits> {
  const limits: { -readonly [Name in keyof AccountLimits]: Decimal | null } = {
    maxDailyLossUsd: null,
    maxTotalLossUsd: null,
    maxDrawdownPct: null,
    maxSymbolExposureUsd: null,
    maxGrossExposureUsd: null,
  };
  for (const [field, what, most] of LIMITS) {
    const text = typed[field].trim();
    if (text === "") continue;
    const value = /^\d{1,15}(\.\d{1,8})?$/.test(text) ? decimal(text) : null;
    if (value === null || compare(value, decimal("0")) <= 0 || compare(value, most) > 0) {
      const shown = text.slice(0, 40);
      const detail = `"${shown}" for ${what} must be a number above 0 and up to ${most}, or empty`;
      return refuseField(field, detail);
    }
    limits[field] = value;
  }
  return checked(limits);
}

/** A symbol to test with; the exchange's usual one when nothing was typed. */
export function checkSymbol(typed: string, exchange: AccountExchange): Checked<string> {
  const symbol = typed.trim().toUpperCase() || exchange.testSymbol;
  if (symbol.length <= SYMBOL_CHARS_MAX && /^[A-Z0-9]+\/[A-Z0-9]+(:[A-Z0-9]+)?$/.test(symbol)) {
    return checked(symbol);
  }
  const detail = `"${symbol.slice(0, 40)}" must look like ${exchange.testSymbol}`;
  return refuseField("symbol", detail);
}
