// The stored series as tables: candles with their coverage, funding rates. Part of the candles page,
// sent again when a job has stored something. Plain props in, HTML out.
import type { Child } from "hono/jsx";
import { CoverageBar, CoverageLegend, CoverageWaiting } from "../components/coverage-bar.tsx";
import type { CoverageBarProps } from "../components/coverage-bar.tsx";
import { EmptyState } from "../components/parts.tsx";
import { age, asset, bytes, count, date, timeframe } from "../format.ts";

/** A series of either kind. */
export type SeriesRow = {
  readonly id: number;
  readonly exchangeId: string;
  readonly symbol: string;
  readonly kind: "perps" | "spot";
  readonly items: number;
  readonly firstAt: number | null;
  readonly lastAt: number | null;
  readonly bytes: number;
  readonly updatedAt: number;
};

/** A candle series; `bar` is null while its coverage has to be looked up. */
export type CandleRow = SeriesRow & {
  readonly timeframeMin: number;
  readonly pillTone: "green" | "amber" | "blue";
  /** e.g. `99.9%, 3 gaps`; never 100% while a candle is missing. */
  readonly coverage: string;
  readonly bar: Pick<CoverageBarProps, "stretches" | "segments"> | null;
};

/** Props of the list. */
export type SeriesListProps = {
  readonly candles: readonly CandleRow[];
  readonly funding: readonly SeriesRow[];
  readonly timeZone: string;
  readonly now: number;
  readonly canChange: boolean;
};

/** The timeframe as a pill. */
export function TimeframePill({ row }: { row: Pick<CandleRow, "timeframeMin" | "pillTone"> }) {
  return <span class={`pill ${row.pillTone}`}>{timeframe(row.timeframeMin)}</span>;
}

function AssetCell({ row, children }: { row: SeriesRow; children?: unknown }) {
  return (
    <td class="asset">
      <a href={`/candles/${row.id}`}>{asset(row.symbol)}</a> {children}
      <span class="muted small">
        {row.exchangeId} · {row.kind}
      </span>
    </td>
  );
}

function Extent({ row, zone }: { row: SeriesRow; zone: string }) {
  return (
    <td class="number extent">
      {row.firstAt === null ? "empty" : `${date(row.firstAt, zone)} – ${date(row.lastAt, zone)}`}
    </td>
  );
}

function CandleLine({ row, zone, now }: { row: CandleRow; zone: string; now: number }) {
  return (
    <tr>
      <AssetCell row={row}>
        <TimeframePill row={row} />
      </AssetCell>
      <td class="number figure wide-only">{count(row.items)}</td>
      <Extent row={row} zone={zone} />
      <td class="coverage-cell">
        {row.bar ? (
          <CoverageBar {...row.bar} timeZone={zone} label={row.coverage} />
        ) : (
          <CoverageWaiting href={`/candles/${row.id}/coverage`} />
        )}
        <span class="small muted number">{row.coverage}</span>
      </td>
      <td class="number figure wide-only">{bytes(row.bytes)}</td>
      <td class="number wide-only">{age(row.updatedAt, now)}</td>
    </tr>
  );
}

/** The table around series of one kind; candles show their coverage and give up their count when narrow. */
function SeriesTable(props: { items: string; hasCoverage?: boolean; children: Child }) {
  const { items, hasCoverage = false, children } = props;
  return (
    <div class="card table-card series-table">
      <table>
        <thead>
          <tr>
            <th scope="col">Series</th>
            <th scope="col" class={hasCoverage ? "figure wide-only" : "figure"}>
              {items}
            </th>
            <th scope="col">From – to</th>
            {hasCoverage ? (
              <th scope="col" class="coverage-cell">
                Coverage
              </th>
            ) : null}
            <th scope="col" class="figure wide-only">
              Size
            </th>
            <th scope="col" class="wide-only">
              Updated
            </th>
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

function CandleTable({ candles, timeZone, now }: SeriesListProps) {
  return (
    <>
      <SeriesTable items="Candles" hasCoverage>
        {candles.map((row) => (
          <CandleLine row={row} zone={timeZone} now={now} />
        ))}
      </SeriesTable>
      <CoverageLegend />
    </>
  );
}

function FundingTable({ funding, timeZone, now }: SeriesListProps) {
  return (
    <>
      <h2 class="section">Funding rates</h2>
      <SeriesTable items="Rates">
        {funding.map((row) => (
          <tr>
            <AssetCell row={row} />
            <td class="number figure">{count(row.items)}</td>
            <Extent row={row} zone={timeZone} />
            <td class="number figure wide-only">{bytes(row.bytes)}</td>
            <td class="number wide-only">{age(row.updatedAt, now)}</td>
          </tr>
        ))}
      </SeriesTable>
    </>
  );
}

function NothingYet({ canChange }: SeriesListProps) {
  if (!canChange) return <EmptyState sentence="No candles yet. A trader can bring them in." />;
  return (
    <EmptyState
      sentence="No candles yet. Download the history of a market, or import a file you have."
      action={{ href: "#symbol", label: "Download candles" }}
    />
  );
}

/** All series of the workspace. */
export function SeriesList(props: SeriesListProps) {
  const isEmpty = props.candles.length + props.funding.length === 0;
  return (
    <div
      id="series"
      hx-get="/candles/list"
      hx-trigger="series-changed from:body"
      hx-swap="outerHTML"
    >
      {isEmpty ? <NothingYet {...props} /> : null}
      {props.candles.length > 0 ? <CandleTable {...props} /> : null}
      {props.funding.length > 0 ? <FundingTable {...props} /> : null}
    </div>
  );
}
