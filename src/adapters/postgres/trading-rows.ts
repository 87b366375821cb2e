// How trading values travel between rows and the model: fills, intents, cycles, holdings, entries.
// Used by the trading-*.ts files of this folder. Amounts stay decimal text on the way.
import type { Decimal } from "../../model/decimal.ts";
import { decimal } from "../../model/decimal.ts";
import type { LedgerEntry } from "../../model/ledger.ts";
import type { LegPosition } from "../../model/leg-position.ts";
import { assert } from "../../model/result.ts";
import type { Holder, Holding } from "../../model/symbol-book.ts";
import type { TradeCycle } from "../../model/trade-cycle.ts";
import type { EpochMs } from "../../model/time.ts";
import type { ExactFunding, Leg, OwnedFill, Owner } from "../../model/trade-record.ts";
import type { Json } from "../../ports/settings-store.ts";
import type { NewIntent, StoredCycle, StoredIntent } from "../../ports/trading-store.ts";
import type { Query } from "./connect.ts";

/** A row of `fills` with what its intent says. */
export type FillRow = Omit<OwnedFill, "fee" | "owner"> & {
  readonly owner: Owner | null;
  readonly feeAmount: Decimal | null;
  readonly feeAsset: string | null;
  readonly feeSettleAmount: Decimal | null;
  readonly feeIsEstimated: boolean | null;
};

/** The columns of FillRow, of `fills f left join order_intents i`. */
export function fillColumns(sql: Query) {
  return sql`f.symbol, f.trade_id, f.exchange_order_id, f.side, f.leg, f.price, f.qty,
    f.contract_size, f.settle_asset, f.fee_amount, f.fee_asset, f.fee_settle_amount,
    f.fee_is_estimated, f.liquidity, f.exchange_realised, f.at, i.owner, i.client_order_id,
    i.purpose, i.reason`;
}

/** The fill of a row. */
export function fillOf(row: FillRow): OwnedFill {
  const { feeAmount, feeAsset, feeSettleAmount, feeIsEstimated, owner, ...rest } = row;
  const fee =
    feeAmount === null || feeAsset === null
      ? null
      : {
          amount: plain(feeAmount),
          asset: feeAsset,
          settleAmount: plain(feeSettleAmount),
          isEstimated: feeIsEstimated === true,
        };
  return {
    ...rest,
    price: plain(rest.price),
    qty: plain(rest.qty),
    contractSize: plain(rest.contractSize),
    exchangeRealised: plain(rest.exchangeRealised),
    fee,
    owner: owner ?? "foreign",
  };
}

/** A funding payment with its amount in the shortest writing. */
export function fundingOf(row: ExactFunding): ExactFunding {
  return { ...row, amount: plain(row.amount) };
}

/** A stored amount in the shortest writing, so that equal amounts are equal texts. */
export function plain(amount: Decimal): Decimal;
export function plain(amount: Decimal | null): Decimal | null;
export function plain(amount: Decimal | null): Decimal | null {
  return amount === null ? null : decimal(amount);
}

/** The columns of StoredIntent. */
export function intentColumns(sql: Query) {
  return sql`id, status, client_order_id, exchange_order_id, owner, symbol, leg, position_side,
    side, purpose, reason, target_key, terms, is_reduce_only, qty, filled_qty,
    reported_filled_qty, detail, decided_at, sent_at, updated_at`;
}

/** An intent with its amounts in the shortest writing. */
export function intentOf(row: StoredIntent): StoredIntent {
  return {
    ...row,
    qty: plain(row.qty),
    filledQty: plain(row.filledQty),
    reportedFilledQty: plain(row.reportedFilledQty),
  };
}

/** New intents as one JSON document for jsonb_to_recordset. */
export function intentsJson(intents: readonly NewIntent[], sentAt: EpochMs): Json {
  return intents.map((intent, position) => {
    const isSending = intent.status === "sending";
    assert(isSending === (intent.clientOrderId !== null), "an intent has its id when it is sent");
    return {
      position,
      status: intent.status,
      client_order_id: intent.clientOrderId,
      owner: intent.owner,
      symbol: intent.symbol,
      leg: intent.leg,
      position_side: intent.positionSide,
      side: intent.side,
      purpose: intent.purpose,
      reason: intent.reason,
      target_key: intent.targetKey,
      terms: { ...intent.terms },
      is_reduce_only: intent.isReduceOnly,
      qty: intent.qty,
      decided_at: iso(intent.decidedAt),
      sent_at: isSending ? iso(sentAt) : null,
    };
  });
}

/** A row of `positions`. */
export type PositionRow = LegPosition & {
  readonly symbol: string;
  readonly leg: Leg;
  readonly holder: Holder;
};

/** The position of a row. */
export function positionOf(row: PositionRow): LegPosition {
  return {
    positionSide: row.positionSide,
    qty: plain(row.qty),
    cost: plain(row.cost),
    unmatchedQty: plain(row.unmatchedQty),
  };
}

/** The columns of TradeCycle. */
export function cycleColumns(sql: Query) {
  return sql`owner, symbol, leg, position_side, open_ref, opened_at, closed_at, entry_qty,
    entry_cost, exit_qty, exit_cost, max_qty, realised, fees, fees_missing, funding, fills, rungs,
    exit_reason, settle_asset`;
}

/** A cycle with its amounts in the shortest writing. */
export function cycleOf<Row extends TradeCycle | StoredCycle>(row: Row): Row {
  return {
    ...row,
    entryQty: plain(row.entryQty),
    entryCost: plain(row.entryCost),
    exitQty: plain(row.exitQty),
    exitCost: plain(row.exitCost),
    maxQty: plain(row.maxQty),
    realised: plain(row.realised),
    fees: plain(row.fees),
    funding: plain(row.funding),
  };
}

/** The columns of LedgerEntry. */
export function entryColumns(sql: Query) {
  return sql`kind, ref, owner, symbol, leg, at, amount, asset, settle_amount, is_estimated`;
}

/** An entry with its amounts in the shortest writing. */
export function entryOf(row: LedgerEntry): LedgerEntry {
  return { ...row, amount: plain(row.amount), settleAmount: plain(row.settleAmount) };
}

const iso = (ms: EpochMs | null): string | null =>
  ms === null ? null : new Date(ms).toISOString();

/** Entries as one JSON document for jsonb_to_recordset. */
export function entriesJson(entries: readonly LedgerEntry[]): Json {
  return entries.map((entry) => ({
    kind: entry.kind,
    ref: entry.ref,
    owner: entry.owner,
    symbol: entry.symbol,
    leg: entry.leg,
    at: iso(entry.at),
    amount: entry.amount,
    asset: entry.asset,
    settle_amount: entry.settleAmount,
    is_estimated: entry.isEstimated,
  }));
}

/** Holdings as one JSON document for jsonb_to_recordset. */
export function holdingsJson(holdings: readonly Holding[]): Json {
  return holdings.map(({ holder, leg, position }) => ({
    holder,
    leg,
    position_side: position.positionSide,
    qty: position.qty,
    cost: position.cost,
    unmatched_qty: position.unmatchedQty,
  }));
}

/** Cycles as one JSON document for jsonb_to_recordset. */
export function cyclesJson(cycles: readonly TradeCycle[]): Json {
  return cycles.map((cycle) => ({
    owner: cycle.owner,
    leg: cycle.leg,
    position_side: cycle.positionSide,
    open_ref: cycle.openRef,
    opened_at: iso(cycle.openedAt),
    closed_at: iso(cycle.closedAt),
    entry_qty: cycle.entryQty,
    entry_cost: cycle.entryCost,
    exit_qty: cycle.exitQty,
    exit_cost: cycle.exitCost,
    max_qty: cycle.maxQty,
    realised: cycle.realised,
    fees: cycle.fees,
    fees_missing: cycle.feesMissing,
    funding: cycle.funding,
    fills: cycle.fills,
    rungs: cycle.rungs.map((rung) => ({ ...rung })),
    exit_reason: cycle.exitReason,
    settle_asset: cycle.settleAsset,
  }));
}
