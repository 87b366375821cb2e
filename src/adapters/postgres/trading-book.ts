// Derived rows of one symbol on PostgreSQL: holdings, cycles, ledger entries. Called by the trading
// writes after a fact was stored, inside their transaction and under the account's lease. A fact newer
// than all others is added to the stored book; an older one derives the book again from the last
// moment before it at which nobody held anything.
import type { LedgerEntry } from "../../model/ledger.ts";
import {
  applyFacts,
  type BookOutcome,
  bookOf,
  emptyBook,
  type Holding,
  type SymbolBook,
  sortedHoldings,
} from "../../model/symbol-book.ts";
import type { TradeCycle } from "../../model/trade-cycle.ts";
import type { EpochMs } from "../../model/time.ts";
import {
  type BookFact,
  compareKeys,
  type ExactFunding,
  type FactKey,
  factKey,
} from "../../model/trade-record.ts";
import type { Transaction } from "./connect.ts";
import { at, firstOrNull, jsonb } from "./rows.ts";
import type { GuardedAccount } from "./trading-leases.ts";
import {
  cycleColumns,
  cycleOf,
  cyclesJson,
  entriesJson,
  type FillRow,
  fillColumns,
  fillOf,
  fundingOf,
  holdingsJson,
  type PositionRow,
  positionOf,
} from "./trading-rows.ts";

/** Before every fact. */
const BEGINNING: EpochMs = 0;

/** Brings the derived rows of a symbol up to date after `fact` was stored or changed. */
export async function rebook(
  tx: Transaction,
  account: GuardedAccount,
  symbol: string,
  fact: BookFact,
): Promise<void> {
  const last = await lastKey(tx, account, symbol);
  const key = factKey(fact);
  if (last && compareKeys(key, last) > 0) {
    const book = await storedBook(tx, account, symbol);
    const outcome = applyFacts(book, [fact]);
    await save(tx, account, book, outcome, { last: key, replayedAfter: null });
    return;
  }
  await replay(tx, account, symbol, await quietBefore(tx, account, symbol, key.at));
}

/** Derives the book of a symbol from its first fact on. @returns how many facts there are */
export async function rebookAll(
  tx: Transaction,
  account: GuardedAccount,
  symbol: string,
): Promise<number> {
  return await replay(tx, account, symbol, BEGINNING);
}

async function replay(
  tx: Transaction,
  account: GuardedAccount,
  symbol: string,
  after: EpochMs,
): Promise<number> {
  const facts = await factsAfter(tx, account, symbol, after);
  const book = emptyBook(symbol);
  const outcome = applyFacts(book, facts);
  const newest = facts.at(-1);
  const last = newest ? factKey(newest) : await lastKey(tx, account, symbol);
  if (last) await save(tx, account, book, outcome, { last, replayedAfter: after });
  return facts.length;
}

async function lastKey(
  tx: Transaction,
  { accountId }: GuardedAccount,
  symbol: string,
): Promise<FactKey | null> {
  return firstOrNull(
    await tx<FactKey[]>`
      select last_at as at, last_rank as rank, last_id as id, last_side as side
      from symbol_books where account_id = ${accountId} and symbol = ${symbol}`,
  );
}

async function storedBook(
  tx: Transaction,
  { accountId }: GuardedAccount,
  symbol: string,
): Promise<SymbolBook> {
  const [positions, cycles] = await Promise.all([
    tx<PositionRow[]>`
      select symbol, leg, holder, position_side, qty, cost, unmatched_qty
      from positions where account_id = ${accountId} and symbol = ${symbol}`,
    tx<TradeCycle[]>`
      select ${cycleColumns(tx)} from trade_cycles
      where account_id = ${accountId} and symbol = ${symbol} and closed_at is null`,
  ]);
  const open = new Map(cycles.map((row) => [`${row.leg}/${row.owner}`, cycleOf(row)]));
  return bookOf(
    symbol,
    positions.map((row): Holding => {
      const { leg, holder } = row;
      return {
        leg,
        holder,
        position: positionOf(row),
        cycle: open.get(`${leg}/${holder}`) ?? null,
      };
    }),
  );
}

/**
 * The last millisecond before `before` that ended with nobody holding anything. Milliseconds with a
 * fill after which somebody held something are passed over: a replay begins with a whole one.
 */
async function quietBefore(
  tx: Transaction,
  { accountId }: GuardedAccount,
  symbol: string,
  before: EpochMs,
): Promise<EpochMs> {
  const row = firstOrNull(
    await tx<{ at: EpochMs }[]>`
      select at from fills f
      where account_id = ${accountId} and symbol = ${symbol} and is_quiet_after
        and at < ${at(before)} and not exists (
          select 1 from fills other
          where other.account_id = f.account_id and other.symbol = f.symbol and other.at = f.at
            and not other.is_quiet_after)
      order by at desc limit 1`,
  );
  return row?.at ?? BEGINNING;
}

/** The facts of a symbol after an instant, in the order they count. */
export async function factsAfter(
  tx: Transaction,
  { accountId }: Pick<GuardedAccount, "accountId">,
  symbol: string,
  after: EpochMs,
): Promise<BookFact[]> {
  const [fills, payments] = await Promise.all([
    tx<FillRow[]>`
      select ${fillColumns(tx)} from fills f left join order_intents i on i.id = f.intent_id
      where f.account_id = ${accountId} and f.symbol = ${symbol} and f.at > ${at(after)}`,
    tx<ExactFunding[]>`
      select symbol, payment_id, amount, asset, at from funding_payments
      where account_id = ${accountId} and symbol = ${symbol} and at > ${at(after)}`,
  ]);
  const facts: BookFact[] = [
    ...fills.map((row): BookFact => ({ kind: "fill", fill: fillOf(row) })),
    ...payments.map((row): BookFact => ({ kind: "funding", funding: fundingOf(row) })),
  ];
  return facts
    .map((fact) => ({ fact, key: factKey(fact) }))
    .sort((a, b) => compareKeys(a.key, b.key))
    .map(({ fact }) => fact);
}

type SaveHow = {
  readonly last: FactKey;
  /** Everything derived after this instant is new; null when only one fact was added. */
  readonly replayedAfter: EpochMs | null;
};

async function save(
  tx: Transaction,
  account: GuardedAccount,
  book: SymbolBook,
  outcome: BookOutcome,
  { last, replayedAfter }: SaveHow,
): Promise<void> {
  const { workspaceId, accountId } = account;
  const holdings = sortedHoldings(book);
  const open = holdings.flatMap(({ cycle }) => (cycle ? [cycle] : []));
  if (replayedAfter !== null) await forget(tx, account, book.symbol, replayedAfter);
  await Promise.all([
    tx`
      insert into symbol_books (account_id, workspace_id, symbol, version, last_at, last_rank,
        last_id, last_side)
      values (${accountId}, ${workspaceId}, ${book.symbol}, 1, ${at(last.at)}, ${last.rank},
        ${last.id}, ${last.side})
      on conflict (account_id, symbol) do update set version = symbol_books.version + 1,
        last_at = excluded.last_at, last_rank = excluded.last_rank, last_id = excluded.last_id,
        last_side = excluded.last_side`,
    saveHoldings(tx, account, book.symbol, holdings),
    saveCycles(tx, account, book.symbol, [...outcome.closed, ...open], replayedAfter),
    saveEntries(tx, account, outcome.entries),
    saveQuiet(tx, account, book.symbol, outcome.quietAfter),
  ]);
}

async function forget(
  tx: Transaction,
  { accountId }: GuardedAccount,
  symbol: string,
  after: EpochMs,
): Promise<void> {
  await Promise.all([
    tx`
      delete from ledger_entries
      where account_id = ${accountId} and symbol = ${symbol} and at > ${at(after)}
        and kind in ('realised', 'fee', 'funding')`,
    tx`
      update fills set is_quiet_after = false
      where account_id = ${accountId} and symbol = ${symbol} and at > ${at(after)}
        and is_quiet_after`,
  ]);
}

async function saveHoldings(
  tx: Transaction,
  { workspaceId, accountId, mode }: GuardedAccount,
  symbol: string,
  holdings: readonly Holding[],
): Promise<void> {
  await tx`
    with wanted as (
      select * from jsonb_to_recordset(${jsonb(tx, holdingsJson(holdings))}) as x (
        holder text, leg text, position_side text, qty numeric, cost numeric,
        unmatched_qty numeric)
    ), gone as (
      delete from positions p where account_id = ${accountId} and symbol = ${symbol}
        and not exists (select 1 from wanted w where w.leg = p.leg and w.holder = p.holder)
    )
    insert into positions (account_id, workspace_id, mode, symbol, leg, holder, position_side, qty,
      cost, unmatched_qty, version)
    select ${accountId}, ${workspaceId}, ${mode}, ${symbol}, leg, holder, position_side, qty, cost,
      unmatched_qty, 1
    from wanted
    on conflict (account_id, symbol, leg, holder) do update set
      position_side = excluded.position_side, qty = excluded.qty, cost = excluded.cost,
      unmatched_qty = excluded.unmatched_qty, version = positions.version + 1
    where (positions.position_side, positions.qty, positions.cost, positions.unmatched_qty)
      is distinct from
      (excluded.position_side, excluded.qty, excluded.cost, excluded.unmatched_qty)`;
}

async function saveCycles(
  tx: Transaction,
  { workspaceId, accountId, mode }: GuardedAccount,
  symbol: string,
  cycles: readonly TradeCycle[],
  replayedAfter: EpochMs | null,
): Promise<void> {
  // Excursions seen by marks stay: a cycle that is there again keeps its row.
  await tx`
    with wanted as (
      select * from jsonb_to_recordset(${jsonb(tx, cyclesJson(cycles))}) as x (
        owner text, leg text, position_side text, open_ref text, opened_at timestamptz,
        closed_at timestamptz, entry_qty numeric, entry_cost numeric, exit_qty numeric,
        exit_cost numeric, max_qty numeric, realised numeric, fees numeric, fees_missing integer,
        funding numeric, fills integer, rungs jsonb, exit_reason text, settle_asset text)
    ), gone as (
      delete from trade_cycles c
      where account_id = ${accountId} and symbol = ${symbol}
        and opened_at > ${at(replayedAfter)}::timestamptz
        and not exists (select 1 from wanted w
          where w.leg = c.leg and w.owner = c.owner and w.open_ref = c.open_ref)
    )
    insert into trade_cycles (account_id, workspace_id, mode, symbol, leg, owner, position_side,
      open_ref, opened_at, closed_at, entry_qty, entry_cost, exit_qty, exit_cost, max_qty,
      realised, fees, fees_missing, funding, fills, rungs, exit_reason, settle_asset)
    select ${accountId}, ${workspaceId}, ${mode}, ${symbol}, leg, owner, position_side, open_ref,
      opened_at, closed_at, entry_qty, entry_cost, exit_qty, exit_cost, max_qty, realised, fees,
      fees_missing, funding, fills, rungs, exit_reason, settle_asset
    from wanted
    on conflict (account_id, symbol, leg, owner, open_ref) do update set
      position_side = excluded.position_side, opened_at = excluded.opened_at,
      closed_at = excluded.closed_at, entry_qty = excluded.entry_qty,
      entry_cost = excluded.entry_cost, exit_qty = excluded.exit_qty,
      exit_cost = excluded.exit_cost, max_qty = excluded.max_qty, realised = excluded.realised,
      fees = excluded.fees, fees_missing = excluded.fees_missing, funding = excluded.funding,
      fills = excluded.fills, rungs = excluded.rungs, exit_reason = excluded.exit_reason,
      settle_asset = excluded.settle_asset`;
}

async function saveEntries(
  tx: Transaction,
  { workspaceId, accountId, mode }: GuardedAccount,
  entries: readonly LedgerEntry[],
): Promise<void> {
  if (entries.length === 0) return;
  await tx`
    insert into ledger_entries (workspace_id, account_id, mode, kind, ref, owner, symbol, leg, at,
      amount, asset, settle_amount, is_estimated)
    select ${workspaceId}, ${accountId}, ${mode}, kind, ref, owner, symbol, leg, at, amount, asset,
      settle_amount, is_estimated
    from jsonb_to_recordset(${jsonb(tx, entriesJson(entries))}) as x (
      kind text, ref text, owner text, symbol text, leg text, at timestamptz, amount numeric,
      asset text, settle_amount numeric, is_estimated boolean)`;
}

async function saveQuiet(
  tx: Transaction,
  { accountId }: GuardedAccount,
  symbol: string,
  quietAfter: readonly FactKey[],
): Promise<void> {
  const fills = quietAfter.filter((key) => key.rank === 0);
  if (fills.length === 0) return;
  await tx`
    update fills f set is_quiet_after = true
    from unnest(${fills.map((key) => key.id)}::text[], ${fills.map((key) => key.side)}::text[])
      as quiet (trade_id, side)
    where f.account_id = ${accountId} and f.symbol = ${symbol} and f.trade_id = quiet.trade_id
      and f.side = quiet.side`;
}
