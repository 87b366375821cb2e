// What the analysis tab of a run shows, counted from its record: months by year, ladder depth, exit
// reasons, long against short, and how far cycles went against and for the position. Pure.
import type { Metrics } from "../../analytics/summary.ts";
import type { AnalysisProps } from "../../../views/components/run-analysis.tsx";
import type { RunRecord } from "../../services/research/run-artifact.ts";
import type { CycleRow } from "./run-table.ts";

type Months = RunRecord["months"];

/** Steps of colour; a month of a tenth or more has the strongest one. */
const HEAT_STEPS = 5;
const STRONGEST_RETURN = 0.1;

/** -5..5; 0 only for a return of exactly nothing. */
export function heatStep(fraction: number): number {
  const steps = Math.ceil((Math.abs(fraction) / STRONGEST_RETURN) * HEAT_STEPS);
  return Math.sign(fraction) * Math.min(HEAT_STEPS, steps);
}

/** A row per year with its twelve months; the total compounds the months that are there. */
export function monthRows(months: Months): AnalysisProps["years"] {
  const years = [...new Set(months.map(({ year }) => year))].sort((a, b) => a - b);
  return years.map((year) => {
    const own = months.filter((each) => each.year === year);
    const total = own.reduce((grown, each) => grown * (1 + each.return), 1) - 1;
    return {
      year,
      months: Array.from({ length: 12 }, (_, i) => {
        const found = own.find((each) => each.month === i + 1);
        return found ? { fraction: found.return, heat: heatStep(found.return) } : null;
      }),
      total: { fraction: total, heat: heatStep(total) },
    };
  });
}

/** Cycles by number of rungs filled, without holes, shallowest first. */
export function depthRows(histogram: Metrics["dca_histogram"]): AnalysisProps["depths"] {
  const deepest = Math.max(-1, ...Object.keys(histogram).map(Number));
  const counts = Array.from({ length: deepest + 1 }, (_, depth) => histogram[String(depth)] ?? 0);
  const most = Math.max(1, ...counts);
  return counts.map((cycles, depth) => ({ depth, cycles, share: cycles / most }));
}

/** Exit reasons, the most frequent first; each with how many cycles it ended and their net. */
export function exitRows(cycles: readonly CycleRow[]): AnalysisProps["exits"] {
  const found = new Map<string, { reason: string; cycles: number; wins: number; net: number }>();
  for (const { exit_reason: reason, net } of cycles) {
    const row = found.get(reason) ?? { reason, cycles: 0, wins: 0, net: 0 };
    row.cycles += 1;
    row.wins += net > 0 ? 1 : 0;
    row.net += net;
    found.set(reason, row);
  }
  return [...found.values()].sort(
    (a, b) => b.cycles - a.cycles || a.reason.localeCompare(b.reason),
  );
}

function splitRow(label: string, cycles: readonly CycleRow[]): AnalysisProps["split"][number] {
  const closed = cycles.filter((row) => row.closed_at !== null);
  const sum = (pick: (row: CycleRow) => number) =>
    closed.reduce((total, row) => total + pick(row), 0);
  const wins = closed.filter((row) => row.net > 0);
  const losses = closed.filter((row) => row.net < 0);
  const grossLoss = losses.reduce((total, row) => total + row.net, 0);
  const grossProfit = wins.reduce((total, row) => total + row.net, 0);
  const heldMs = sum((row) => (row.closed_at ?? 0) - row.opened_at);
  return {
    label,
    cycles: closed.length,
    net: sum((row) => row.net),
    winRate: closed.length === 0 ? null : wins.length / closed.length,
    profitFactor: grossLoss === 0 ? null : grossProfit / -grossLoss,
    noLosses: closed.length > 0 && losses.length === 0,
    averageNet: closed.length === 0 ? null : sum((row) => row.net) / closed.length,
    averageMs: closed.length === 0 ? null : heldMs / closed.length,
    fees: sum((row) => row.fees),
  };
}

/** All closed cycles against those of each position side that occurred. */
export function splitRows(cycles: readonly CycleRow[]): AnalysisProps["split"] {
  const of = (side: string) => cycles.filter((row) => row.position_side === side);
  const [long, short] = [of("LONG"), of("SHORT")];
  return [
    splitRow("All", cycles),
    ...(long.length > 0 ? [splitRow("Long", long)] : []),
    ...(short.length > 0 ? [splitRow("Short", short)] : []),
  ];
}

/** Cells of the scatter in each direction; cycles of one cell are one dot, larger the more there are. */
const CELLS_X = 72;
const CELLS_Y = 36;

/**
 * Adverse against favourable excursion of every closed cycle as dots on a grid of cells.
 * The axes end at the 98th percentile, so that one outlier does not push all others into a corner;
 * what lies beyond stands at the edge.
 */
export function excursionDots(cycles: readonly CycleRow[]): AnalysisProps["excursions"] {
  const closed = cycles.filter((row) => row.closed_at !== null);
  if (closed.length < 2) return null;
  const adverseMost = percentile(closed.map(({ mae }) => Math.abs(mae)));
  const favourableMost = percentile(closed.map(({ mfe }) => Math.abs(mfe)));
  if (adverseMost <= 0 || favourableMost <= 0) return null;
  const cells = new Map<string, { x: number; y: number; isWin: boolean; cycles: number }>();
  for (const { mae, mfe, net } of closed) {
    const x = Math.min(CELLS_X, Math.round((Math.abs(mae) / adverseMost) * CELLS_X));
    const y = Math.min(CELLS_Y, Math.round((Math.abs(mfe) / favourableMost) * CELLS_Y));
    const key = `${x} ${y} ${net > 0}`;
    const cell = cells.get(key) ?? { x, y: CELLS_Y - y, isWin: net > 0, cycles: 0 };
    cell.cycles += 1;
    cells.set(key, cell);
  }
  const dots = [...cells.values()].map((cell) => ({
    ...cell,
    radius: Math.min(2, 0.5 + Math.log2(cell.cycles) / 4),
  }));
  return { width: CELLS_X, height: CELLS_Y, adverseMost, favourableMost, dots };
}

function percentile(values: number[]): number {
  values.sort((a, b) => a - b);
  return values[Math.ceil((values.length - 1) * 0.98)] ?? 0;
}
