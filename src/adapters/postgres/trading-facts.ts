// Facts of the exchange on PostgreSQL: trade records, funding payments, transfers. Each call is one
// transaction with everything that follows from the fact; offering a fact again changes nothing.
// Used by trading-repository.ts.
import { compare } from "../../model/decimal.ts";
import type { OrderTransition } from "../../model/order-status.ts";
import { ok, refuse, type Result } from "../../model/result.ts";
import {
  betterFee,
  checkFill,
  checkFunding,
  type ExactFill,
  type ExactFunding,
  type Fee,
  type FillOrigin,
  FOREIGN,
  isSameExecution,
  type OwnedFill,
} from "../../model/trade-record.ts";
import type { Scope } from "../../ports/access-store.ts";
import type {
  Booked,
  FillRefusal,
  IntentId,
  LeaseGuard,
  NewFill,
  NewTransfer,
  TradingStore,
} from "../../ports/trading-store.ts";
import type { Sql, Transaction } from "./connect.ts";
import { at, firstOrNull, one } from "./rows.ts";
import { rebook } from "./trading-book.ts";
import { countFills } from "./trading-intents.ts";
import { type GuardedAccount, guarded, leaseLost } from "./trading-leases.ts";
import { entryColumns, type FillRow, fillColumns, fillOf, fundingOf } from "./trading-rows.ts";
import type { LedgerEntry } from "../../model/ledger.ts";

/** The part of the store that books facts. */
export function createTradingFacts(
  sql: Sql,
  next: OrderTransition,
): Pick<TradingStore, "recordFill" | "recordFunding" | "recordTransfer"> {
  return {
    recordFill: (scope, guard, fill) => sql.begin((tx) => recordFill(tx, next, scope, guard, fill)),
    recordFunding: (scope, guard, funding) =>
      sql.begin((tx) => recordFunding(tx, scope, guard, funding)),
    recordTransfer: (scope, guard, transfer) =>
      sql.begin((tx) => recordTransfer(tx, scope, guard, transfer)),
  };
}

type IntentOrigin = FillOrigin & { readonly id: IntentId; readonly leg: ExactFill["leg"] };

async function recordFill(
  tx: Transaction,
  next: OrderTransition,
  scope: Scope,
  guard: LeaseGuard,
  record: NewFill,
): Promise<Result<Booked, FillRefusal>> {
  const account = await guarded(tx, scope, guard);
  if (!account) return leaseLost();
  const [origin, known] = await Promise.all([
    originOf(tx, account, record),
    knownFill(tx, account, record),
  ]);
  const leg = record.leg ?? origin?.leg ?? known?.leg;
  if (leg === undefined) {
    return refuse("LEG_UNKNOWN", `trade ${record.tradeId}: nobody tells which leg it belongs to`);
  }
  const exact: ExactFill = { ...record, leg };
  const checked = checkFill(exact);
  if (!checked.ok) return checked;
  if (known) return await recordAgain(tx, account, known, exact);
  const { id: intentId, ...named } = origin ?? { ...FOREIGN, id: null };
  const fill: OwnedFill = { ...exact, ...named, leg };
  await insertFill(tx, account, fill, intentId);
  await rebook(tx, account, fill.symbol, { kind: "fill", fill });
  if (intentId !== null) await countFills(tx, next, intentId, fill.at);
  return ok("booked");
}

async function originOf(
  tx: Transaction,
  { accountId }: GuardedAccount,
  { symbol, exchangeOrderId }: NewFill,
): Promise<IntentOrigin | null> {
  return firstOrNull(
    await tx<IntentOrigin[]>`
      select id, leg, owner, client_order_id, purpose, reason from order_intents
      where account_id = ${accountId} and exchange_order_id = ${exchangeOrderId}
        and symbol = ${symbol}
      order by id desc limit 1`,
  );
}

async function knownFill(
  tx: Transaction,
  { accountId }: GuardedAccount,
  { symbol, tradeId, side }: NewFill,
): Promise<OwnedFill | null> {
  const row = firstOrNull(
    await tx<FillRow[]>`
      select ${fillColumns(tx)} from fills f left join order_intents i on i.id = f.intent_id
      where f.account_id = ${accountId} and f.symbol = ${symbol} and f.trade_id = ${tradeId}
        and f.side = ${side}`,
  );
  return row && fillOf(row);
}

async function recordAgain(
  tx: Transaction,
  account: GuardedAccount,
  known: OwnedFill,
  told: ExactFill,
): Promise<Result<Booked, "CONFLICTING_RECORD">> {
  if (!isSameExecution(known, told)) {
    const detail = `trade ${told.tradeId} of ${told.symbol} was booked with other figures`;
    return refuse("CONFLICTING_RECORD", detail);
  }
  const fee = betterFee(known.fee, told.fee);
  if (fee === known.fee) return ok("known");
  await tx`
    update fills set ${tx(feeRow(fee))}
    where account_id = ${account.accountId} and symbol = ${known.symbol}
      and trade_id = ${known.tradeId} and side = ${known.side}`;
  await rebook(tx, account, known.symbol, { kind: "fill", fill: { ...known, fee } });
  return ok("fee_replaced");
}

function feeRow(fee: Fee | null) {
  return {
    fee_amount: fee?.amount ?? null,
    fee_asset: fee?.asset ?? null,
    fee_settle_amount: fee?.settleAmount ?? null,
    fee_is_estimated: fee?.isEstimated ?? null,
  };
}

async function insertFill(
  tx: Transaction,
  { workspaceId, accountId, mode }: GuardedAccount,
  fill: OwnedFill,
  intentId: IntentId | null,
): Promise<void> {
  const row = {
    workspace_id: workspaceId,
    account_id: accountId,
    mode,
    intent_id: intentId,
    symbol: fill.symbol,
    trade_id: fill.tradeId,
    exchange_order_id: fill.exchangeOrderId,
    side: fill.side,
    leg: fill.leg,
    price: fill.price,
    qty: fill.qty,
    contract_size: fill.contractSize,
    settle_asset: fill.settleAsset,
    ...feeRow(fill.fee),
    liquidity: fill.liquidity,
    exchange_realised: fill.exchangeRealised,
    at: at(fill.at),
  };
  await tx`insert into fills ${tx(row)}`;
}

async function recordFunding(
  tx: Transaction,
  scope: Scope,
  guard: LeaseGuard,
  funding: ExactFunding,
): Promise<Result<Booked, "lease_lost" | "BAD_FUNDING" | "CONFLICTING_RECORD">> {
  const account = await guarded(tx, scope, guard);
  if (!account) return leaseLost();
  const checked = checkFunding(funding);
  if (!checked.ok) return checked;
  const { symbol, paymentId, amount, asset } = funding;
  const { accountId, workspaceId, mode } = account;
  const { count } = await tx`
    insert into funding_payments (workspace_id, account_id, mode, symbol, payment_id, amount, asset,
      at)
    values (${workspaceId}, ${accountId}, ${mode}, ${symbol}, ${paymentId}, ${amount}, ${asset},
      ${at(funding.at)})
    on conflict (account_id, symbol, payment_id) do nothing`;
  if (count === 1) {
    await rebook(tx, account, symbol, { kind: "funding", funding });
    return ok("booked");
  }
  const known = fundingOf(
    one(
      await tx<ExactFunding[]>`
        select symbol, payment_id, amount, asset, at from funding_payments
        where account_id = ${accountId} and symbol = ${symbol} and payment_id = ${paymentId}`,
    ),
  );
  const isSame =
    compare(known.amount, amount) === 0 && known.asset === asset && known.at === funding.at;
  if (isSame) return ok("known");
  const detail = `funding ${paymentId} of ${symbol} was booked with other figures`;
  return refuse("CONFLICTING_RECORD", detail);
}

async function recordTransfer(
  tx: Transaction,
  scope: Scope,
  guard: LeaseGuard,
  transfer: NewTransfer,
): Promise<Result<Booked, "lease_lost" | "CONFLICTING_RECORD">> {
  const account = await guarded(tx, scope, guard);
  if (!account) return leaseLost();
  const { workspaceId, accountId, mode } = account;
  const { ref, amount, asset, settleAmount } = transfer;
  const { count } = await tx`
    insert into ledger_entries (workspace_id, account_id, mode, kind, ref, owner, at, amount, asset,
      settle_amount, is_estimated)
    values (${workspaceId}, ${accountId}, ${mode}, 'transfer', ${ref}, 'account',
      ${at(transfer.at)}, ${amount}, ${asset}, ${settleAmount}, false)
    on conflict (account_id, kind, ref) do nothing`;
  if (count === 1) return ok("booked");
  const known = one(
    await tx<LedgerEntry[]>`
      select ${entryColumns(tx)} from ledger_entries
      where account_id = ${accountId} and kind = 'transfer' and ref = ${ref}`,
  );
  const isSame =
    compare(known.amount, amount) === 0 && known.asset === asset && known.at === transfer.at;
  if (isSame) return ok("known");
  return refuse("CONFLICTING_RECORD", `transfer ${ref} was booked with other figures`);
}
