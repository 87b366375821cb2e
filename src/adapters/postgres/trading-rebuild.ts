// Derives everything of an account again from its facts, compares with the rows that were there and
// leaves the derived ones. Used by trading-repository.ts; run after a restore and on request.
import type { LedgerEntry } from "../../model/ledger.ts";
import type { OrderTransition } from "../../model/order-status.ts";
import { ok, type Result } from "../../model/result.ts";
import type { TradeCycle } from "../../model/trade-cycle.ts";
import type { Scope } from "../../ports/access-store.ts";
import type { IntentId, LeaseGuard, RebuildReport } from "../../ports/trading-store.ts";
import type { Transaction } from "./connect.ts";
import { rebookAll } from "./trading-book.ts";
import { countFills } from "./trading-intents.ts";
import { type GuardedAccount, guarded, leaseLost } from "./trading-leases.ts";
import {
  cycleColumns,
  cycleOf,
  entryColumns,
  entryOf,
  type PositionRow,
  positionOf,
} from "./trading-rows.ts";

const DIFFERENCES_MAX = 100;

/** One transaction: nobody sees half-derived rows. */
export async function rebuild(
  tx: Transaction,
  next: OrderTransition,
  scope: Scope,
  guard: LeaseGuard,
): Promise<Result<RebuildReport, "lease_lost">> {
  const account = await guarded(tx, scope, guard);
  if (!account) return leaseLost();
  const { accountId } = account;
  const symbols = await tx<{ symbol: string }[]>`
    select symbol from fills where account_id = ${accountId}
    union select symbol from funding_payments where account_id = ${accountId}
    union select symbol from symbol_books where account_id = ${accountId}
    order by symbol`;
  const before = await derivedRows(tx, account);
  let facts = 0;
  for (const { symbol } of symbols) facts += await rebookAll(tx, account, symbol);
  const after = await derivedRows(tx, account);
  const differences = [
    ...differing(before, after),
    ...(await recountIntents(tx, next, account)),
  ].slice(0, DIFFERENCES_MAX);
  return ok({ symbols: symbols.length, facts, differences });
}

type Derived = Map<string, unknown>;

/** Every derived row under its name. */
async function derivedRows(tx: Transaction, { accountId }: GuardedAccount): Promise<Derived> {
  const [positions, cycles, entries] = await Promise.all([
    tx<PositionRow[]>`
      select symbol, leg, holder, position_side, qty, cost, unmatched_qty
      from positions where account_id = ${accountId}`,
    tx<TradeCycle[]>`
      select ${cycleColumns(tx)} from trade_cycles where account_id = ${accountId}`,
    tx<LedgerEntry[]>`
      select ${entryColumns(tx)} from ledger_entries where account_id = ${accountId}`,
  ]);
  const rows: Derived = new Map();
  for (const row of positions) {
    rows.set(`position ${row.symbol} ${row.leg} ${row.holder}`, positionOf(row));
  }
  for (const row of cycles) {
    rows.set(`cycle ${row.owner} ${row.leg} ${row.openRef}`, cycleOf(row));
  }
  for (const row of entries) rows.set(`${row.kind} ${row.ref}`, entryOf(row));
  return rows;
}

function differing(before: Derived, after: Derived): string[] {
  const found: string[] = [];
  for (const [name, row] of after) {
    const old = before.get(name);
    if (old === undefined) found.push(`${name} was missing`);
    else if (JSON.stringify(old) !== JSON.stringify(row)) found.push(`${name} was different`);
  }
  for (const name of before.keys()) {
    if (!after.has(name)) found.push(`${name} followed from nothing`);
  }
  return found;
}

async function recountIntents(
  tx: Transaction,
  next: OrderTransition,
  { accountId }: GuardedAccount,
): Promise<string[]> {
  const wrong = await tx<{ id: IntentId; updatedAt: number }[]>`
    select i.id, i.updated_at from order_intents i
    left join (
      select intent_id, sum(qty) as qty from fills
      where account_id = ${accountId} and intent_id is not null group by intent_id
    ) f on f.intent_id = i.id
    where i.account_id = ${accountId} and i.filled_qty <> coalesce(f.qty, 0)
    order by i.id`;
  for (const { id, updatedAt } of wrong) await countFills(tx, next, id, updatedAt);
  return wrong.map(({ id }) => `filled quantity of intent ${id} was different`);
}
