// Ledger entries in exact decimals: what was realised, paid and received. Written by the trading
// stores from symbol-book.ts, read by pages and limits. Transfers are never profit.
import { add, type Decimal } from "./decimal.ts";
import { compareText, type Leg, type Owner } from "./trade-record.ts";
import type { EpochMs } from "./time.ts";

/** `realised` per reduction, `fee` per fill, `funding` per payment and owner, `transfer` in or out. */
export type LedgerKind = "realised" | "fee" | "funding" | "transfer" | "adjustment";

/** One entry; positive was received, negative was paid. */
export type LedgerEntry = {
  readonly kind: LedgerKind;
  /** Unique per account and kind. */
  readonly ref: string;
  /** `account` when it belongs to no owner. */
  readonly owner: Owner | "account";
  /** Null for transfers and adjustments. */
  readonly symbol: string | null;
  readonly leg: Leg | null;
  readonly at: EpochMs;
  readonly amount: Decimal;
  readonly asset: string;
  /** The same in the settle asset; null while no conversion is known. */
  readonly settleAmount: Decimal | null;
  readonly isEstimated: boolean;
};

/** Sums over ledger entries, in the settle asset. */
export type LedgerTotals = {
  readonly realised: Decimal;
  /** Negative when more was paid than came back. */
  readonly fees: Decimal;
  readonly funding: Decimal;
  readonly adjustments: Decimal;
  /** Realised, fees, funding and adjustments together: profit after costs, transfers left out. */
  readonly net: Decimal;
  readonly transfers: Decimal;
  /** Entries whose worth in the settle asset is not known; the sums lack them. */
  readonly missing: number;
  readonly estimated: number;
};

const ZERO = "0" as Decimal;

/** Sums the entries; the caller picks those of one settle asset. */
export function ledgerTotals(
  entries: Iterable<Pick<LedgerEntry, "kind" | "settleAmount" | "isEstimated">>,
): LedgerTotals {
  const sums: Record<LedgerKind, Decimal> = {
    realised: ZERO,
    fee: ZERO,
    funding: ZERO,
    transfer: ZERO,
    adjustment: ZERO,
  };
  let missing = 0;
  let estimated = 0;
  for (const entry of entries) {
    if (entry.isEstimated) estimated += 1;
    if (entry.settleAmount === null) missing += 1;
    else sums[entry.kind] = add(sums[entry.kind], entry.settleAmount);
  }
  const { realised, fee: fees, funding, transfer: transfers, adjustment: adjustments } = sums;
  const net = add(add(realised, fees), add(funding, adjustments));
  return { realised, fees, funding, adjustments, net, transfers, missing, estimated };
}

/** The one order of entries: instant, kind, reference. */
export function compareEntries(a: LedgerEntry, b: LedgerEntry): number {
  return a.at - b.at || compareText(a.kind, b.kind) || compareText(a.ref, b.ref);
}
