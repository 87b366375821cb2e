// The forms of the candles page: posted texts in, wishes or one sentence per field out. Used by
// routes/candles.tsx. Asks no network.
import { InputError } from "../../model/result.ts";
import { DAY_MS, type EpochMs, parseInstant, parseTimeframe } from "../../model/time.ts";
import { checkTimeframe } from "../../model/timeframe-grid.ts";
import type { TimeRange } from "../../ports/candle-store.ts";
import type { InstrumentKind } from "../../ports/instrument-store.ts";
import type { Market } from "../../ports/market-data.ts";
import type { Candles, DownloadWish } from "../../services/research/candles.ts";
import type {
  DownloadFields,
  DownloadProblems,
} from "../../../views/pages/candle-download-form.tsx";
import { forForm } from "../respond.ts";

/** Names of the posted fields of the download form. */
export const DOWNLOAD_NAMES = [
  "exchange",
  "symbol",
  "market",
  "timeframe",
  "range",
  "days",
  "from",
  "until",
  "candles",
  "funding",
] as const;

/** The form as it is first shown. */
export const DOWNLOAD_DEFAULTS: DownloadFields = {
  exchange: "woox",
  symbol: "",
  market: "perps",
  timeframe: "5m",
  range: "last",
  days: "180",
  from: "",
  until: "",
  candles: "yes",
  funding: "",
};

/** Longest history that "last days" asks for. */
const DAYS_MAX = 10_000;
const NAME_CHARS_MAX = 120;

type Lookup = Pick<Candles, "normalise">;
type Problems = Partial<Record<keyof DownloadFields | "content", string>>;

/** Runs a step; a refusal becomes the sentence of the field it names. */
function attempt<T>(problems: Problems, field: keyof DownloadFields, step: () => T): T | undefined {
  try {
    return step();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const named = /^([a-z]+): /.exec(error.message)?.[1];
    const known = DOWNLOAD_NAMES.find((name) => name === named);
    problems[known ?? field] ??= forForm(error.message);
    return undefined;
  }
}

/** The sentences of a refusal of the service, at the field it names. */
export function problemsOf(error: InputError): DownloadProblems {
  const problems: Problems = {};
  attempt(problems, "symbol", () => {
    throw error;
  });
  return problems;
}

function kindOf(text: string): InstrumentKind | undefined {
  if (text === "") return undefined;
  if (text === "perps" || text === "spot") return text;
  throw new InputError(`market: "${text.slice(0, 20)}" is neither perps nor spot`);
}

function timeframeOf(text: string): number {
  const minutes = parseTimeframe(text);
  checkTimeframe(minutes);
  return minutes;
}

function marketOf(
  { normalise }: Lookup,
  fields: Readonly<Record<"exchange" | "symbol" | "market", string>>,
): Market {
  if (fields.exchange.trim() === "") throw new InputError("exchange: it is missing");
  if (fields.symbol.trim() === "") throw new InputError("symbol: it is missing");
  return normalise(fields.exchange, fields.symbol, kindOf(fields.market));
}

function rangeOf(fields: DownloadFields, problems: Problems, now: EpochMs): TimeRange | undefined {
  if (fields.range !== "dates") {
    const days = Number(fields.days);
    if (!/^\d{1,9}$/.test(fields.days) || days < 1 || days > DAYS_MAX) {
      problems.days = `“${fields.days}” is not a whole number of days from 1 to ${DAYS_MAX}.`;
      return undefined;
    }
    return { from: Math.max(0, now - days * DAY_MS), to: now };
  }
  const from = attempt(problems, "from", () => parseInstant(fields.from, "from"));
  const to = attempt(problems, "until", () =>
    fields.until === "" ? now : parseInstant(fields.until, "until"),
  );
  if (from === undefined || to === undefined) return undefined;
  if (to > from) return { from, to };
  problems.until = "This is not after the first day.";
  return undefined;
}

/** Reads the download form; `wishes` are absent when something is wrong. */
export function readDownloadForm(
  lookup: Lookup,
  fields: DownloadFields,
  now: EpochMs,
): { readonly problems: DownloadProblems; readonly wishes?: readonly DownloadWish[] } {
  const problems: Problems = {};
  const market = attempt(problems, "symbol", () => marketOf(lookup, fields));
  const timeframeMin =
    fields.candles === ""
      ? null
      : attempt(problems, "timeframe", () => timeframeOf(fields.timeframe));
  const range = rangeOf(fields, problems, now);
  if (fields.candles === "" && fields.funding === "") {
    problems.content = "Choose candles, funding rates or both.";
  }
  const isGood = Object.keys(problems).length === 0;
  if (!isGood || !market || !range || timeframeMin === undefined) return { problems };
  const wishes: DownloadWish[] = [];
  if (timeframeMin !== null) wishes.push({ market, timeframeMin, range });
  if (fields.funding !== "") wishes.push({ market, timeframeMin: null, range });
  return { problems, wishes };
}

/** What the address of an upload says about the file. */
export type ImportTarget = {
  readonly market: Market;
  readonly timeframeMin?: number;
  readonly name: string;
};

/**
 * Reads what an upload says about its file; an empty timeframe is told from the file.
 * @throws InputError naming the field
 */
export function readImportTarget(
  lookup: Lookup,
  read: (name: "exchange" | "symbol" | "market" | "timeframe" | "file") => string | undefined,
): ImportTarget {
  const text = (name: Parameters<typeof read>[0]) => (read(name) ?? "").trim();
  const market = marketOf(lookup, {
    exchange: text("exchange"),
    symbol: text("symbol"),
    market: text("market"),
  });
  const timeframe = text("timeframe");
  const name =
    text("file")
      .replace(/\p{Cc}/gu, "")
      .slice(0, NAME_CHARS_MAX) || "the file";
  return { market, name, ...(timeframe === "" ? {} : { timeframeMin: timeframeOf(timeframe) }) };
}
