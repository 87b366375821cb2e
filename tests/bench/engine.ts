// Speed of the backtest on the pinned inputs of ../shared/bench over the recorded one-minute series, against the
// plain C loop compiled in the same run (without gcc: against our own engine walking every candle).
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BacktestRun, runBacktest } from "../../src/engine/backtest.ts";
import { ColumnCache } from "../../src/engine/column-cache.ts";
import { type PreparedBacktest, prepareBacktest } from "../../src/engine/prepare.ts";
import { type CandleSeries, firstAtOrAfter, sliceSeries } from "../../src/model/candle.ts";
import { parseInstrument, parseRun } from "../../src/services/research/backtest-inputs.ts";
import { readCandleFile } from "../../src/services/research/candle-files.ts";
import { readJsonFile } from "../../src/services/research/json-files.ts";
import { parseConfig } from "../../src/strategy/dca-atr/config.ts";
import { type BenchRow, median, timeMs } from "./bench-row.ts";

const SHARED = join(import.meta.dir, "../../../shared");
const CANDLES = join(SHARED, "data/candles/bitfinex_BTCUSD_1m.csv.gz");
const C_SOURCES = join(SHARED, "recipes/speed/c");

/** Repeats of one measurement; the first ones warm the compiler up and are left out. */
const REPEATS = 41;
const WARM_UP = 20;

const MUST: Record<string, { must: number; aim: number }> = {
  "fixed-exits": { must: 25, aim: 8 },
  "trailing-atr": { must: 60, aim: 20 },
  "both-sides-maker": { must: 60, aim: 20 },
};

type Prepare = (cache?: ColumnCache) => PreparedBacktest;
type Inputs = { candles: CandleSeries; run: string; config: string };

async function prepared(inputs: Inputs): Promise<Prepare> {
  const bench = (file: string) => readJsonFile(join(SHARED, "bench", file));
  const request = {
    candles: inputs.candles,
    funding: null,
    config: parseConfig(await bench(`${inputs.config}.config.json`)),
    instrument: parseInstrument(await bench("instrument.json")),
    run: parseRun(await bench(`${inputs.run}.json`)),
  };
  return (cache) => prepareBacktest(request, cache);
}

/** Nanoseconds per candle of the fused C loop over the same year; null without gcc or sources. */
async function cReference(year: CandleSeries): Promise<number | null> {
  if (!Bun.which("gcc") || !existsSync(C_SOURCES)) return null;
  const folder = mkdtempSync(join(tmpdir(), "dragon-bench-"));
  try {
    const program = join(folder, "dca");
    const flags = ["-O3", "-march=native", "-w", "-o", program, join(C_SOURCES, "dca.c")];
    const built = Bun.spawnSync(["gcc", ...flags, "-lpthread", "-lm"]);
    if (built.exitCode !== 0) return null;
    const columns = [year.openAt, year.open, year.high, year.low, year.close, year.volume];
    await Bun.write(join(folder, "bars.bin"), new Blob(columns.map((column) => column.slice())));
    const ran = Bun.spawnSync([program, join(folder, "bars.bin"), "31", "none"]);
    const found = /C single fused: .* = ([0-9.]+) ns\/bar/.exec(ran.stdout.toString());
    return found ? Number(found[1]) : null;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function describeRun(run: BacktestRun): string {
  const share = ((100 * run.handled) / run.candles.count).toFixed(1);
  return `${run.recorder.cycles.length} cycles, ${run.recorder.fills.length} fills, ${share} % of candles visited`;
}

type Reference = { name: string; ns: number };

async function measureYear(
  candles: CandleSeries,
  config: string,
  reference: Reference,
): Promise<BenchRow[]> {
  const prepare = await prepared({ candles, run: "run-2019", config });
  const cache = new ColumnCache(1);
  let run = runBacktest(prepare(cache));
  const { count } = run.candles;
  const ns = (times: number[]) => (median(times.slice(WARM_UP)) * 1e6) / count;
  const warm = ns(timeMs(REPEATS, () => (run = runBacktest(prepare(cache)))));
  const cold = ns(timeMs(REPEATS, () => (run = runBacktest(prepare()))));
  const goals = MUST[config] ?? { must: Number.NaN, aim: Number.NaN };
  const note = describeRun(run);
  return [
    {
      name: `${config}, 2019, warm: indicators kept from the run before`,
      value: warm,
      unit: "ns/candle",
      ...goals,
      reference: reference.name,
      ratio: warm / reference.ns,
      note,
    },
    {
      name: `${config}, 2019, indicators computed anew`,
      value: cold,
      unit: "ns/candle",
      reference: reference.name,
      ratio: cold / reference.ns,
      note: `of which indicators ${(cold - warm).toFixed(1)}`,
    },
  ];
}

async function measureWhole(candles: CandleSeries): Promise<BenchRow> {
  const prepare = await prepared({ candles, run: "run-all", config: "fixed-exits" });
  let run = runBacktest(prepare());
  const seconds = median(timeMs(7, () => (run = runBacktest(prepare())))) / 1000;
  return {
    name: "fixed-exits, whole file, indicators computed anew",
    value: seconds,
    unit: "s",
    must: 0.3,
    note: `${run.candles.count} candles, ${describeRun(run)}`,
  };
}

/** The engine's figures; empty with a sentence when the recorded data is absent. */
export async function benchEngine(): Promise<BenchRow[]> {
  if (!existsSync(CANDLES)) {
    console.log("engine: ../shared/data is absent, nothing to measure");
    return [];
  }
  const candles = await readCandleFile(CANDLES, 1);
  const year = sliceSeries(
    candles,
    firstAtOrAfter(candles.openAt, Date.UTC(2019, 0, 1)),
    firstAtOrAfter(candles.openAt, Date.UTC(2020, 0, 1)),
  );
  const c = await cReference(year);
  const walked = await walkEverything(candles);
  const reference = c === null ? walked : { name: "plain C loop", ns: c };
  const rows: BenchRow[] = [];
  for (const config of ["fixed-exits", "trailing-atr", "both-sides-maker"]) {
    rows.push(...(await measureYear(candles, config, reference)));
  }
  rows.push(await measureWhole(candles));
  rows.push({ name: `reference: ${reference.name}`, value: reference.ns, unit: "ns/candle" });
  return rows;
}

/** Our engine without skipping, the reference where no C compiler is. */
async function walkEverything(candles: CandleSeries): Promise<Reference> {
  const columns = (await prepared({ candles, run: "run-2019", config: "fixed-exits" }))();
  const { count } = runBacktest(columns, { wake: false }).candles;
  const times = timeMs(9, () => runBacktest(columns, { wake: false }));
  return { name: "every candle walked", ns: (median(times) * 1e6) / count };
}

if (import.meta.main) {
  const { benchTable } = await import("./bench-row.ts");
  for (const line of benchTable(await benchEngine())) console.log(line);
}
