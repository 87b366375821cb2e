// Fills the runs table with a million made-up runs for the grid's benchmark: plain SQL, repeatable,
// indexes built afterwards because that is many times quicker than filling them row by row.
import type { Sql } from "../../src/adapters/postgres/connect.ts";
import type { Scope } from "../../src/ports/access-store.ts";

type Owner = Scope & { readonly userId: NonNullable<Scope["userId"]> };

/** Symbols of the seeded runs; the first are far more frequent than the last. */
export const SEED_SYMBOLS: readonly string[] = Array.from(
  { length: 60 },
  (_, index) => `${index < 10 ? "PERP_" : ""}S${String(index).padStart(2, "0")}/USDT:USDT`,
);

async function withoutIndexes(sql: Sql, work: () => Promise<void>): Promise<void> {
  const indexes = await sql<{ name: string; made: string }[]>`
    select c.relname::text as name, pg_get_indexdef(i.indexrelid) as made
    from pg_index as i join pg_class as c on c.oid = i.indexrelid
    where i.indrelid = 'runs'::regclass and not i.indisunique`;
  for (const { name } of indexes) await sql`drop index ${sql(name)}`;
  await work();
  await sql`set maintenance_work_mem = '512MB'`;
  for (const { made } of indexes) await sql.unsafe(made);
  await sql`reset maintenance_work_mem`;
}

/**
 * Adds runs to the scope's workspace: mostly finished, one in twelve without daily ratios, two
 * thousand marked by the user.
 * @param sql one connection, statement time-out off
 */
export async function seedRuns(sql: Sql, scope: Owner, count: number): Promise<void> {
  await sql`select setseed(0.42)`;
  await withoutIndexes(sql, async () => {
    await sql`
      insert into runs (workspace_id, created_by, status, error, created_at, started_at,
        finished_at, name, strategy_name, exchange_id, symbol, kind, timeframe_min, direction,
        from_at, to_at, series_id, net_return, net_profit, cagr, max_drawdown, sharpe, sortino,
        calmar, profit_factor, no_losses, win_rate, cpc_index, common_sense_ratio, roi_on_margin,
        cycles, fills, fees_total, funding_total, exposure, avg_position_time_s, liquidated)
      select ${scope.workspaceId}, ${scope.userId}, status,
        case when status = 'failed' then 'the candles end before the window begins' end,
        made, made, case when status in ('queued', 'running') then null else made end,
        case when n % 3 > 0 then 'Trial ' || n || ' ' || substr(md5(n::text), 1, 6) end,
        (array['DragonDcaAtr', 'MaCrossover', 'Rsi', 'Bollinger'])[1 + n * 7 % 11 % 4],
        (array['woox', 'binance', 'bybit', 'kucoin'])[1 + floor(random() ^ 2 * 4)::int],
        (${[...SEED_SYMBOLS]}::text[])[1 + floor(random() ^ 2 * 60)::int],
        case when n % 5 = 0 then 'spot' else 'perps' end,
        (array[1, 3, 5, 15, 60, 240, 1440])[1 + n * 13 % 7],
        (array['long', 'long', 'short', 'both'])[1 + floor(random() * 4)::int],
        span_from, span_from + (7 + floor(random() ^ 2 * 700)) * interval '1 day',
        1 + n % 400,
        case when done then r end, case when done then round((r * 10000)::numeric, 8) end,
        case when done then r * 2.5 end, case when done then abs(random() - random()) * 0.8 end,
        case when rated then r * 4 + random() end, case when rated then r * 6 + random() end,
        case when rated then r * 9 + random() end,
        case when done and n % 50 > 0 then exp(r * 2) end, case when done then n % 50 = 0 end,
        case when done then round((0.5 + r / 3)::numeric, 4)::float8 end,
        case when done then exp(r) * random() * 2 end, case when rated then exp(r) * random() end,
        case when done then r * 12 end, case when done then floor(random() ^ 3 * 900)::int end,
        case when done then floor(random() ^ 3 * 4000)::int end,
        case when done then round((random() ^ 2 * 900)::numeric, 6) end,
        case when done then round((random() * 20 - 12)::numeric, 6) end,
        case when done then random() end, case when done then random() ^ 3 * 400000 end,
        case when done then random() < 0.01 end
      from (
        select n, (random() + random() + random() - 1.5) as r,
          (array['failed', 'cancelled', 'queued'])[case when n % 40 = 7 then 1 + n % 3 end]
            is null as done,
          n % 40 <> 7 and n % 12 <> 5 as rated,
          case when n % 40 = 7 then (array['failed', 'cancelled', 'queued'])[1 + n / 40 % 3]
            else 'finished' end as status,
          timestamptz '2024-01-01 00:00Z' + n * interval '70 seconds' as made,
          timestamptz '2019-01-01 00:00Z' + (n * 37 % 1800) * interval '1 day' as span_from
        from generate_series(1, ${count}::int) as n
      ) as seeds`;
  });
  await sql`
    insert into run_shortlists (workspace_id, run_id, user_id, is_shortlisted, note, updated_at)
    select ${scope.workspaceId}, id, ${scope.userId}, id % 3 > 0,
      case when id % 4 = 0 then 'keep an eye on ' || symbol end, now()
    from runs where workspace_id = ${scope.workspaceId} and id % 500 = 7`;
  await sql`vacuum analyze runs`;
  await sql`vacuum analyze run_shortlists`;
}
