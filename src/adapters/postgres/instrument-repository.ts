// Instruments on PostgreSQL: the rules of every market as last fetched. Built by main.ts and tests.
// Amounts are exact decimals in the table and the same floats outside.
import type { EpochMs } from "../../model/time.ts";
import type {
  InstrumentFilter,
  InstrumentRecord,
  InstrumentStore,
  NewInstrument,
} from "../../ports/instrument-store.ts";
import type { Query, Sql } from "./connect.ts";
import { at, firstOrNull, jsonb, numericText, parseNumeric } from "./rows.ts";

type Amount = "priceTick" | "qtyStep" | "minQty" | "minNotional" | "contractSize";

type InstrumentRow = Omit<InstrumentRecord, Amount> & Readonly<Record<Amount, string>>;

/** The instrument store on a migrated database. */
export function createInstrumentRepository(sql: Sql): InstrumentStore {
  return {
    saveAll: (instruments, fetchedAt) => saveAll(sql, instruments, fetchedAt),
    find: async (exchangeId, symbol, kind) => {
      const row = firstOrNull(
        await sql<InstrumentRow[]>`
          select ${columns(sql)} from instruments
          where exchange_id = ${exchangeId} and symbol = ${symbol} and kind = ${kind}`,
      );
      return row && toInstrument(row);
    },
    list: (filter) => list(sql, filter),
  };
}

function columns(sql: Query) {
  return sql`id, exchange_id, symbol, kind, base, quote, settle, price_tick, qty_step, min_qty,
    min_notional, contract_size, is_linear, is_active, fetched_at`;
}

async function list(sql: Sql, filter: InstrumentFilter): Promise<InstrumentRecord[]> {
  const { exchangeId, kind } = filter;
  const rows = await sql<InstrumentRow[]>`
    select ${columns(sql)} from instruments
    where true
      ${exchangeId === undefined ? sql`` : sql`and exchange_id = ${exchangeId}`}
      ${kind === undefined ? sql`` : sql`and kind = ${kind}`}
      ${filter.activeOnly ? sql`and is_active` : sql``}
    order by exchange_id collate "C", symbol collate "C", kind collate "C"`;
  return rows.map(toInstrument);
}

/** One statement whatever the number: the rows travel as one document. */
async function saveAll(
  sql: Sql,
  instruments: readonly NewInstrument[],
  fetchedAt: EpochMs,
): Promise<number> {
  const unique = new Map(
    instruments.map((item) => [`${item.exchangeId} ${item.kind} ${item.symbol}`, item]),
  );
  const document = [...unique.values()].map((item) => ({
    exchange_id: item.exchangeId,
    symbol: item.symbol,
    kind: item.kind,
    base: item.base,
    quote: item.quote,
    settle: item.settle,
    price_tick: numericText(item.priceTick),
    qty_step: numericText(item.qtyStep),
    min_qty: numericText(item.minQty),
    min_notional: numericText(item.minNotional),
    contract_size: numericText(item.contractSize),
    is_linear: item.isLinear,
    is_active: item.isActive,
  }));
  const { count } = await sql`
    insert into instruments (exchange_id, symbol, kind, base, quote, settle, price_tick, qty_step,
      min_qty, min_notional, contract_size, is_linear, is_active, fetched_at)
    select item.*, ${at(fetchedAt)}
    from jsonb_to_recordset(${jsonb(sql, document)}) as item (exchange_id text, symbol text,
      kind text, base text, quote text, settle text, price_tick numeric, qty_step numeric,
      min_qty numeric, min_notional numeric, contract_size numeric, is_linear boolean,
      is_active boolean)
    on conflict (exchange_id, symbol, kind) do update set base = excluded.base,
      quote = excluded.quote, settle = excluded.settle, price_tick = excluded.price_tick,
      qty_step = excluded.qty_step, min_qty = excluded.min_qty,
      min_notional = excluded.min_notional, contract_size = excluded.contract_size,
      is_linear = excluded.is_linear, is_active = excluded.is_active,
      fetched_at = excluded.fetched_at`;
  return count;
}

function toInstrument(row: InstrumentRow): InstrumentRecord {
  return {
    ...row,
    priceTick: parseNumeric(row.priceTick),
    qtyStep: parseNumeric(row.qtyStep),
    minQty: parseNumeric(row.minQty),
    minNotional: parseNumeric(row.minNotional),
    contractSize: parseNumeric(row.contractSize),
  };
}
