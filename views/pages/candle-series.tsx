// One stored series: its figures, its coverage and what is doubtful in it, export, delete. Rendered by
// web/routes/candle-series.tsx; the part that needs all candles arrives by itself a moment later.
import { type Kpi, KpiTiles, TypedConfirm } from "../components/parts.tsx";
import { asset, count, date } from "../format.ts";
import { type Frame, Layout } from "../layout.tsx";
import type { SeriesRow } from "./candle-list.tsx";

/** A series of the same market. */
export type SiblingRow = Pick<SeriesRow, "id" | "items" | "firstAt" | "lastAt"> & {
  /** e.g. `5m` or `Funding rates`. */
  readonly label: string;
};

/** Props of the page. */
export type SeriesPageProps = {
  readonly frame: Frame;
  readonly csrf: string;
  readonly series: SeriesRow;
  readonly isCandles: boolean;
  /** e.g. `5m` or `funding`. */
  readonly what: string;
  readonly tiles: readonly Kpi[];
  readonly siblings: readonly SiblingRow[];
  readonly timeZone: string;
  readonly canChange: boolean;
  /** Why a deletion was refused. */
  readonly problem?: string | undefined;
};

function Siblings({ siblings, timeZone, isCandles, series }: SeriesPageProps) {
  const hasNoFunding = isCandles && series.kind === "perps";
  return (
    <section class="card">
      <h2>The same market</h2>
      {siblings.length > 0 ? (
        <ul class="rows">
          {siblings.map(({ id, label, items, firstAt, lastAt }) => (
            <li>
              <a href={`/candles/${id}`}>{label}</a>
              <span class="muted number">
                {count(items)} · {date(firstAt, timeZone)} – {date(lastAt, timeZone)}
              </span>
            </li>
          ))}
        </ul>
      ) : (
        <p class="muted">
          {hasNoFunding
            ? "No funding rates and no other timeframe are stored."
            : "Nothing else of this market is stored."}
        </p>
      )}
    </section>
  );
}

function DeleteCard({ series, what, csrf, problem }: SeriesPageProps) {
  return (
    <TypedConfirm
      action={`/candles/${series.id}/delete`}
      csrf={csrf}
      label="Delete series"
      word={asset(series.symbol)}
      effect={
        <>
          Deletes {count(series.items)} {what === "funding" ? "rates" : `${what} candles`} of{" "}
          {series.symbol} on {series.exchangeId}. Finished runs stay; their charts need the candles.
        </>
      }
      problem={problem}
    />
  );
}

/** The page at `/candles/:id`. */
export function SeriesPage(props: SeriesPageProps) {
  const { series, what, isCandles, canChange } = props;
  return (
    <Layout
      title={`${asset(series.symbol)} ${what} · Dragon`}
      frame={props.frame}
      parts={["candles"]}
      isWide
    >
      <p class="crumb">
        <a href="/candles">Candles</a>
      </p>
      <div class="title-row">
        <h1>
          {asset(series.symbol)} <span class="what">{what}</span>
        </h1>
        <p class="buttons">
          <a href={`/candles/${series.id}/csv`} download="">
            Export CSV
          </a>
          {isCandles && canChange ? (
            <a class="button" href={`/backtest?series=${series.id}`}>
              Backtest with this
            </a>
          ) : null}
        </p>
      </div>
      <p class="lead">
        {series.exchangeId} · {series.kind} · <code>{series.symbol}</code>
      </p>
      <KpiTiles tiles={props.tiles} label="Figures of the series" />
      {isCandles ? (
        <div
          class="quality-waiting"
          hx-get={`/candles/${series.id}/quality`}
          hx-trigger="load"
          hx-swap="outerHTML"
        >
          <div class="skeleton wide-bar"></div>
          <div class="skeleton findings"></div>
          <p class="small muted">All candles are being looked through.</p>
        </div>
      ) : null}
      <div class="columns">
        <Siblings {...props} />
        {canChange ? <DeleteCard {...props} /> : null}
      </div>
    </Layout>
  );
}
