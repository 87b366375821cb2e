// Pages of the two tables of a run: which rows, in which order, and where a marked row lies. Pure.
import type { RunRecord } from "../../services/research/run-artifact.ts";
import type { CycleSort, PanelQuery } from "./run-query.ts";

/** Rows of one page. */
export const ROWS_PER_PAGE = 50;

/** A cycle and a fill as the result document has them. */
export type CycleRow = RunRecord["cycles"][number];
export type FillRow = RunRecord["fills"][number];

/** One page of a table. */
export type TablePage<Row> = {
  readonly rows: readonly Row[];
  /** From 1. */
  readonly page: number;
  readonly pages: number;
  readonly total: number;
  /** Place of the marked row among those of the page; -1 when none is. */
  readonly found: number;
};

const VALUES: Readonly<Record<CycleSort, (row: CycleRow) => number | string | null>> = {
  cycle: (row) => row.cycle,
  opened: (row) => row.opened_at,
  closed: (row) => row.closed_at,
  duration: (row) => (row.closed_at === null ? null : row.closed_at - row.opened_at),
  side: (row) => row.position_side,
  entries: (row) => row.entries,
  qty: (row) => row.qty,
  avg_entry: (row) => row.avg_entry,
  exit: (row) => row.exit_price,
  reason: (row) => row.exit_reason,
  net: (row) => row.net,
  fees: (row) => row.fees,
  mae: (row) => row.mae,
  mfe: (row) => row.mfe,
};

/** Cycles in the asked order; those without a value come last, equal ones by their number. */
export function sortCycles(
  cycles: readonly CycleRow[],
  sort: CycleSort,
  direction: "asc" | "desc",
): CycleRow[] {
  const pick = VALUES[sort];
  const sign = direction === "asc" ? 1 : -1;
  return [...cycles].sort((a, b) => {
    const [x, y] = [pick(a), pick(b)];
    if (x === y) return a.cycle - b.cycle;
    if (x === null) return 1;
    if (y === null) return -1;
    return (x < y ? -1 : 1) * sign;
  });
}

function pageOf<Row>(all: readonly Row[], asked: number, foundAt: number): TablePage<Row> {
  const pages = Math.max(1, Math.ceil(all.length / ROWS_PER_PAGE));
  const wanted = foundAt < 0 ? asked : Math.floor(foundAt / ROWS_PER_PAGE) + 1;
  const page = Math.min(Math.max(1, wanted), pages);
  const start = (page - 1) * ROWS_PER_PAGE;
  return {
    rows: all.slice(start, start + ROWS_PER_PAGE),
    page,
    pages,
    total: all.length,
    found: foundAt < 0 ? -1 : foundAt - start,
  };
}

/** The page of cycles that was asked for, or the one with the marked cycle. */
export function cyclePage(cycles: readonly CycleRow[], panel: PanelQuery): TablePage<CycleRow> {
  const sorted = sortCycles(cycles, panel.sort, panel.direction);
  const found = panel.cycle === null ? -1 : sorted.findIndex((row) => row.cycle === panel.cycle);
  return pageOf(sorted, panel.page, found);
}

/** The page of fills that was asked for, or the one with the first fill at the marked instant. */
export function fillPage(fills: readonly FillRow[], panel: PanelQuery): TablePage<FillRow> {
  const { at, cycle } = panel;
  const isFound = (row: FillRow) => row.t === at && (cycle === null || row.cycle === cycle);
  return pageOf(fills, panel.page, at === null ? -1 : fills.findIndex(isFound));
}
