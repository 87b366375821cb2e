// The page of one stored series: figures, coverage, findings, export, delete. A series of another
// workspace is not found here, whatever the number in the address.
import { CoverageBar } from "../../../views/components/coverage-bar.tsx";
import { asset, timeframe } from "../../../views/format.ts";
import { QualityPart } from "../../../views/pages/candle-quality.tsx";
import { SeriesPage, type SiblingRow } from "../../../views/pages/candle-series.tsx";
import type { SeriesId } from "../../ports/candle-store.ts";
import { actorOf } from "../../services/desk/account.ts";
import type { StoredSeries } from "../../services/research/candles.ts";
import { markedName } from "../demo-mark.ts";
import type { WebDeps } from "../deps.ts";
import { readFields } from "../forms/fields.ts";
import { NOT_FOUND, type Refuse } from "../problems.tsx";
import { forForm, frameOf, idOf, respondPage } from "../respond.ts";
import { action, page, part, type Route, type Visitor, type WebContext } from "../route.ts";
import { canChange, coverageText, qualityProps, tilesOf } from "./candles-shown.ts";

/** Routes of `/candles/:id`. */
export function candleSeriesRoutes(deps: WebDeps, refuse: Refuse): Route[] {
  const { candles } = deps;
  return [
    page("/candles/:id", "viewer", (c, visitor) => showSeries(deps, refuse, c, visitor)),

    part("/candles/:id/coverage", "viewer", async (c, visitor) => {
      const found = await lookInto(deps, c, visitor);
      if (!found) return refuse(c, NOT_FOUND);
      const { timeZone } = visitor.session.user;
      const label = coverageText(found.series);
      return c.html(<CoverageBar {...found.overview.bar} timeZone={timeZone} label={label} />);
    }),

    part("/candles/:id/quality", "viewer", async (c, visitor) => {
      const found = await lookInto(deps, c, visitor);
      if (!found) return refuse(c, NOT_FOUND);
      const { timeZone } = visitor.session.user;
      return c.html(<QualityPart {...qualityProps(found.overview, found.series, timeZone)} />);
    }),

    part("/candles/:id/csv", "viewer", async (c, visitor) => {
      const series = await findSeries(deps, c, visitor);
      const { scope } = actorOf(visitor.session);
      const text = series && (await candles.csv(scope, series.id));
      if (!text) return refuse(c, NOT_FOUND);
      return c.body(streamOf(text), 200, {
        "content-type": "text/csv; charset=utf-8; header=present",
        "content-disposition": `attachment; filename="${fileName(series)}"`,
      });
    }),

    action("/candles/:id/delete", "trader", (c, visitor) => remove(deps, refuse, c, visitor)),
  ];
}

async function findSeries({ candles }: WebDeps, c: WebContext, { session }: Visitor) {
  const id = idOf<SeriesId>(c.req.param("id"));
  return id === undefined ? null : candles.find(actorOf(session).scope, id);
}

/** A candle series with what is known after looking at all of it. */
async function lookInto(deps: WebDeps, c: WebContext, visitor: Visitor) {
  const series = await findSeries(deps, c, visitor);
  if (series?.content !== "candles") return null;
  const overview = await deps.candles.overview(actorOf(visitor.session).scope, series.id);
  return overview && { series, overview };
}

async function showSeries(
  deps: WebDeps,
  refuse: Refuse,
  c: WebContext,
  visitor: Visitor,
  problem?: string,
) {
  const series = await findSeries(deps, c, visitor);
  if (!series) return refuse(c, NOT_FOUND);
  const { session, csrf } = visitor;
  const { timeZone } = session.user;
  const shown = (
    <SeriesPage
      frame={frameOf(c, deps.about)}
      csrf={csrf}
      series={series}
      isCandles={series.content === "candles"}
      what={whatOf(series)}
      tiles={tilesOf(series, timeZone, deps.candles.now())}
      siblings={await siblingsOf(deps, visitor, series)}
      timeZone={timeZone}
      canChange={canChange(session)}
      problem={problem}
    />
  );
  return respondPage(c, shown, problem === undefined ? 200 : 422);
}

function whatOf(series: StoredSeries): string {
  return series.content === "candles" ? timeframe(series.timeframeMin) : "funding";
}

/** Other series of the same market. */
async function siblingsOf(
  { candles }: WebDeps,
  { session }: Visitor,
  series: StoredSeries,
): Promise<SiblingRow[]> {
  const all = await candles.list(actorOf(session).scope);
  const rows = [
    ...all.candles.map((each) => ({ ...each, label: `${timeframe(each.timeframeMin)} candles` })),
    ...all.funding.map((each) => ({ ...each, label: "Funding rates" })),
  ];
  return rows.filter(
    ({ id, exchangeId, symbol, kind }) =>
      id !== series.id &&
      exchangeId === series.exchangeId &&
      symbol === series.symbol &&
      kind === series.kind,
  );
}

async function remove(deps: WebDeps, refuse: Refuse, c: WebContext, visitor: Visitor) {
  const series = await findSeries(deps, c, visitor);
  if (!series) return refuse(c, NOT_FOUND);
  const { confirm } = await readFields(c, "confirm");
  const word = asset(series.symbol);
  if (confirm.trim() !== word) {
    const sentence = `“${confirm.slice(0, 40)}” is not ${word}; nothing was deleted.`;
    return showSeries(deps, refuse, c, visitor, sentence);
  }
  const removed = await deps.candles.remove(actorOf(visitor.session), series.id);
  if (removed.ok) return c.redirect("/candles?done=deleted", 303);
  if (removed.reason === "unknown_series") return refuse(c, NOT_FOUND);
  return showSeries(deps, refuse, c, visitor, forForm(removed.detail));
}

/** `binance_BTC-USDT-USDT_5m.csv` */
function fileName(series: StoredSeries): string {
  const symbol = series.symbol.replaceAll(/[^A-Za-z0-9.]+/g, "-");
  return `${markedName(series)}_${symbol}_${whatOf(series)}.csv`;
}

/** Made piece by piece, as fast as the browser takes it. */
function streamOf(text: AsyncIterable<string>): ReadableStream<Uint8Array> {
  const pieces = text[Symbol.asyncIterator]();
  const encoder = new TextEncoder();
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await pieces.next();
      if (done) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
    async cancel() {
      await pieces.return?.();
    },
  });
}
