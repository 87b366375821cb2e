// Reading trading rows on PostgreSQL. Used by trading-repository.ts and trading-rebuild.ts. Amounts
// arrive exact and in their shortest writing.
import type { Decimal } from "../../model/decimal.ts";
import {
  type LedgerEntry,
  type LedgerKind,
  type LedgerTotals,
  ledgerTotals,
} from "../../model/ledger.ts";
import { assert } from "../../model/result.ts";
import type { EpochMs } from "../../model/time.ts";
import { compareKeys, factKey, type OwnedFill, type Owner } from "../../model/trade-record.ts";
import type { Scope } from "../../ports/access-store.ts";
import type { AccountId } from "../../ports/account-store.ts";
import type {
  IntentId,
  OrderFills,
  StoredCycle,
  StoredIntent,
  SymbolHolding,
  TradingStore,
} from "../../ports/trading-store.ts";
import type { Query, Sql } from "./connect.ts";
import { at, firstOrNull, one } from "./rows.ts";
import {
  cycleColumns,
  cycleOf,
  entryColumns,
  entryOf,
  type FillRow,
  fillColumns,
  fillOf,
  intentColumns,
  intentOf,
  plain,
  type PositionRow,
  positionOf,
} from "./trading-rows.ts";

const ROWS_MAX = 1000;
const ORDERS_MAX = 500;

/** The reading part of the store. */
export function createTradingReads(
  sql: Sql,
): Pick<
  TradingStore,
  | "findIntent"
  | "aliveIntents"
  | "orders"
  | "recentIntents"
  | "holdings"
  | "fills"
  | "cycles"
  | "ledger"
  | "totals"
> {
  return {
    findIntent: async (scope, accountId, clientOrderId) => {
      const row = firstOrNull(
        await sql<StoredIntent[]>`
          select ${intentColumns(sql)} from order_intents
          where account_id = ${accountId} and workspace_id = ${scope.workspaceId}
            and client_order_id = ${clientOrderId}`,
      );
      return row && intentOf(row);
    },
    aliveIntents: async (scope, accountId) => {
      const rows = await sql<StoredIntent[]>`
        select ${intentColumns(sql)} from order_intents
        where account_id = ${accountId} and workspace_id = ${scope.workspaceId} and status in
          ('planned', 'parked', 'sending', 'unverified', 'open', 'partly_filled')
        order by id`;
      return rows.map(intentOf);
    },
    orders: (scope, accountId, ids) => orders(sql, scope, accountId, ids),
    recentIntents: async (scope, accountId, { owner, limit }) => {
      const isMeant = owner === null ? sql`` : sql`and owner = ${owner}`;
      const rows = await sql<StoredIntent[]>`
        select ${intentColumns(sql)} from order_intents
        where account_id = ${accountId} and workspace_id = ${scope.workspaceId} ${isMeant}
        order by id desc limit ${checkedLimit(limit)}`;
      return rows.map(intentOf);
    },
    holdings: (scope, accountId) => holdings(sql, scope, accountId),
    fills: async (scope, accountId, symbol) => {
      const rows = await sql<FillRow[]>`
        select ${fillColumns(sql)} from fills f left join order_intents i on i.id = f.intent_id
        where f.account_id = ${accountId} and f.workspace_id = ${scope.workspaceId}
          and f.symbol = ${symbol}`;
      return sortedFills(rows.map(fillOf));
    },
    cycles: async (scope, accountId, limit) => {
      const rows = await sql<StoredCycle[]>`
        select ${cycleColumns(sql)}, worst_ratio, best_ratio from trade_cycles
        where account_id = ${accountId} and workspace_id = ${scope.workspaceId}
        order by opened_at desc, id desc limit ${checkedLimit(limit)}`;
      return rows.map(cycleOf);
    },
    ledger: async (scope, accountId, limit) => {
      const rows = await sql<LedgerEntry[]>`
        select ${entryColumns(sql)} from ledger_entries
        where account_id = ${accountId} and workspace_id = ${scope.workspaceId}
        order by at desc, id desc limit ${checkedLimit(limit)}`;
      return rows.map(entryOf);
    },
    totals: (scope, accountId, query) => totals(sql, scope, accountId, query),
  };
}

function checkedLimit(limit: number): number {
  const fits = Number.isInteger(limit) && limit >= 1 && limit <= ROWS_MAX;
  assert(fits, `limit: ${limit} must be a whole number from 1 to ${ROWS_MAX}`);
  return limit;
}

async function orders(
  sql: Query,
  scope: Scope,
  accountId: AccountId,
  ids: readonly IntentId[],
): Promise<OrderFills[]> {
  assert(ids.length <= ORDERS_MAX, `ids: ${ids.length} orders are more than ${ORDERS_MAX}`);
  if (ids.length === 0) return [];
  const [intents, fills] = await Promise.all([
    sql<StoredIntent[]>`
      select ${intentColumns(sql)} from order_intents
      where account_id = ${accountId} and workspace_id = ${scope.workspaceId}
        and id = any(${[...ids]}::bigint[])
      order by id`,
    sql<(FillRow & { intentId: IntentId })[]>`
      select f.intent_id, ${fillColumns(sql)}
      from fills f join order_intents i on i.id = f.intent_id
      where f.account_id = ${accountId} and f.workspace_id = ${scope.workspaceId}
        and f.intent_id = any(${[...ids]}::bigint[])`,
  ]);
  const byIntent = Map.groupBy(fills, ({ intentId }) => intentId);
  return intents.map((row) => {
    const rows = byIntent.get(row.id) ?? [];
    return {
      intent: intentOf(row),
      fills: sortedFills(rows.map(({ intentId: _, ...fill }) => fillOf(fill))),
    };
  });
}

/** In the order in which facts count. */
function sortedFills(fills: readonly OwnedFill[]): OwnedFill[] {
  return fills
    .map((fill) => ({ fill, key: factKey({ kind: "fill", fill }) }))
    .sort((a, b) => compareKeys(a.key, b.key))
    .map(({ fill }) => fill);
}

async function holdings(sql: Query, scope: Scope, accountId: AccountId): Promise<SymbolHolding[]> {
  const rows = await sql<PositionRow[]>`
    select symbol, leg, holder, position_side, qty, cost, unmatched_qty from positions
    where account_id = ${accountId} and workspace_id = ${scope.workspaceId}
    order by symbol collate "C", leg collate "C", holder collate "C"`;
  return rows.map((row) => {
    const { symbol, leg, holder } = row;
    return { symbol, leg, holder, position: positionOf(row) };
  });
}

async function totals(
  sql: Query,
  scope: Scope,
  accountId: AccountId,
  query: { readonly sinceAt: EpochMs; readonly owner: Owner | null },
): Promise<LedgerTotals> {
  type Sum = {
    readonly kind: LedgerKind;
    readonly worth: Decimal;
    readonly missing: number;
    readonly estimated: number;
  };
  const { sinceAt, owner } = query;
  const [sums, feeless] = await Promise.all([
    sql<Sum[]>`
      select kind, coalesce(sum(settle_amount), 0) as worth,
        count(*) filter (where settle_amount is null) as missing,
        count(*) filter (where is_estimated) as estimated
      from ledger_entries
      where account_id = ${accountId} and workspace_id = ${scope.workspaceId}
        and at >= ${at(sinceAt)} and (${owner}::text is null or owner = ${owner})
      group by kind`,
    sql<{ count: number }[]>`
      select count(*) as count from fills f left join order_intents i on i.id = f.intent_id
      where f.account_id = ${accountId} and f.workspace_id = ${scope.workspaceId}
        and f.at >= ${at(sinceAt)} and f.fee_amount is null
        and (${owner}::text is null or coalesce(i.owner, 'foreign') = ${owner})`,
  ]);
  const summed = ledgerTotals(
    sums.map(({ kind, worth }) => ({ kind, settleAmount: plain(worth), isEstimated: false })),
  );
  return {
    ...summed,
    missing: sums.reduce((count, sum) => count + sum.missing, one(feeless).count),
    estimated: sums.reduce((count, sum) => count + sum.estimated, 0),
  };
}
