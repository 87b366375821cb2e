// Accounts in the words of the pages: rows, checks, limits. Used by routes/accounts.tsx and
// routes/account-detail.tsx.
import type { Kpi } from "../../../views/components/parts.tsx";
import { money, number } from "../../../views/format.ts";
import type { KeyRow } from "../../../views/pages/accounts-cards.tsx";
import type { LimitField } from "../../../views/pages/accounts-manage.tsx";
import type { CheckRow, TestVerdict } from "../../../views/pages/accounts-parts.tsx";
import type { AccountRow } from "../../../views/pages/accounts.tsx";
import type { ProbeCheck, ProbeReport } from "../../ports/account-probe.ts";
import type { AccountLimits, CredentialInfo, TradingAccount } from "../../ports/account-store.ts";
import { findExchange } from "../../services/desk/account-exchanges.ts";
import type { TypedLimits } from "../../services/desk/account-wish.ts";
import { sentence } from "../forms/backtest-sentences.ts";

const CHECKS: Readonly<Record<ProbeCheck["name"], string>> = {
  reachable: "Connection",
  clock: "Clock",
  key: "Key",
  balances: "Balances",
  positions: "Positions",
  orders: "Orders",
  order_book: "Order book",
  position_mode: "Position mode",
  withdraw_permission: "Withdrawals",
};

const FAULTS: Readonly<Record<NonNullable<ProbeCheck["fault"]>, string>> = {
  unreachable: "connection",
  key: "key",
  clock: "clock",
  address: "address",
  permission: "permission",
  mode: "position mode",
  withdraw: "withdrawals",
  other: "other",
};

/** The checks of a report; a failed one names what is wrong. */
export function checkRows({ checks }: ProbeReport): CheckRow[] {
  return checks.map(({ name, outcome, fault, sentence: told }) => ({
    label: labelOf(CHECKS[name], fault),
    outcome,
    sentence: sentence(told),
  }));
}

function labelOf(label: string, fault: ProbeCheck["fault"]): string {
  const wrong = fault === null ? "other" : FAULTS[fault];
  return wrong === "other" || wrong === label.toLowerCase() ? label : `${label} (${wrong})`;
}

/** How a test ended as a whole. */
export function verdictOf(report: ProbeReport | null): TestVerdict {
  if (!report) return "none";
  const has = (outcome: ProbeCheck["outcome"]) =>
    report.checks.some((check) => check.outcome === outcome);
  if (has("fail")) return "bad";
  return has("warn") ? "warning" : "good";
}

/** The figures of a test. */
export function testTiles({ clockOffsetMs, mayWithdraw }: ProbeReport): Kpi[] {
  const offset =
    clockOffsetMs === null
      ? "not told"
      : `${number(clockOffsetMs, { decimals: 0, signed: true })} ms`;
  return [
    { label: "Exchange clock", value: offset, about: "Clock of the exchange minus our own" },
    {
      label: "May withdraw",
      value: mayWithdraw === null ? "not told" : mayWithdraw ? "yes" : "no",
      tone: mayWithdraw === null ? undefined : mayWithdraw ? "down" : "up",
    },
  ];
}

/** The name people know an exchange by. */
export function exchangeName(exchangeId: string): string {
  return findExchange(exchangeId)?.name ?? exchangeId;
}

/** An account as a row of the list. */
export function accountRow(account: TradingAccount): AccountRow {
  const { id, name, exchangeId, mode, status, blocksNewEntries, credential, probe } = account;
  return {
    ...{ id, name, mode, status },
    exchange: exchangeName(exchangeId),
    isBlocked: blocksNewEntries,
    maskedKey: credential?.maskedKey ?? null,
    lastUsedAt: credential?.lastUsedAt ?? null,
    test: verdictOf(probe),
    testedAt: probe?.at ?? null,
  };
}

/** Credentials as the page lists them. */
export function keyRow({ maskedKey, createdAt, lastUsedAt, revokedAt }: CredentialInfo): KeyRow {
  return { maskedKey, createdAt, lastUsedAt, revokedAt };
}

type LimitLook = Pick<LimitField, "label" | "unit"> & { readonly hint?: string };

const LIMITS: Readonly<Record<keyof AccountLimits, LimitLook>> = {
  maxDailyLossUsd: {
    label: "Daily loss",
    unit: "USD",
    hint: "Within one UTC day, open positions included.",
  },
  maxTotalLossUsd: { label: "Total loss", unit: "USD", hint: "Since the account was added." },
  maxDrawdownPct: { label: "Drawdown", unit: "%", hint: "Below the highest equity so far." },
  maxSymbolExposureUsd: { label: "Exposure per symbol", unit: "USD" },
  maxGrossExposureUsd: {
    label: "Gross exposure",
    unit: "USD",
    hint: "Long and short of all symbols added up.",
  },
};

/** Names of the fields of the limits form. */
export const LIMIT_NAMES = Object.keys(LIMITS) as (keyof AccountLimits)[];

/** The limits as fields; what was typed and refused stays in them. */
export function limitFields(limits: AccountLimits, typed?: TypedLimits): LimitField[] {
  return LIMIT_NAMES.map((id) => {
    const { unit } = LIMITS[id];
    const stored = limits[id];
    const amount = stored === null ? null : Number(stored);
    const set = unit === "USD" ? money(amount, "USD") : `${number(amount)}%`;
    const value = typed?.[id] ?? stored ?? "";
    return { ...LIMITS[id], id, value, shown: stored === null ? "no limit" : set };
  });
}
