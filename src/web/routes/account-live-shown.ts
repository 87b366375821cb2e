// How an account stands and what lets it trade, in the words of its page. Used by account-detail.tsx and
// account-live.tsx.
import type { AccountStandingProps } from "../../../views/components/account-standing.tsx";
import { age, dateTime, money, signTone } from "../../../views/format.ts";
import type { AccountLiveProps } from "../../../views/pages/accounts-live.tsx";
import type { CheckRow } from "../../../views/pages/accounts-parts.tsx";
import type { PreflightProps } from "../../../views/pages/accounts-preflight.tsx";
import type { ReachedRow } from "../../../views/pages/accounts-reached.tsx";
import type { Decimal } from "../../model/decimal.ts";
import type { AccountFigures } from "../../model/live-figures.ts";
import type { TradingAccount } from "../../ports/account-store.ts";
import type {
  AccountStanding,
  LiveStanding,
  ReachedLimit,
} from "../../services/live/account-live.ts";
import { includesRole } from "../../services/desk/tokens.ts";
import { DISARM_WORD, type PreflightRun } from "../../services/live/preflight.ts";
import { sentence } from "../forms/backtest-sentences.ts";
import type { Visitor } from "../route.ts";
import { findingRow } from "./trading-view.ts";

type PreflightCheck = PreflightRun["checks"][number];

const EXCHANGE: Readonly<Record<AccountFigures["exchange"], string>> = {
  ok: "answers",
  degraded: "answers badly",
  open: "left alone after failures",
  half_open: "tried again",
  maintenance: "in maintenance",
};

const exact = (amount: Decimal | null) => (amount === null ? null : Number(amount));

/** The card of how the account stands, with the choices of whoever looks. */
export function standingShown(
  { at, figures, shownAt, isStale }: AccountStanding,
  { id: accountId, name: account }: Pick<TradingAccount, "id" | "name">,
  { session, csrf }: Visitor,
): AccountStandingProps {
  const looker = { role: session.role, timeZone: session.user.timeZone };
  if (figures === null) return { standing: null };
  const { asset, health, blocks, findings } = figures;
  const amount = (value: Decimal | null) => money(exact(value), asset);
  const profit = (value: Decimal) => ({
    value: money(Number(value), asset, { signed: true }),
    tone: signTone(Number(value)),
  });
  const stale = `Nobody told anything since ${age(shownAt, at)}; the figures below are from then.`;
  return {
    standing: {
      ...{ health, blocks: blocks.map(sentence) },
      sentence: sentence(figures.sentence),
      tiles: [
        { label: "Equity", value: amount(figures.equity), about: "Deposits and open positions" },
        { label: "Free", value: amount(figures.freeBalance) },
        { label: "Today", ...profit(figures.pnlToday), about: "Since 00:00 UTC, open ones too" },
        { label: "Total", ...profit(figures.pnlTotal) },
        { label: "Exposure", value: amount(figures.grossExposure), about: "Long and short added" },
      ],
      facts: [
        { label: "Highest equity", value: amount(figures.peakEquity) },
        { label: "Exchange", value: EXCHANGE[figures.exchange] },
        {
          label: "Reconciled",
          value: `${age(figures.lastReconciledAt, at)}${figures.isReconciled ? "" : ", not clean"}`,
        },
        { label: "Worker", value: figures.worker },
        { label: "Lease until", value: dateTime(figures.leaseUntil, looker.timeZone) },
      ],
      findings: findings.map((each) => findingRow({ ...each, accountId, account }, looker)),
      csrf,
      stale: isStale ? stale : null,
    },
  };
}

const CHECKS: Readonly<Record<PreflightCheck["key"], string>> = {
  credentials: "Keys",
  withdraw_permission: "Withdrawals",
  clock: "Clock",
  position_mode: "Position mode",
  leverage: "Leverage",
  symbol_rules: "Symbols",
  minimums: "Smallest orders",
  balance: "Balance",
  unexplained: "Orders and positions",
  protective_orders: "Protective stops",
  lease: "Another Dragon",
  candles: "Candles",
  limits: "Limits",
  disk: "Disk",
  migrations: "Database",
  master_key_backup: "Master key",
  alarm: "Alarms",
};

function rowOf({ key, level, sentence: told, remedy }: PreflightCheck): CheckRow {
  const rest = remedy === null ? "" : ` ${remedy}`;
  return { label: CHECKS[key], outcome: level, sentence: `${sentence(told)}${rest}` };
}

/** The checks of a pre-flight, worst first. */
function preflightShown({ run, making }: LiveStanding, now: number): PreflightProps {
  const isBusy = making !== null && !making.hasFailed;
  const of = (level: PreflightCheck["level"]) =>
    (run?.checks ?? []).filter((check) => check.level === level).map(rowOf);
  return {
    run: run && {
      ...{ verdict: run.level, when: age(run.at, now) },
      ...{ fails: of("fail"), warnings: of("warn"), passes: of("pass") },
    },
    busy: isBusy ? "The exchange, the database and this machine are asked…" : null,
    hasFailed: making?.hasFailed ?? false,
  };
}

/** What trades now, as a pill and a sentence. */
function liveState(
  { armed, isOff, state }: LiveStanding,
  timeZone: string,
): Pick<AccountLiveProps, "pill" | "sentence" | "isOff" | "isArmed"> {
  const isArmed = armed !== null;
  if (armed === null || state === null) {
    const told = "No order leaves Dragon for this account until an owner arms it.";
    return { pill: { tone: "", text: "off" }, sentence: told, isOff, isArmed };
  }
  const who = `Armed ${dateTime(armed.at, timeZone)} by ${armed.by}`;
  if (state.state === "active") {
    const told = `${who}: bots of this account trade real money.`;
    return { pill: { tone: "green", text: "✓ armed" }, sentence: told, isOff, isArmed };
  }
  const told = `${who}, but it is ${state.state} now: ${sentence(state.reason)}`;
  return { pill: { tone: "amber", text: `! ${state.state}` }, sentence: told, isOff, isArmed };
}

/** The card of a live account. */
export function liveCard(
  live: LiveStanding,
  looker: {
    readonly account: TradingAccount;
    readonly visitor: Visitor;
    readonly now: number;
    readonly problems: AccountLiveProps["problems"];
    /** What was typed as the name and refused. */
    readonly typedName?: string | undefined;
  },
): AccountLiveProps {
  const { account, visitor, now, problems, typedName = "" } = looker;
  const { session, csrf } = visitor;
  return {
    ...{ id: account.id, name: account.name, csrf, problems, typedName },
    canTrade: includesRole(session.role, "trader"),
    canOwn: includesRole(session.role, "owner"),
    preflight: preflightShown(live, now),
    isUsable: live.isUsable,
    ...liveState(live, session.user.timeZone),
    disarmWord: DISARM_WORD,
  };
}

const LIMITS: Readonly<Record<ReachedLimit["trip"]["kind"], string>> = {
  daily_loss: "Daily loss",
  total_loss: "Total loss",
  drawdown: "Drawdown",
};

/** Limits that were reached. */
export function reachedRows(reached: readonly ReachedLimit[], timeZone: string): ReachedRow[] {
  return reached.map(({ key, botName, trip }) => ({
    key,
    title: `${LIMITS[trip.kind]} · ${botName === null ? "the account" : `bot ${botName}`}`,
    sentence: sentence(trip.sentence),
    when: dateTime(trip.at, timeZone),
  }));
}
