// One measured figure with its goals, and the table they are printed in. Used by every benchmark; a
// benchmark prints what it measured and never fails a test run.

/** A figure; `must` and `aim` are upper limits in the same unit, `ratio` compares with `reference`. */
export type BenchRow = {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly must?: number;
  readonly aim?: number;
  readonly reference?: string;
  readonly ratio?: number;
  readonly note?: string;
};

/** Median of the measured times. */
export function median(times: readonly number[]): number {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** Runs `work` several times and returns the wall times in ms. */
export function timeMs(repeats: number, work: () => void): number[] {
  const times: number[] = [];
  for (let k = 0; k < repeats; k++) {
    const begin = performance.now();
    work();
    times.push(performance.now() - begin);
  }
  return times;
}

function verdict(row: BenchRow): string {
  if (row.aim !== undefined && row.value <= row.aim) return "aim";
  if (row.must === undefined) return "";
  return row.value <= row.must ? "must" : "MISSED";
}

const shown = (value: number | undefined) =>
  value === undefined ? "" : value.toLocaleString("en-US", { maximumSignificantDigits: 4 });

/** The figures as an aligned table, one line each. */
export function benchTable(rows: readonly BenchRow[]): string[] {
  const lines = [
    ["figure", "measured", "unit", "must", "aim", "reached", "ratio", "to", "note"],
    ...rows.map((row) => [
      row.name,
      shown(row.value),
      row.unit,
      shown(row.must),
      shown(row.aim),
      verdict(row),
      row.ratio === undefined ? "" : `${shown(row.ratio)}x`,
      row.reference ?? "",
      row.note ?? "",
    ]),
  ];
  const widths = lines[0]?.map((_, k) => Math.max(...lines.map((line) => line[k]?.length ?? 0)));
  return lines.map((line) =>
    line
      .map((cell, k) => cell.padEnd(widths?.[k] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}
