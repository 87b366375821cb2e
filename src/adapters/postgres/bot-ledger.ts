// The ledger of one owner with running sums, on PostgreSQL. Built by src/bot-detail.ts and tests; the rows
// themselves are written by trading-book.ts. The sums are exact: they are made of numerics.
import type { Decimal } from "../../model/decimal.ts";
import { assert } from "../../model/result.ts";
import type { Scope } from "../../ports/access-store.ts";
import type { BotLedgerStore, LedgerQuery, LedgerRow } from "../../ports/bot-ledger-store.ts";
import type { Query, Sql } from "./connect.ts";
import { at, firstOrNull } from "./rows.ts";
import { entryColumns, entryOf, plain } from "./trading-rows.ts";

const ROWS_MAX = 500;

/** The ledgers of a migrated database. */
export function createBotLedger(sql: Sql): BotLedgerStore {
  return {
    rows: (scope, query) => rows(sql, scope, query),
    contractSize: async ({ workspaceId }, accountId, symbol) => {
      const row = firstOrNull(
        await sql<{ contractSize: Decimal }[]>`
          select contract_size from fills
          where account_id = ${accountId} and workspace_id = ${workspaceId}
            and symbol = ${symbol}
          order by at desc limit 1`,
      );
      return row && plain(row.contractSize);
    },
  };
}

async function rows(sql: Query, scope: Scope, query: LedgerQuery): Promise<LedgerRow[]> {
  const { accountId, owner, kinds, before, limit } = query;
  const fits = Number.isInteger(limit) && limit >= 1 && limit <= ROWS_MAX;
  assert(fits, `limit: ${limit} must be a whole number from 1 to ${ROWS_MAX}`);
  const isMeant = sql`account_id = ${accountId} and workspace_id = ${scope.workspaceId}
    and owner = ${owner} ${kinds === null ? sql`` : sql`and kind = any(${[...kinds]}::text[])`}`;
  const found = await sql<LedgerRow[]>`
    with page as (
      select id, ${entryColumns(sql)} from ledger_entries
      where ${isMeant}
        ${before === null ? sql`` : sql`and (at, id) < (${at(before.at)}, ${before.id})`}
      order by at desc, id desc limit ${limit}
    ), below as (
      select coalesce(sum(settle_amount), 0) as worth from ledger_entries
      where ${isMeant}
        and (at, id) < (select at, id from page order by at, id limit 1)
    )
    select page.*, below.worth + sum(coalesce(settle_amount, 0)) over (order by at, id) as running
    from page, below
    order by at desc, id desc`;
  return found.map((row) => ({ ...row, ...entryOf(row), running: plain(row.running) }));
}
