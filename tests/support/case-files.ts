// Writes a generated case as the four files of `dragon backtest`. Used by the walks of the executables.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { generateCase } from "../oracle/cases.ts";

/** Writes the files into the folder. @returns the arguments that name them */
export function writeCase(one: ReturnType<typeof generateCase>, folder: string): string[] {
  const { candles, config, instrument, run } = one;
  const rows = candles.t.map((t, i) =>
    [t, candles.o[i], candles.h[i], candles.l[i], candles.c[i], candles.v[i]].join(","),
  );
  const header = "timestamp_ms,open,high,low,close,volume";
  const csv = join(folder, "candles.csv");
  writeFileSync(csv, [header, ...rows].join("\n"));
  const args = ["--candles", csv];
  for (const [name, document] of Object.entries({ config, instrument, run })) {
    const path = join(folder, `${name}.json`);
    writeFileSync(path, JSON.stringify(document));
    args.push(`--${name}`, path);
  }
  return args;
}
