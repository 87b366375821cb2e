// `dragon candles import|fetch|list`: candle and funding history of the default workspace. Loaded
// by the command list; data goes to stdout, the progress bar and refusals to stderr.
import { InputError } from "../model/result.ts";
import { formatTimeframe, isoUtc, MINUTE_MS, parseInstant, parseTimeframe } from "../model/time.ts";
import { checkTimeframe } from "../model/timeframe-grid.ts";
import type { Scope } from "../ports/access-store.ts";
import type { CandleSummary, FundingSummary, MergeCounts } from "../ports/candle-store.ts";
import type { Market, MarketData } from "../ports/market-data.ts";
import { type DownloadReport, downloadCandles } from "../services/research/candle-download.ts";
import { importCandles, importFunding } from "../services/research/candle-import.ts";
import { listGaps, type SeriesQuality } from "../services/research/candle-overview.ts";
import { downloadFunding } from "../services/research/funding-download.ts";
import {
  type Command,
  type CommandContext,
  commandGroup,
  EXIT,
  type OpenStores,
  optionFlag,
  optionText,
  requiredText,
} from "./command.ts";

const COVERAGE_COLUMNS = 20;
const GAPS_SHOWN = 10;

type Store = { readonly stores: OpenStores; readonly scope: Scope };

/** Runs work on the opened database as the default workspace. */
async function withStore<T>(
  context: CommandContext,
  work: (store: Store) => Promise<T>,
): Promise<T> {
  const stores = await context.openDatabase();
  try {
    const { id } = await stores.access.defaultWorkspace(context.clock.now());
    return await work({ stores, scope: { workspaceId: id, userId: null, role: "owner" } });
  } finally {
    await stores.close();
  }
}

function marketOf(context: CommandContext, data: MarketData): Market {
  const exchangeId = data.normaliseExchange(requiredText(context, "exchange"));
  const kind = optionText(context, "market");
  if (kind !== undefined && kind !== "perps" && kind !== "spot") {
    throw new InputError(`--market: "${kind}" is neither perps nor spot`);
  }
  const isFunding = optionFlag(context, "funding");
  return data.normaliseMarket(
    exchangeId,
    requiredText(context, "symbol"),
    kind ?? (isFunding ? "perps" : undefined),
  );
}

function timeframeOf(context: CommandContext): number | undefined {
  const text = optionText(context, "timeframe");
  if (text === undefined) return undefined;
  const minutes = parseTimeframe(text);
  checkTimeframe(minutes);
  return minutes;
}

function print(context: CommandContext, document: unknown, lines: readonly string[]): void {
  if (context.json) context.out(JSON.stringify(document));
  else for (const line of lines) context.out(line);
}

const count = (value: number) => value.toLocaleString("en-US");
const instant = (at: number | null) => (at === null ? null : isoUtc(at));
const named = (market: Market) => ({
  exchange: market.exchangeId,
  symbol: market.symbol,
  market: market.kind,
});

function mergeText({ added, replaced, unchanged }: MergeCounts): string {
  return `${count(added)} added, ${count(replaced)} replaced, ${count(unchanged)} unchanged`;
}

function qualityLines(quality: SeriesQuality): string[] {
  const { gapCount, missingBars, zeroVolumeBars, badPrintCount, jumpCount } = quality;
  const lines = [
    `gaps: ${count(gapCount)} with ${count(missingBars)} candles missing`,
    `without volume: ${count(zeroVolumeBars)}, bad prints: ${count(badPrintCount)}, ` +
      `jumps: ${count(jumpCount)}`,
  ];
  for (const gap of quality.longestGaps.slice(0, GAPS_SHOWN)) {
    lines.push(`  ${isoUtc(gap.firstMissingAt)}  ${count(gap.missingBars)} missing`);
  }
  for (const print of quality.badPrints.slice(0, GAPS_SHOWN)) {
    const around = `${print.closeBefore} before and ${print.closeAfter} after`;
    lines.push(`  ${isoUtc(print.openAt)}  ${print.kind} ${print.price}, with ${around}`);
  }
  return lines;
}

function qualityDocument(quality: SeriesQuality) {
  return {
    gaps: quality.gapCount,
    missing: quality.missingBars,
    longest_gaps: quality.longestGaps.map((gap) => ({
      first_missing_at: isoUtc(gap.firstMissingAt),
      missing: gap.missingBars,
    })),
    zero_volume: quality.zeroVolumeBars,
    bad_prints: quality.badPrintCount,
    bad_print_list: quality.badPrints.map((print) => ({
      open_at: isoUtc(print.openAt),
      kind: print.kind,
      price: print.price,
    })),
    jumps: quality.jumpCount,
  };
}

async function runImport(context: CommandContext): Promise<number> {
  const market = marketOf(context, await context.openMarketData());
  const timeframeMin = timeframeOf(context);
  const path = context.args[0] ?? "";
  return await withStore(context, async ({ stores, scope }) => {
    const deps = { store: stores.candles, clock: context.clock };
    if (optionFlag(context, "funding")) {
      const report = await importFunding(deps, { scope, path, market });
      const { added, replaced, unchanged } = report;
      const range = { first_at: isoUtc(report.firstAt), last_at: isoUtc(report.lastAt) };
      const document = { ...named(market), ...range, added, replaced, unchanged };
      print(context, document, [`${market.symbol} funding: ${mergeText(report)}`]);
      return EXIT.ok;
    }
    const report = await importCandles(deps, {
      scope,
      path,
      market,
      ...(timeframeMin === undefined ? {} : { timeframeMin }),
    });
    const timeframe = formatTimeframe(report.timeframeMin);
    const document = {
      ...named(market),
      timeframe,
      first_at: isoUtc(report.firstAt),
      last_at: isoUtc(report.lastAt),
      added: report.added,
      replaced: report.replaced,
      unchanged: report.unchanged,
      ...qualityDocument(report.quality),
    };
    print(context, document, [
      `${market.exchangeId} ${market.symbol} ${timeframe}: ${mergeText(report)}`,
      `${isoUtc(report.firstAt)} to ${isoUtc(report.lastAt)}`,
      ...qualityLines(report.quality),
    ]);
    return EXIT.ok;
  });
}

async function runFetch(context: CommandContext): Promise<number> {
  const data = await context.openMarketData();
  const market = marketOf(context, data);
  const isFunding = optionFlag(context, "funding");
  const timeframeMin = timeframeOf(context);
  if (!isFunding && timeframeMin === undefined) throw new InputError("--timeframe is missing");
  const to = optionText(context, "to");
  const range = {
    from: parseInstant(requiredText(context, "from"), "--from"),
    to: to === undefined ? context.clock.now() : parseInstant(to, "--to"),
  };
  const { signal } = context;
  return await withStore(context, async ({ stores, scope }) => {
    const deps = { store: stores.candles, market: data, clock: context.clock };
    const progress = context.progress(1, market.symbol);
    const onProgress = (at: { done: number; total: number; bars: number }) =>
      progress.update(at.done / at.total, `${market.symbol} ${count(at.bars)}`);
    const request = { scope, market, range, signal, onProgress };
    try {
      if (isFunding || timeframeMin === undefined) {
        const report = await downloadFunding(deps, request);
        print(context, fetchDocument(market, report), fetchLines(market, "funding", report));
        return EXIT.ok;
      }
      const report = await downloadCandles(deps, { ...request, timeframeMin });
      const timeframe = formatTimeframe(timeframeMin);
      const quality = qualityDocument(report.quality);
      print(context, { ...fetchDocument(market, report), timeframe, ...quality }, [
        ...fetchLines(market, timeframe, report),
        ...qualityLines(report.quality),
      ]);
      return EXIT.ok;
    } catch (error) {
      if (!signal.aborted) throw error;
      context.err(
        "dragon: stopped; what was stored stays, and the same command goes on from there",
      );
      return EXIT.failed;
    } finally {
      progress.done();
    }
  });
}

function fetchDocument(market: Market, report: DownloadReport) {
  const { added, replaced, unchanged, pages, rejectedCount } = report;
  return {
    ...named(market),
    asked: report.asked.map(({ from, to }) => ({ from: isoUtc(from), to: isoUtc(to) })),
    pages,
    added,
    replaced,
    unchanged,
    rejected: rejectedCount,
  };
}

function fetchLines(market: Market, what: string, report: DownloadReport): string[] {
  const subject = `${market.exchangeId} ${market.symbol} ${what}`;
  if (report.asked.length === 0) return [`${subject}: nothing was missing`];
  const lines = [`${subject}: ${mergeText(report)}, ${count(report.pages)} pages`];
  if (report.rejectedCount > 0) {
    lines.push(`left out, because they cannot be stored: ${count(report.rejectedCount)}`);
  }
  for (const { openAt, reason } of report.rejected) lines.push(`  ${isoUtc(openAt)}  ${reason}`);
  return lines;
}

async function runList(context: CommandContext): Promise<number> {
  return await withStore(context, async ({ stores, scope }) => {
    const candles = await stores.candles.listSeries(scope);
    const funding = await stores.candles.listFunding(scope);
    const withGaps = optionFlag(context, "gaps");
    const gaps = withGaps ? await listGaps(stores.candles, scope, candles) : new Map();
    const document = {
      candles: candles.map((each) => summaryDocument(each, gaps.get(each.id))),
      funding: funding.map(fundingDocument),
    };
    if (candles.length + funding.length === 0) {
      print(context, document, ["no candles yet: dragon candles import or dragon candles fetch"]);
      return EXIT.ok;
    }
    print(context, document, [
      ...table(candles, funding),
      ...(withGaps ? candles.flatMap((each) => gapLines(each, gaps.get(each.id))) : []),
    ]);
    return EXIT.ok;
  });
}

function summaryDocument(each: CandleSummary, quality: SeriesQuality | undefined) {
  return {
    ...named(each),
    timeframe: formatTimeframe(each.timeframeMin),
    candles: each.items,
    first_at: instant(each.firstAt),
    last_at: instant(each.lastAt),
    coverage: each.coverageRatio,
    gaps: each.gapCount,
    missing: each.missingBars,
    bytes: each.bytes,
    ...(quality === undefined ? {} : { quality: qualityDocument(quality) }),
  };
}

function fundingDocument(each: FundingSummary) {
  return {
    ...named(each),
    rates: each.items,
    first_at: instant(each.firstAt),
    last_at: instant(each.lastAt),
    bytes: each.bytes,
  };
}

function gapLines(each: CandleSummary, quality: SeriesQuality | undefined): string[] {
  if (quality === undefined) return [];
  const title = `${each.exchangeId} ${each.symbol} ${formatTimeframe(each.timeframeMin)}`;
  return ["", title, ...qualityLines(quality)];
}

function table(candles: readonly CandleSummary[], funding: readonly FundingSummary[]): string[] {
  const head = ["exchange", "symbol", "what", "count", "first", "last", "gaps", "size", "coverage"];
  const rows = [
    ...candles.map((each) => [
      each.exchangeId,
      each.symbol,
      formatTimeframe(each.timeframeMin),
      count(each.items),
      instantText(each.firstAt),
      instantText(each.lastAt),
      count(each.gapCount),
      sizeText(each.bytes),
      coverageText(each.coverageRatio),
    ]),
    ...funding.map((each) => [
      each.exchangeId,
      each.symbol,
      "funding",
      count(each.items),
      instantText(each.firstAt),
      instantText(each.lastAt),
      "",
      sizeText(each.bytes),
      "",
    ]),
  ];
  const widths = head.map((_, k) => Math.max(...[head, ...rows].map((row) => row[k]?.length ?? 0)));
  const isNumber = new Set([3, 6, 7]);
  return [head, ...rows].map((row) =>
    row
      .map((cell, k) => {
        const width = widths[k] ?? 0;
        return isNumber.has(k) ? cell.padStart(width) : cell.padEnd(width);
      })
      .join("  ")
      .trimEnd(),
  );
}

const instantText = (at: number | null) =>
  at === null ? "–" : isoUtc(Math.floor(at / MINUTE_MS) * MINUTE_MS).replace(":00Z", "Z");

function sizeText(bytes: number): string {
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** Never shows 100 % while a candle is missing. */
function coverageText(ratio: number): string {
  const full = Math.floor(ratio * COVERAGE_COLUMNS);
  const bar = "█".repeat(full).padEnd(COVERAGE_COLUMNS, "░");
  return `${bar} ${(Math.floor(ratio * 1000) / 10).toFixed(1)} %`;
}

const MARKET_OPTIONS = {
  exchange: { type: "string" },
  symbol: { type: "string" },
  timeframe: { type: "string" },
  market: { type: "string" },
  funding: { type: "boolean" },
} as const;

const MARKET_HELP = {
  exchange: "The exchange, e.g. woox, binance, bybit, okx.",
  symbol: "BTC/USDT for spot, BTC/USDT:USDT for a perpetual, PERP_BTC_USDT on woox.",
  timeframe: "Length of a candle: 1m, 5m, 1h, 1d …",
  market: "perps or spot, where the symbol does not say.",
  funding: "Funding rates instead of candles.",
};

/** Candle history. */
export const candlesCommand: Command = commandGroup(
  "candles",
  "Imports, fetches and lists candle history.",
  [
    {
      name: "import",
      summary: "Imports a candle or funding file (CSV, plain or gzip).",
      usage:
        "FILE --exchange ID --symbol S [--timeframe 1m] [--market perps|spot] [--funding] [--json]",
      options: MARKET_OPTIONS,
      optionHelp: {
        ...MARKET_HELP,
        timeframe: "Length of a candle; told from the file when absent.",
      },
      positionals: { min: 1, max: 1 },
      run: runImport,
    },
    {
      name: "fetch",
      summary: "Fetches what is missing from an exchange.",
      usage: "--exchange ID --symbol S --timeframe 1h --from DATE [--to DATE] [--funding] [--json]",
      options: { ...MARKET_OPTIONS, from: { type: "string" }, to: { type: "string" } },
      optionHelp: {
        ...MARKET_HELP,
        from: "First open time, e.g. 2024-01-01 or 2024-01-01T12:00Z.",
        to: "End, not included; now when absent.",
      },
      run: runFetch,
    },
    {
      name: "list",
      summary: "Lists what is stored.",
      usage: "[--gaps] [--json]",
      options: { gaps: { type: "boolean" } },
      optionHelp: { gaps: "Also lists the longest gaps and bad prints of each series." },
      run: runList,
    },
  ],
);
