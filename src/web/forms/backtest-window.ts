// Market, timeframe and window of the backtest form: what was chosen against what is stored. Pure: series,
// periods and the time are handed in.
import { DURATION_DAYS, OTHER_SERIES } from "../../../views/components/backtest-run-fields.ts";
import { InputError } from "../../model/result.ts";
import {
  DAY_MS,
  type EpochMs,
  formatTimeframe,
  MINUTE_MS,
  parseInstant,
} from "../../model/time.ts";
import { gridFloor } from "../../model/timeframe-grid.ts";
import type { CandleSummary, TimeRange } from "../../ports/candle-store.ts";
import type { InstrumentKind } from "../../ports/instrument-store.ts";
import type { Market } from "../../ports/market-data.ts";
import type { Period } from "../../ports/period-store.ts";
import { labelOf, sentence } from "./backtest-sentences.ts";
import { type FormValues, numberOrText } from "./backtest-values.ts";
import { ON } from "../../../views/components/backtest-field-kinds.ts";

/** What the form is judged against. */
export type FormFacts = {
  readonly series: readonly CandleSummary[];
  readonly periods: readonly Period[];
  readonly now: EpochMs;
  /** @throws InputError when the market is not understood */
  normalise(exchange: string, symbol: string, kind?: InstrumentKind): Market;
};

/** Writes a sentence down; the first at a field stays. */
export type Note = (field: string, sentence: string) => void;

const BARS_MIN = 10;
const BARS_MAX = 1_000_000;

/** The series of a field value. */
export function seriesOf(facts: FormFacts, value: string): CandleSummary | null {
  return facts.series.find(({ id }) => String(id) === value) ?? null;
}

/** The market that was chosen; null with a note when there is none. */
export function readMarket(values: FormValues, facts: FormFacts, note: Note): Market | null {
  const chosen = values["series"] ?? "";
  if (chosen !== OTHER_SERIES) {
    const series = seriesOf(facts, chosen);
    if (series) {
      const { exchangeId, symbol, kind } = series;
      return { exchangeId, symbol, kind };
    }
    note(
      "series",
      chosen === ""
        ? "Choose the candles to test on."
        : "These candles are no longer stored; choose others.",
    );
    return null;
  }
  return readOtherMarket(values, facts, note);
}

function readOtherMarket(values: FormValues, facts: FormFacts, note: Note): Market | null {
  const exchange = (values["market.exchange"] ?? "").trim();
  const symbol = (values["market.symbol"] ?? "").trim();
  const kind = values["market.kind"];
  if (exchange === "") note("market.exchange", "Exchange is empty; write e.g. woox or binance.");
  if (symbol === "") note("market.symbol", "Symbol is empty; write e.g. BTC/USDT:USDT.");
  if (kind !== "perps" && kind !== "spot") {
    note("market.kind", `Market is "${kind}"; it must be one of perps, spot.`);
    return null;
  }
  if (exchange === "" || symbol === "") return null;
  try {
    return facts.normalise(exchange, symbol, kind);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const field = error.message.startsWith("symbol") ? "market.symbol" : "market.exchange";
    note(field, sentence(error.message.replace(/^(symbol|exchange): /, "")));
    return null;
  }
}

/** Stored series of a market, finest first. */
export function storedOf(facts: FormFacts, market: Market): CandleSummary[] {
  return facts.series
    .filter(
      (each) =>
        each.exchangeId === market.exchangeId &&
        each.symbol === market.symbol &&
        each.kind === market.kind,
    )
    .sort((a, b) => a.timeframeMin - b.timeframeMin);
}

/**
 * The stored series a timeframe can be made of: itself, else the coarsest that divides it. Null with a note when
 * there is none and none is to be fetched.
 */
export function readSource(
  values: FormValues,
  stored: readonly CandleSummary[],
  timeframeMin: number,
  note: Note,
): CandleSummary | null {
  const fitting = stored.filter((each) => timeframeMin % each.timeframeMin === 0);
  const source = fitting.at(-1);
  if (source) return source;
  if (values["fetch"] === ON) return null;
  const shown = formatTimeframe(timeframeMin);
  const have = stored.map((each) => formatTimeframe(each.timeframeMin)).join(", ");
  if (stored.length === 0) {
    note("series", "No candles of this market are stored; let them be fetched, or import them.");
  } else {
    note(
      "run.timeframe_min",
      `Timeframe is ${shown}; it must be a multiple of a stored one (${have}), or be fetched.`,
    );
  }
  return null;
}

/** End of the history a relative range ends at. */
function historyEnd(
  values: FormValues,
  source: CandleSummary | null,
  timeframeMin: number,
  now: EpochMs,
): EpochMs {
  const lastAt = values["fetch"] === ON ? null : (source?.lastAt ?? null);
  if (source === null || lastAt === null) return gridFloor(now, timeframeMin);
  return gridFloor(lastAt + source.timeframeMin * MINUTE_MS, timeframeMin);
}

/** The traded window; null with a note when it cannot be told. */
export function readWindow(
  values: FormValues,
  facts: FormFacts,
  source: CandleSummary | null,
  timeframeMin: number,
  note: Note,
): TimeRange | null {
  const to = historyEnd(values, source, timeframeMin, facts.now);
  switch (values["range.mode"]) {
    case "bars": {
      const bars = numberOrText(values["range.bars"] ?? "");
      if (typeof bars === "number" && Number.isInteger(bars)) {
        if (bars >= BARS_MIN && bars <= BARS_MAX) {
          return { from: to - bars * timeframeMin * MINUTE_MS, to };
        }
      }
      const shown = bars === "" ? "empty" : bars;
      note("range.bars", `Bars is ${shown}; it must be a whole number from 10 to 1000000.`);
      return null;
    }
    case "dates":
      return readDates(values, note);
    case "period": {
      const period = facts.periods.find(({ id }) => String(id) === values["range.period"]);
      if (period) return { from: period.fromAt, to: period.toAt };
      note("range.period", "Choose a saved period.");
      return null;
    }
    default: {
      const days = DURATION_DAYS[values["range.duration"] ?? ""];
      if (days !== undefined) return { from: to - days * DAY_MS, to };
      note("range.duration", "Choose a duration.");
      return null;
    }
  }
}

function readDates(values: FormValues, note: Note): TimeRange | null {
  const [from, to] = ["range.from", "range.to"].map((name) => {
    const text = values[name] ?? "";
    if (text === "") {
      note(name, `${labelOf(name)} is empty; write a date such as 2024-01-31T12:00.`);
      return null;
    }
    try {
      return parseInstant(text, labelOf(name));
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      note(name, sentence(error.message));
      return null;
    }
  });
  if (from === null || to === null || from === undefined || to === undefined) return null;
  if (to > from) return { from, to };
  note("range.to", "The end must be after the start.");
  return null;
}

/** An instant as the date inputs write it. */
export function momentText(at: EpochMs): string {
  return new Date(at).toISOString().slice(0, at % MINUTE_MS === 0 ? 16 : 23);
}
