// The list of runs as people use it: its columns, pages, choices of its filters, the layout and marks
// of whoever looks, and the list as a file. Called by web/routes/runs.tsx.
import { DEMO_EXCHANGE } from "../../model/demo-exchange.ts";
import { DEMO_WATERMARK } from "../../model/demo-watermark.ts";
import type { EpochMs } from "../../model/time.ts";
import type { Scope } from "../../ports/access-store.ts";
import type { Clock } from "../../ports/clock.ts";
import type { GridColumn, GridPage, GridQuery } from "../../ports/grid.ts";
import type { PreferenceStore } from "../../ports/preference-store.ts";
import type { RunId, RunMark, RunStore } from "../../ports/run-store.ts";
import type { GridShape } from "../grid/grid-address.ts";
import { gridCsv } from "../grid/grid-csv.ts";
import { type GridLayout, readLayout } from "../grid/grid-layout.ts";

/** A column with what people read above it. */
export type RunColumn = GridColumn & { readonly label: string; readonly about?: string };

/** Every column of the list, in its usual order. */
export const RUN_COLUMNS: readonly RunColumn[] = [
  { key: "symbol", kind: "word", label: "Asset" },
  { key: "createdAt", kind: "date", label: "Created" },
  { key: "name", kind: "text", label: "Name" },
  { key: "exchangeId", kind: "word", label: "Exchange" },
  { key: "kind", kind: "set", label: "Market", vocabulary: ["perps", "spot"] },
  {
    key: "timeframeMin",
    kind: "number",
    isWhole: true,
    label: "Timeframe",
    about: "Length of a candle; filters count in minutes",
  },
  { key: "direction", kind: "set", label: "Direction", vocabulary: ["long", "short", "both"] },
  { key: "strategyName", kind: "word", label: "Strategy" },
  { key: "fromAt", kind: "date", label: "Start", about: "First candle of the window, UTC" },
  { key: "toAt", kind: "date", label: "End", about: "End of the window, UTC" },
  {
    key: "span",
    kind: "number",
    unit: "days",
    label: "Duration",
    about: "Length of the window; filters count in days",
  },
  {
    key: "netReturn",
    kind: "number",
    unit: "percent",
    label: "Net return",
    about: "Net profit over the starting balance",
  },
  { key: "netProfit", kind: "number", label: "Net profit", about: "After fees and funding" },
  { key: "cagr", kind: "number", unit: "percent", label: "CAGR", about: "Growth per year" },
  {
    key: "maxDrawdown",
    kind: "number",
    unit: "percent",
    label: "Max drawdown",
    about: "Deepest fall of the equity below its peak",
  },
  {
    key: "sharpe",
    kind: "number",
    label: "Sharpe",
    about: "Daily returns over their deviation, per year; from 30 days on",
  },
  {
    key: "sortino",
    kind: "number",
    label: "Sortino",
    about: "Daily returns over their downside deviation, per year; from 30 days on",
  },
  { key: "calmar", kind: "number", label: "Calmar", about: "CAGR over the deepest drawdown" },
  {
    key: "profitFactor",
    kind: "number",
    label: "Profit factor",
    about: "Gross profit over gross loss; ∞ without a loss",
  },
  {
    key: "winRate",
    kind: "number",
    unit: "percent",
    label: "Win rate",
    about: "Closed cycles that won",
  },
  {
    key: "cpcIndex",
    kind: "number",
    label: "CPC index",
    about: "Profit factor × win rate × reward to risk",
  },
  {
    key: "commonSenseRatio",
    kind: "number",
    label: "Common sense ratio",
    about: "Profit factor × tail ratio",
  },
  {
    key: "roiOnMargin",
    kind: "number",
    unit: "percent",
    label: "ROI on margin",
    about: "Net profit over the margin of the first entry",
  },
  { key: "cycles", kind: "number", isWhole: true, label: "Cycles", about: "Closed round trips" },
  { key: "fills", kind: "number", isWhole: true, label: "Fills" },
  { key: "feesTotal", kind: "number", label: "Fees", about: "Paid; a rebate counts against them" },
  { key: "fundingTotal", kind: "number", label: "Funding", about: "Received is above zero" },
  {
    key: "exposure",
    kind: "number",
    unit: "percent",
    label: "Exposure",
    about: "Candles with an open position",
  },
  {
    key: "avgPositionTime",
    kind: "number",
    unit: "hours",
    label: "Avg position time",
    about: "First fill to exit; filters count in hours",
  },
  {
    key: "status",
    kind: "set",
    label: "Status",
    vocabulary: ["queued", "running", "finished", "failed", "cancelled"],
  },
  { key: "isShortlisted", kind: "flag", label: "Shortlist", about: "Your own mark" },
  { key: "note", kind: "text", label: "Note", about: "Your own note" },
];

/** Columns shown to somebody who chose none. */
export const RUN_COLUMNS_USUAL: readonly string[] = [
  "symbol",
  "createdAt",
  "name",
  "timeframeMin",
  "direction",
  "strategyName",
  "span",
  "netReturn",
  "netProfit",
  "maxDrawdown",
  "sharpe",
  "profitFactor",
  "winRate",
  "cycles",
  "status",
  "isShortlisted",
  "note",
];

/** What addresses of the list may ask for; the newest run comes first. */
export const RUN_SHAPE: GridShape = {
  columns: RUN_COLUMNS,
  sort: { column: "createdAt", direction: "desc" },
  sizes: [25, 50, 100, 200],
  size: 100,
};

/** Values that the filter bar offers. */
export type RunChoices = {
  readonly symbols: readonly string[];
  readonly strategies: readonly string[];
};

/** The list in a workspace, for whoever asks. */
export type RunList = {
  /** One page of the columns, which may also be `error` and `liquidated`. */
  page(scope: Scope, query: GridQuery): Promise<GridPage>;
  /** What can be chosen from. */
  choices(scope: Scope): Promise<RunChoices>;
  /** Everything the query finds, as a file. */
  csv(
    scope: Scope,
    columns: readonly RunColumn[],
    query: Omit<GridQuery, "columns">,
  ): AsyncGenerator<string>;
  /** The asking user's columns. @throws InvariantError without a user */
  layout(scope: Scope): Promise<GridLayout>;
  /** Keeps them; null goes back to the usual ones. @throws InvariantError without a user */
  keepLayout(scope: Scope, layout: GridLayout | null): Promise<void>;
  /** Changes the asking user's mark or note; false when the workspace has no such run. */
  mark(scope: Scope, id: RunId, mark: RunMark): Promise<boolean>;
  /** The clock that relative filters are read by. */
  now(): EpochMs;
};

const LAYOUT_KEY = "runs.columns";

/** The list over its stores. */
export function createRunList(deps: {
  readonly store: Pick<RunStore, "list" | "words" | "shortlist">;
  readonly preferences: PreferenceStore;
  readonly clock: Clock;
}): RunList {
  const { store, preferences, clock } = deps;
  return {
    page: (scope, query) => store.list(scope, query),
    async choices(scope) {
      const [symbols, strategies] = await Promise.all([
        store.words(scope, "symbol"),
        store.words(scope, "strategyName"),
      ]);
      return { symbols, strategies };
    },
    csv: (scope, columns, query) => csvOf(store, scope, columns, query),
    layout: async (scope) =>
      readLayout(RUN_COLUMNS, RUN_COLUMNS_USUAL, await preferences.read(scope, LAYOUT_KEY)),
    async keepLayout(scope, layout) {
      const kept = layout?.map(({ key, width }) => ({ key, width })) ?? null;
      await preferences.write(scope, LAYOUT_KEY, kept, clock.now());
    },
    mark: (scope, id, mark) => store.shortlist(scope, id, mark, clock.now()),
    now: () => clock.now(),
  };
}

/** A column that no layout has: where the run's exchange invents its prices, it says so. */
const WATERMARK: RunColumn = { key: "watermark", kind: "text", label: "Watermark" };

/** Only where there are runs on invented prices the file has the column. */
async function* csvOf(
  store: Pick<RunStore, "list" | "words">,
  scope: Scope,
  columns: readonly RunColumn[],
  query: Omit<GridQuery, "columns">,
): AsyncGenerator<string> {
  if (!(await store.words(scope, "exchangeId")).includes(DEMO_EXCHANGE)) {
    yield* gridCsv(columns, query, (each) => store.list(scope, each));
    return;
  }
  const keys = [...columns.map(({ key }) => key), "exchangeId"];
  yield* gridCsv([...columns, WATERMARK], query, async (each) => {
    const page = await store.list(scope, { ...each, columns: keys });
    const rows = page.rows.map(({ id, cells }) => {
      const isDemo = cells.at(-1) === DEMO_EXCHANGE;
      return { id, cells: [...cells.slice(0, -1), isDemo ? DEMO_WATERMARK : null] };
    });
    return { ...page, rows };
  });
}
