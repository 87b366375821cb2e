// `npm run bench [NAME…]`: runs the benches and prints what must hold, what we aim at, and what was
// measured. Exit code 1 when something that must hold does not.

/** One measured figure; smaller is better unless `isMoreBetter`. */
export type Figure = {
  readonly name: string;
  readonly unit: string;
  readonly measured: number;
  readonly must: number;
  readonly aim: number;
  readonly isMoreBetter?: boolean;
};

type Bench = { readonly name: string; run(): Promise<Figure[]> };

const BENCHES: readonly Bench[] = [
  { name: "start", run: async () => (await import("./start.ts")).benchStart() },
];

/** How far the figure is inside its limit: 1 is at the limit, below 1 is better. */
export function limitShare({ measured, must, isMoreBetter }: Figure): number {
  return isMoreBetter === true ? must / measured : measured / must;
}

function row(figure: Figure): string[] {
  const { name, unit, measured, must, aim } = figure;
  const share = limitShare(figure);
  const verdict =
    share > 1 ? "MISSED" : limitShare({ ...figure, must: aim }) <= 1 ? "aim met" : "ok";
  const number = (value: number) => value.toPrecision(3).replace(/\.?0+$/, "");
  return [
    name,
    `${must} ${unit}`,
    `${aim} ${unit}`,
    `${number(measured)} ${unit}`,
    share.toFixed(2),
    verdict,
  ];
}

function table(rows: readonly string[][]): string {
  const widths = (rows[0] ?? []).map((_, i) =>
    Math.max(...rows.map((cells) => cells[i]?.length ?? 0)),
  );
  return rows
    .map((cells) =>
      cells
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join("   ")
        .trimEnd(),
    )
    .join("\n");
}

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !BENCHES.some((bench) => bench.name === name));
if (unknown.length > 0) {
  console.error(
    `no bench ${unknown.join(", ")}; there are ${BENCHES.map((bench) => bench.name).join(", ")}`,
  );
  process.exit(2);
}
const figures: Figure[] = [];
for (const bench of BENCHES) {
  if (wanted.length > 0 && !wanted.includes(bench.name)) continue;
  console.error(`bench ${bench.name} …`);
  figures.push(...(await bench.run()));
}
console.log(table([["figure", "must", "aim", "measured", "of must", ""], ...figures.map(row)]));
process.exit(figures.some((figure) => limitShare(figure) > 1) ? 1 : 0);
