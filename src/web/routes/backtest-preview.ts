// What the backtest page shows while somebody types: the ladder of each direction, what the run will read, and
// warnings. Nothing in here refuses; a part that cannot be told yet is left out and said.
import type {
  LadderFigures,
  LadderView,
  PreviewView,
} from "../../../views/components/backtest-preview-view.ts";
import { count, date, money, percent, qty, quoteOf, timeframe } from "../../../views/format.ts";
import { type LadderPreview, previewLadder } from "../../engine/ladder-preview.ts";
import { wantedFrom } from "../../engine/prepare.ts";
import type { Instrument } from "../../model/instrument.ts";
import type { PositionSide } from "../../model/order.ts";
import { MINUTE_MS } from "../../model/time.ts";
import type { Scope } from "../../ports/access-store.ts";
import type { BacktestDesk, LatestPrice } from "../../services/research/backtest-desk.ts";
import { configWarnings } from "../../strategy/dca-atr/warnings.ts";
import type { FormReading } from "../forms/backtest-form.ts";
import { sentence, withLabels } from "../forms/backtest-sentences.ts";
import { type FormValues, numberOrText } from "../forms/backtest-values.ts";
import { ON } from "../../../views/components/backtest-field-kinds.ts";

/** Sentences that are shown at once. */
const MISSING_MAX = 4;

/** The preview of what was read. */
export async function previewOf(
  desk: BacktestDesk,
  scope: Scope,
  reading: FormReading,
  values: FormValues,
  timeZone: string,
): Promise<PreviewView> {
  const { source, timeframeMin, config, window, problems } = reading;
  const latest =
    source && timeframeMin !== null
      ? await desk.latest(scope, source, timeframeMin, config?.exits.atr_period ?? 1)
      : null;
  const reference = referenceOf(values, latest);
  const ladders = reference === null ? [] : laddersOf(reading, reference.price, latest);
  const missing = ladders.length > 0 ? [] : missingOf(problems, reference === null);
  const decimals = ladders[0]?.priceDecimals ?? 2;
  return {
    timeZone,
    reference: reference && ladders.length > 0 ? { ...reference, decimals } : null,
    ladders,
    missing,
    window: window && { fromAt: window.from, toAt: window.to },
    estimate: estimateOf(reading),
    warnings: [
      ...warningsOf(reading, values),
      ...(await fundingWarnings(desk, scope, reading, values)),
    ],
    coverage: coverageOf(reading, timeZone),
  };
}

function referenceOf(values: FormValues, latest: LatestPrice | null) {
  const typed = (values["preview.price"] ?? "").trim();
  if (typed === "") return latest && { price: latest.close, at: latest.at };
  const price = numberOrText(typed);
  return typeof price === "number" && price > 0 ? { price, at: null } : null;
}

/** Why there is no ladder, beginning with what it is made of. */
function missingOf(problems: FormReading["problems"], needsPrice: boolean): string[] {
  const entries = Object.entries(problems);
  const own = entries.filter(([field]) => /^(config|instrument|run|series|market)\b/.test(field));
  const sentences = own.map(([, text]) => text);
  const price = needsPrice ? ["From price: candles that are stored, or a price above 0."] : [];
  return [...sentences.slice(0, MISSING_MAX - price.length), ...price];
}

function laddersOf(reading: FormReading, price: number, latest: LatestPrice | null): LadderView[] {
  const { config, instrument, account, market } = reading;
  if (!config || !instrument || !account) return [];
  const { allow_long: isLong, allow_short: isShort } = config.general;
  const sides: PositionSide[] = [
    ...(isLong ? (["long"] as const) : []),
    ...(isShort ? (["short"] as const) : []),
  ];
  const quote = market ? quoteOf(market.symbol) : "";
  return sides.map((side) => {
    const atr = latest?.atr ?? -1;
    const ladder = previewLadder({ config, instrument, account, side, price, atr });
    const { rows, end, priceDecimals } = ladder;
    return {
      title: side === "long" ? "Long" : "Short",
      quote,
      priceDecimals,
      rows,
      end,
      notes: notesOf(ladder, instrument, quote),
      figures: figuresOf(ladder, account.initialBalance),
    };
  });
}

function figuresOf({ deepest, rows }: LadderPreview, balance: number): LadderFigures | null {
  const entry = rows[0];
  if (!deepest?.after || !entry) return null;
  const { notional, margin, liquidation } = deepest.after;
  return {
    orders: rows.filter(({ fate }) => fate === "fills").length,
    notional,
    deviationRatio: deepest.distanceRatio,
    margin,
    marginRatio: margin / balance,
    liquidation,
    liquidationRatio: liquidation === null ? null : liquidation / entry.price - 1,
  };
}

function notesOf(ladder: LadderPreview, instrument: Instrument, quote: string): string[] {
  const { rows, entryQty, isOutOfPrices, needsAtr } = ladder;
  const notes: string[] = [];
  if (rows.length === 0) {
    const { minQty, minNotional } = instrument;
    notes.push(
      `The first entry would be ${qty(entryQty)}: below the minimum of ${qty(minQty)} ` +
        `or ${money(minNotional, quote)}, so nothing is ever opened.`,
    );
  }
  const refused = rows.find(({ fate }) => fate === "no_margin");
  if (refused?.rung === 0) notes.push("The balance does not carry the margin of the first entry.");
  else if (refused) {
    notes.push(
      `Margin refuses DCA ${refused.rung} and ends the ladder; a higher leverage needs less margin.`,
    );
  }
  if (isOutOfPrices) notes.push("The ladder ends early: its next price would be 0 or below.");
  if (needsAtr) notes.push("Distances in ATR need stored candles to be shown.");
  return notes;
}

function estimateOf({ config, account, window, timeframeMin }: FormReading) {
  if (!config || !account || !window || timeframeMin === null) return null;
  const start = wantedFrom(config, { ...account, timeframeMin, ...window });
  return {
    candles: Math.round((window.to - window.from) / (timeframeMin * MINUTE_MS)),
    warmupMs: window.from - start,
  };
}

function warningsOf(reading: FormReading, values: FormValues): string[] {
  const { config, account, window, source, timeframeMin } = reading;
  if (!config) return [];
  const isFetched = values["fetch"] === ON;
  const isKnown = account && window && source && timeframeMin !== null && !isFetched;
  if (!isKnown || source.firstAt === null || source.lastAt === null) {
    return configWarnings(config, null).map((text) => sentence(withLabels(text)));
  }
  const endAt = source.lastAt + source.timeframeMin * MINUTE_MS;
  const start = wantedFrom(config, { ...account, timeframeMin, ...window });
  const history = {
    wantedMin: (window.from - start) / MINUTE_MS,
    presentMin: Math.max(0, window.from - source.firstAt) / MINUTE_MS,
  };
  const found = configWarnings(config, history).map((text) => sentence(withLabels(text)));
  if (window.to <= source.firstAt || window.from >= endAt) {
    return [...found, "No stored candle lies in the window."];
  }
  if (window.from < source.firstAt) found.push("The window begins before the first stored candle.");
  if (window.to > endAt) found.push("The window ends after the last stored candle.");
  return found;
}

async function fundingWarnings(
  desk: BacktestDesk,
  scope: Scope,
  { market }: FormReading,
  values: FormValues,
): Promise<string[]> {
  if (market?.kind !== "perps") return [];
  if (values["funding"] !== ON || values["fetch"] === ON) return [];
  if (await desk.hasFunding(scope, market)) return [];
  return ["No funding rates of this market are stored: none will be paid or received."];
}

function coverageOf({ source }: FormReading, timeZone: string): string | null {
  if (!source || source.firstAt === null) return null;
  const { firstAt, lastAt, gapCount, coverageRatio, items, timeframeMin } = source;
  const gaps = gapCount === 0 ? "no gaps" : gapCount === 1 ? "1 gap" : `${count(gapCount)} gaps`;
  return (
    `Stored ${timeframe(timeframeMin)}: ${count(items)} candles, ${date(firstAt, timeZone)} to ` +
    `${date(lastAt, timeZone)}, ${percent(coverageRatio)} complete, ${gaps}.`
  );
}
