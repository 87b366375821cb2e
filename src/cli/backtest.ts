// `dragon backtest`: one run from files, no database, no network. Prints the result document with --json,
// else a table with both fill models side by side, because neither bounds the other.
import { type BacktestRun, runBacktest } from "../engine/backtest.ts";
import { type BacktestRequest, prepareBacktest } from "../engine/prepare.ts";
import { formatTimeframe, isoUtc, MINUTE_MS, parseInstant } from "../model/time.ts";
import { parseInstrument, parseRun } from "../services/research/backtest-inputs.ts";
import { type ResultDocument, resultDocument } from "../services/research/backtest-result.ts";
import { readCandleFile, readFundingFile } from "../services/research/candle-files.ts";
import { decisionRecord } from "../services/research/decision-record.ts";
import { readJsonFile } from "../services/research/json-files.ts";
import { checkIntervals, parseConfig } from "../strategy/dca-atr/config.ts";
import { importLegacyConfig } from "../strategy/dca-atr/legacy.ts";
import { configWarnings } from "../strategy/dca-atr/warnings.ts";
import {
  type Command,
  type CommandContext,
  EXIT,
  optionFlag,
  optionText,
  requiredText,
} from "./command.ts";

async function readRequest(context: CommandContext): Promise<BacktestRequest> {
  const candlesFile = requiredText(context, "candles");
  const configFile = requiredText(context, "config");
  const instrumentFile = requiredText(context, "instrument");
  const runFile = requiredText(context, "run");
  const fundingFile = optionText(context, "funding");
  const run = parseRun(await readJsonFile(runFile));
  const instrument = parseInstrument(await readJsonFile(instrumentFile));
  const raw = await readJsonFile(configFile);
  const config = optionFlag(context, "import-legacy") ? importLegacyConfig(raw) : parseConfig(raw);
  checkIntervals(config, run.timeframeMin);
  const funding = fundingFile === undefined ? null : await readFundingFile(fundingFile);
  const candles = await readCandleFile(candlesFile, run.timeframeMin);
  return { candles, funding, config, instrument, run };
}

function runWithProgress(context: CommandContext, request: BacktestRequest): BacktestRun {
  const progress = context.progress(100, "backtest");
  const run = runBacktest(prepareBacktest(request), {
    decisions: optionFlag(context, "decisions") || optionText(context, "explain") !== undefined,
    onProgress: (share) => {
      progress.update(Math.round(share * 100));
      return true;
    },
  });
  progress.done();
  return run;
}

type Cell = (result: ResultDocument) => string;

const decimals = (value: number, places: number) =>
  value.toLocaleString("en-US", { minimumFractionDigits: places, maximumFractionDigits: places });
const money = (value: number) => decimals(value, 2);
const percent = (value: number | null) => (value === null ? "–" : `${decimals(value * 100, 2)} %`);
const ratio = (value: number | null) => (value === null ? "–" : decimals(value, 2));
const count = (value: number) => value.toLocaleString("en-US");

/** Seconds as days, hours and minutes. */
function duration(seconds: number | null): string {
  if (seconds === null) return "–";
  const minutes = Math.round(seconds / 60);
  const parts = [
    [Math.floor(minutes / 1440), "d"],
    [Math.floor(minutes / 60) % 24, "h"],
    [minutes % 60, "m"],
  ] as const;
  const shown = parts.filter(([value]) => value > 0).map(([value, unit]) => `${value}${unit}`);
  return shown.slice(0, 2).join(" ") || "0m";
}

const ROWS: readonly (readonly [string, Cell])[] = [
  ["End equity", (r) => money(r.equity_end)],
  ["Net profit", (r) => `${money(r.metrics.net_profit)} (${percent(r.metrics.net_return)})`],
  ["CAGR", (r) => percent(r.metrics.cagr)],
  ["Max drawdown", (r) => percent(r.metrics.max_drawdown)],
  ["Drawdown duration", (r) => duration(r.metrics.drawdown_duration_s)],
  ["Sharpe / Sortino", (r) => `${ratio(r.metrics.sharpe)} / ${ratio(r.metrics.sortino)}`],
  ["Profit factor", (r) => (r.metrics.no_losses ? "no losses" : ratio(r.metrics.profit_factor))],
  ["Win rate", (r) => percent(r.metrics.win_rate)],
  ["Cycles (open)", (r) => `${count(r.metrics.cycles)} (${r.metrics.open_cycles})`],
  ["Fills", (r) => count(r.metrics.fills)],
  ["Deepest ladder", (r) => `${r.metrics.max_dca_depth} rungs`],
  ["Average in position", (r) => duration(r.metrics.avg_position_time_s)],
  ["Exposure", (r) => percent(r.metrics.exposure)],
  ["Fees / funding", (r) => `${money(r.metrics.fees_total)} / ${money(r.metrics.funding_total)}`],
  ["Slippage", (r) => money(r.metrics.slippage_cost)],
  ["Most margin used", (r) => money(r.metrics.max_margin_used)],
  ["Refused for margin", (r) => count(r.rejections.entry_margin + r.rejections.rung_margin)],
  ["Liquidated", (r) => (r.metrics.liquidated ? "yes" : "no")],
];

function table(names: readonly string[], results: readonly ResultDocument[]): string[] {
  const lines = [
    ["", ...names],
    ...ROWS.map(([label, cell]) => [label, ...results.map((result) => cell(result))]),
  ];
  const widths = names.map((_, k) => Math.max(...lines.map((line) => (line[k + 1] ?? "").length)));
  const labels = Math.max(...lines.map((line) => (line[0] ?? "").length));
  return lines.map(([label, ...cells]) =>
    [(label ?? "").padEnd(labels), ...cells.map((cell, k) => cell.padStart(widths[k] ?? 0))].join(
      "   ",
    ),
  );
}

/** Median distance of neighbouring candles in ms. */
function usualSpacingMs({ openAt }: BacktestRequest["candles"]): number {
  const distances = openAt.slice(1).map((at, i) => at - openAt[i]!);
  distances.sort();
  return distances[distances.length >>> 1] ?? 0;
}

function printSummary(context: CommandContext, request: BacktestRequest, run: BacktestRun): void {
  const result = resultDocument(run);
  const { fillModel, timeframeMin } = request.run;
  const other = fillModel === "path" ? ("pessimistic" as const) : ("path" as const);
  const settings = { ...request, run: { ...request.run, fillModel: other } };
  // The fill model changes no indicator, so the prepared columns serve both runs.
  const second = resultDocument(runBacktest({ ...run.prepared, request: settings }));
  const { candles, warmup } = result;
  context.out(
    `${request.instrument.symbol || "Backtest"} ${formatTimeframe(timeframeMin)}, ` +
      `${isoUtc(candles.from)} to ${isoUtc(candles.to)}, ${count(candles.count)} candles`,
  );
  const minutesTo = (from: number) => Math.max(0, candles.from - from) / MINUTE_MS;
  const present = Math.max(warmup.wanted_from, request.candles.openAt[0] ?? candles.from);
  const history = { wantedMin: minutesTo(warmup.wanted_from), presentMin: minutesTo(present) };
  for (const sentence of configWarnings(request.config, warmup.short ? history : null)) {
    context.out(`Note: ${sentence}.`);
  }
  const apart = usualSpacingMs(request.candles) / MINUTE_MS;
  if (apart > timeframeMin) {
    const [found, asked] = [formatTimeframe(apart), formatTimeframe(timeframeMin)];
    context.out(`Note: most candles lie ${found} apart, but the run says timeframe ${asked}.`);
  }
  context.out("");
  for (const line of table([`fill model ${fillModel}`, other], [result, second])) context.out(line);
  context.out("");
  context.out(`Fills digest (${fillModel}): ${result.fills_sha256}`);
  if (result.decisions) {
    context.out("");
    context.out("Decisions at candle closes:");
    for (const [name, n] of Object.entries(result.decisions)) {
      context.out(`  ${name.padEnd(16)} ${count(n)}`);
    }
  }
}

/** Prints why the candle at an instant did or did not lead to an entry. */
function printDecision(context: CommandContext, run: BacktestRun, instant: string): void {
  const record = decisionRecord(run, parseInstant(instant, "--explain"));
  if (context.json) {
    context.out(JSON.stringify(record));
    return;
  }
  const mark = (holds: boolean) => (holds ? "yes" : "no");
  context.out(`Candle opened ${isoUtc(record.openAt)}, close ${record.close}`);
  context.out(`Decision at its close: ${record.decision.replaceAll("_", " ")}`);
  context.out("");
  context.out("             long  short");
  for (const name of ["bollinger", "macd", "rsi", "signal", "trend", "gate"] as const) {
    const [long, short] = [mark(record.long[name]), mark(record.short[name])];
    context.out(`${name.padEnd(12)} ${long.padEnd(5)} ${short}`);
  }
  context.out("");
  for (const [name, value] of Object.entries(record.values)) {
    if (value !== null) context.out(`${name.padEnd(16)} ${Number(value.toPrecision(8))}`);
  }
}

/** `dragon backtest`. */
export const backtestCommand: Command = {
  name: "backtest",
  summary: "Runs one backtest from files; needs no database and no network.",
  usage: "--candles FILE --config FILE --instrument FILE --run FILE [--funding FILE] [--json]",
  options: {
    candles: { type: "string" },
    config: { type: "string" },
    instrument: { type: "string" },
    run: { type: "string" },
    funding: { type: "string" },
    decisions: { type: "boolean" },
    explain: { type: "string" },
    defaults: { type: "boolean" },
    "import-legacy": { type: "boolean" },
  },
  optionHelp: {
    candles: "CSV or CSV.gz: timestamp_ms,open,high,low,close,volume",
    config: "strategy configuration (JSON); missing keys take their defaults",
    instrument: "tick, step and minimums of the instrument (JSON)",
    run: "timeframe, window, costs and leverage (JSON)",
    funding: "CSV or CSV.gz: timestamp_ms,funding_rate",
    decisions: "also count why each candle close did or did not lead to an entry",
    explain: "instant (ISO or ms) of a candle: print what the indicators said at its close",
    defaults: "print the complete default configuration and end",
    "import-legacy": "accept old field names in the configuration",
  },
  run: async (context) => {
    if (optionFlag(context, "defaults")) {
      context.out(JSON.stringify(parseConfig({}), null, context.json ? 0 : 2));
      return EXIT.ok;
    }
    const request = await readRequest(context);
    const run = runWithProgress(context, request);
    const instant = optionText(context, "explain");
    if (instant !== undefined) printDecision(context, run, instant);
    else if (context.json) context.out(JSON.stringify(resultDocument(run)));
    else printSummary(context, request, run);
    return EXIT.ok;
  },
};
