// "Why no entry here?": a decision record as one sentence and a table of gates and votes. Pure; the
// rules it words are those of strategy/dca-atr/entry.ts, in their order.
import type { DecisionProps, GateRow } from "../../../views/components/run-decision.tsx";
import type { DecisionRecord, SideRecord } from "../../services/research/decision-record.ts";
import type { DcaAtrConfig } from "../../strategy/dca-atr/config.ts";

type Side = "long" | "short";

const VOTES = ["bollinger", "macd", "rsi"] as const;
const VOTES_NEEDED = 2;

function votesOf(side: SideRecord): number {
  return VOTES.filter((name) => side[name]).length;
}

/** `1 of 3 votes`, or what the one vote that counts said. */
function voteClause(side: SideRecord, config: DcaAtrConfig): string {
  if (!config.general.use_indicator_consensus) {
    return side.bollinger ? "the Bollinger vote is given" : "the Bollinger vote is missing";
  }
  return `${votesOf(side)} of 3 votes`;
}

/** What stood in the way of one direction, or that nothing did. */
function sideClause(name: Side, side: SideRecord, config: DcaAtrConfig): string {
  const parts = [voteClause(side, config)];
  if (!side.trend) parts.push(`trend filter refuses ${name}`);
  if (!side.gate) parts.push(`moving average gate refuses ${name}`);
  return parts.join("; ");
}

function allowedSides({ general }: DcaAtrConfig): Side[] {
  const allowed: [Side, boolean][] = [
    ["long", general.allow_long],
    ["short", general.allow_short],
  ];
  return allowed.filter(([, is]) => is).map(([side]) => side);
}

function blockedClause(record: DecisionRecord, config: DcaAtrConfig): string {
  const sides = allowedSides(config);
  const clauses = sides.map((side) => sideClause(side, record[side], config));
  if (clauses.length === 1) return clauses[0] ?? "";
  return sides.map((side, i) => `${side}: ${clauses[i]}`).join(" · ");
}

/** The answer in one sentence, without a full stop inside. */
export function decisionSentence(record: DecisionRecord, config: DcaAtrConfig): string {
  const { general } = config;
  switch (record.decision) {
    case "entry_long":
    case "entry_short": {
      const side = record.decision === "entry_long" ? "long" : "short";
      return `Entry ${side} decided: ${sideClause(side, record[side], config)}`;
    }
    case "trend":
    case "no_signal":
    case "ma_gate":
      return `No entry: ${blockedClause(record, config)}`;
    case "not_ready":
      return "No entry: not every indicator has enough history yet";
    case "cooldown":
      return `No entry: less than the cooldown of ${general.entry_cooldown_min} minutes after the last fill`;
    case "no_balance":
      return "No entry: no balance is left";
    case "below_min":
      return "No entry: the quantity would be below the minimums of the instrument";
    case "entry_pending":
      return "No new entry: an earlier one was still waiting for its fill";
    case "in_position":
      return "No new entry: a position was open";
    case "no_new_entries":
      return "No entry: new entries were switched off";
    case "none":
      return "Nothing was decided at this close";
  }
}

type Values = DecisionRecord["values"];
const value = (values: Values, name: string): number | null => values[name] ?? null;

function indicatorRows({ values }: DecisionRecord, config: DcaAtrConfig): GateRow[] {
  const { rsi } = config;
  return [
    {
      name: "bollinger",
      label: "Bollinger vote",
      rule: "close at or below the lower band, or at or above the upper one",
      values: [
        { label: "lower", price: value(values, "bollinger_lower") },
        { label: "middle", price: value(values, "bollinger_middle") },
        { label: "upper", price: value(values, "bollinger_upper") },
      ],
    },
    {
      name: "macd",
      label: "MACD vote",
      rule: "histogram above 0 for long, below 0 for short",
      values: [{ label: "histogram", number: value(values, "macd_histogram") }],
    },
    {
      name: "rsi",
      label: "RSI vote",
      rule: `at or below ${rsi.buy_level} for long, at or above ${rsi.sell_level} for short`,
      values: [{ label: "RSI", number: value(values, "rsi") }],
    },
  ];
}

/** Every gate in the order in which it is asked. */
function gateRows(record: DecisionRecord, config: DcaAtrConfig): GateRow[] {
  const { general, trend } = config;
  const { values } = record;
  return [
    {
      name: "trend",
      label: "Trend filter",
      rule: trend.enabled ? "close above the average for long, below it for short" : "switched off",
      values: trend.enabled ? [{ label: "average", price: value(values, "trend_average") }] : [],
    },
    ...indicatorRows(record, config),
    {
      name: "signal",
      label: "Signal",
      rule: general.use_indicator_consensus
        ? `${VOTES_NEEDED} of the 3 votes`
        : "the Bollinger vote alone",
      values: [],
    },
    {
      name: "gate",
      label: "Moving average gate",
      rule: general.use_ma_direction
        ? "close above the average for long, below it for short"
        : "switched off",
      values: general.use_ma_direction
        ? [{ label: "average", price: value(values, "gate_average") }]
        : [],
    },
  ];
}

/** Everything the decision tab shows of one candle. */
export function decisionView(
  record: DecisionRecord,
  config: DcaAtrConfig,
): NonNullable<DecisionProps["record"]> {
  return {
    openAt: record.openAt,
    close: record.close,
    atr: value(record.values, "atr"),
    isReady: record.ready,
    isEntry: record.decision === "entry_long" || record.decision === "entry_short",
    sentence: decisionSentence(record, config),
    sides: allowedSides(config),
    rows: gateRows(record, config).map((row) => ({
      ...row,
      long: record.long[row.name],
      short: record.short[row.name],
    })),
  };
}
