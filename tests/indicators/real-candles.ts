// Recorded candles for tests, read from the data folder beside the repository. Used by the tests of
// indicators and candle quality under `testIf("data", …)`; never downloads anything.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CANDLE_COLUMNS, type CandleSeries, emptySeries } from "../../src/model/candle.ts";

const folder = join(import.meta.dir, "../../../shared/data/candles");

/** Time for reading and decompressing the largest file. */
export const REAL_CANDLES_TIMEOUT_MS = 60_000;

/** Reads a gzipped CSV with a header line and the columns time, open, high, low, close, volume. */
export function readRealCandles(file: string): CandleSeries {
  const text = Buffer.from(Bun.gunzipSync(readFileSync(join(folder, file)))).toString("latin1");
  const rows = text.trimEnd().split("\n");
  const series = emptySeries(rows.length - 1);
  for (let i = 0; i < series.length; i++) {
    const cells = (rows[i + 1] ?? "").split(",");
    CANDLE_COLUMNS.forEach((name, column) => {
      series[name][i] = Number(cells[column]);
    });
  }
  return series;
}
