// What stands below the charts of a run, from its record and the query: the props of the chosen tab.
// Used by run.tsx for the whole page and by run-data.tsx for the piece alone.
import { quoteOf } from "../../../views/format.ts";
import type { PanelBody, RunPanelProps } from "../../../views/components/run-panel.tsx";
import type { SortHead } from "../../../views/components/run-cycles.tsx";
import type { DecisionProps } from "../../../views/components/run-decision.tsx";
import type { Scope } from "../../ports/access-store.ts";
import type { SeriesId } from "../../ports/candle-store.ts";
import type { Run } from "../../ports/run-store.ts";
import { MINUTE_MS } from "../../model/time.ts";
import type { Candles } from "../../services/research/candles.ts";
import type { RunRecord } from "../../services/research/run-artifact.ts";
import { detailsOf } from "../../services/research/run-details.ts";
import { requestOf } from "../../services/research/run-request.ts";
import type { RunGap, Runs } from "../../services/research/runs.ts";
import { parseConfig } from "../../strategy/dca-atr/config.ts";
import { depthRows, excursionDots, exitRows, monthRows, splitRows } from "./run-analysis.ts";
import { decisionView } from "./run-decision.ts";
import { type CycleSort, type PanelQuery, panelText, type RunTab, shortIso } from "./run-query.ts";
import { settingGroups } from "./run-settings.ts";
import { type CycleRow, cyclePage, type FillRow, fillPage, type TablePage } from "./run-table.ts";
import { boundsOf, priceDecimalsOf } from "./run-view.ts";

/** Whom the panel asks. */
export type PanelDeps = {
  readonly runs: Pick<Runs, "explain">;
  readonly candles: Pick<Candles, "find">;
};

/** What the panel is made from. */
export type PanelSource = {
  readonly run: Run;
  readonly record: RunRecord | null;
  readonly timeZone: string;
};

const HEADS: readonly (readonly [CycleSort, string])[] = [
  ["cycle", "Cycle"],
  ["opened", "Opened"],
  ["closed", "Closed"],
  ["duration", "Held"],
  ["side", "Side"],
  ["entries", "Entries"],
  ["qty", "Qty"],
  ["avg_entry", "Avg entry"],
  ["exit", "Exit"],
  ["reason", "Reason"],
  ["net", "Net"],
  ["fees", "Fees"],
  ["mae", "MAE"],
  ["mfe", "MFE"],
];

/** Columns of numbers that people compare. */
const FIGURES: readonly CycleSort[] = [
  "entries",
  "qty",
  "avg_entry",
  "exit",
  "net",
  "fees",
  "mae",
  "mfe",
];

/** Figures are most interesting from their largest on, words and times from their first. */
const LARGEST_FIRST: readonly CycleSort[] = ["duration", "entries", "qty", "net", "fees", "mfe"];

function headsOf(panel: PanelQuery): SortHead[] {
  return HEADS.map(([sort, label]) => {
    const isCurrent = sort === panel.sort;
    const usual = LARGEST_FIRST.includes(sort) ? "desc" : "asc";
    const turned = panel.direction === "asc" ? "desc" : "asc";
    const asked = {
      ...panel,
      sort,
      direction: isCurrent ? turned : usual,
      page: 1,
      cycle: null,
    } as const;
    return {
      label,
      query: panelText(asked),
      isFigure: FIGURES.includes(sort),
      direction: isCurrent ? (panel.direction === "asc" ? "ascending" : "descending") : undefined,
    };
  });
}

function tableOf<Row>({ run, timeZone }: PanelSource, panel: PanelQuery, table: TablePage<Row>) {
  const at = (page: number) =>
    page < 1 || page > table.pages ? null : panelText({ ...panel, page, cycle: null, at: null });
  return {
    runId: run.id,
    timeZone,
    quote: quoteOf(run.symbol),
    priceDecimals: priceDecimalsOf(run),
    found: table.found,
    page: table.page,
    pages: table.pages,
    total: table.total,
    previous: at(table.page - 1),
    next: at(table.page + 1),
  };
}

function shownCycle(row: CycleRow, endAt: number) {
  return {
    cycle: row.cycle,
    positionSide: row.position_side === "LONG" ? ("long" as const) : ("short" as const),
    openedAt: row.opened_at,
    closedAt: row.closed_at,
    untilAt: row.closed_at ?? endAt,
    heldMs: row.closed_at === null ? null : row.closed_at - row.opened_at,
    entries: row.entries,
    qty: row.qty,
    averageEntry: row.avg_entry,
    exitPrice: row.exit_price,
    reason: row.exit_reason,
    net: row.net,
    fees: row.fees,
    mae: row.mae,
    mfe: row.mfe,
  };
}

function shownFill(row: FillRow) {
  return {
    at: row.t,
    side: row.side === "BUY" ? ("buy" as const) : ("sell" as const),
    positionSide: row.position_side === "LONG" ? ("long" as const) : ("short" as const),
    price: row.price,
    qty: row.qty,
    fee: row.fee,
    liquidity: row.liquidity,
    reason: row.reason,
    cycle: row.cycle,
  };
}

const NOT_FINISHED = "The run has no result yet.";

/** Why prices and decisions cannot be shown, and what still can. */
export function gapSentence(reason: RunGap, detail: string): string {
  if (reason === "not_finished") return NOT_FINISHED;
  const way =
    reason === "candles_gone"
      ? "Import or download the candles again, or run it again."
      : "Run it again to see it on the present history.";
  return `${detail} Prices, levels and decisions cannot be shown; equity, cycles and fills are kept. ${way}`;
}

async function decisionOf(
  runs: PanelDeps["runs"],
  scope: Scope,
  { run, timeZone }: PanelSource,
  { at, refused }: PanelQuery,
): Promise<DecisionProps> {
  const stepMs = run.timeframeMin * MINUTE_MS;
  const beside = (there: number) =>
    there >= run.fromAt && there < run.toAt ? shortIso(there) : null;
  const empty = {
    runId: run.id,
    timeZone,
    priceDecimals: priceDecimalsOf(run),
    typed: refused?.typed ?? (at === null ? "" : shortIso(at)),
    problem: refused?.sentence,
    before: null,
    after: null,
    record: null,
  };
  if (at === null) return empty;
  const explained = await runs.explain(scope, run.id, at);
  if (!explained.ok) {
    const { reason, detail } = explained;
    if (reason !== "outside_window") return { ...empty, gap: gapSentence(reason, detail) };
    const window = `${shortIso(run.fromAt)} to ${shortIso(run.toAt)}`;
    return { ...empty, problem: `The run covers ${window}; pick a time within it.` };
  }
  const { openAt } = explained.value;
  return {
    ...empty,
    typed: shortIso(openAt),
    before: beside(openAt - stepMs),
    after: beside(openAt + stepMs),
    record: decisionView(explained.value, parseConfig(run.config)),
  };
}

const REFUSED = [
  ["entry_margin", "Entries refused for margin"],
  ["entry_below_min", "Entries below the minimums"],
  ["rung_margin", "Rungs refused for margin"],
  ["rung_below_min", "Rungs below the minimums"],
] as const;

function figuresOf({ run }: PanelSource): PanelBody {
  const rejections = detailsOf(run)?.rejections;
  const { metrics } = run;
  if (!metrics) return { tab: "analysis", sentence: NOT_FINISHED };
  const refused = rejections
    ? REFUSED.map(([key, label]) => ({ label, count: rejections[key] }))
    : [];
  const quote = quoteOf(run.symbol);
  const bounds = boundsOf(run, metrics);
  return { tab: "figures", props: { metrics, quote, bounds, rejections: refused } };
}

async function settingsOf(
  candles: Pick<Candles, "find">,
  scope: Scope,
  { run }: PanelSource,
): Promise<PanelBody> {
  const series = detailsOf(run)?.series;
  const id = (series?.id ?? run.seriesId) as SeriesId | null;
  const isStored = id !== null && (await candles.find(scope, id)) !== null;
  return {
    tab: "settings",
    props: {
      runId: run.id,
      groups: settingGroups(run),
      configHash: run.configHash,
      engineVersion: run.engineVersion,
      strategy: `${run.strategyName} ${run.strategyVersion}`,
      candlesFingerprint: run.candlesFingerprint,
      fillsDigest: run.fillsSha256,
      candlesHref: isStored ? `/candles/${id}/csv` : null,
      candlesMin: series?.timeframe_min ?? run.timeframeMin,
      timeframeMin: run.timeframeMin,
      withFunding: requestOf(run).withFunding,
    },
  };
}

const NOT_KEPT = "Nothing of this is kept for this run. Run it again to see it.";
const NOT_TRADED = 'Nothing was traded. "Why no entry?" tells the reason for every candle.';

function isOfTrades(tab: RunTab): tab is "cycles" | "fills" | "analysis" {
  return tab === "cycles" || tab === "fills" || tab === "analysis";
}

function recordBody(source: PanelSource, record: RunRecord, panel: PanelQuery): PanelBody {
  const { run } = source;
  if (record.fills.length === 0 && isOfTrades(panel.tab)) {
    return { tab: panel.tab, sentence: NOT_TRADED };
  }
  if (panel.tab === "cycles") {
    const table = cyclePage(record.cycles, panel);
    const rows = table.rows.map((row) => shownCycle(row, run.toAt));
    const props = { ...tableOf(source, panel, table), rows, heads: headsOf(panel) };
    return { tab: "cycles", props };
  }
  if (panel.tab === "fills") {
    const table = fillPage(record.fills, panel);
    return {
      tab: "fills",
      props: { ...tableOf(source, panel, table), rows: table.rows.map(shownFill) },
    };
  }
  return {
    tab: "analysis",
    props: {
      quote: quoteOf(run.symbol),
      years: monthRows(record.months),
      split: splitRows(record.cycles),
      exits: exitRows(record.cycles),
      depths: depthRows(run.metrics?.dca_histogram ?? {}),
      excursions: excursionDots(record.cycles),
    },
  };
}

/** 422 where a typed time was refused at its field. */
export function panelStatus({ body }: RunPanelProps): 200 | 422 {
  return body.tab === "decision" && body.props.problem !== undefined ? 422 : 200;
}

/** The panel for a query. */
export async function panelOf(
  { runs, candles }: PanelDeps,
  scope: Scope,
  source: PanelSource,
  panel: PanelQuery,
): Promise<RunPanelProps> {
  const { run, record } = source;
  const made = async (): Promise<PanelBody> => {
    switch (panel.tab) {
      case "figures":
        return figuresOf(source);
      case "decision":
        return { tab: "decision", props: await decisionOf(runs, scope, source, panel) };
      case "settings":
        return settingsOf(candles, scope, source);
      default:
        return record ? recordBody(source, record, panel) : { tab: panel.tab, sentence: NOT_KEPT };
    }
  };
  return { runId: run.id, query: panelText(panel), body: await made() };
}
