// Reads a candle file for the venue: CSV, optionally gzip, header timestamp_ms,open,high,low,close,volume.
// The venue's own reader; values stay text until they meet the tick of an instrument.
import { nearestCount, toUnits } from "./decimal.ts";
import { createInstrument, type InstrumentSpec } from "./instrument.ts";
import type { FeedSettings, TextCandle } from "./settings.ts";

const HEADER = "timestamp_ms,open,high,low,close,volume";
const DAY_MS = 86_400_000;
/** Candles played as history before the start. */
const HISTORY_CANDLES = 500;
const DECIMALS_MAX = 12;

/** A file that cannot be used; the message names line and field. */
export class CandleFileError extends Error {
  override readonly name = "CandleFileError";
}

/** Candles of a file as a feed whose 500th candle is the newest finished one at the start. */
export type CandleFeed = {
  readonly feed: FeedSettings;
  readonly candles: number;
  readonly shiftMs: number;
};

/**
 * Reads the file at `path` and moves it by whole days so that it plays around `startAt`.
 * @param spec the contract that will follow it; its price limits must hold every candle
 * @throws CandleFileError naming what is wrong
 */
export async function readCandleFeed(
  path: string,
  startAt: number,
  spec: InstrumentSpec,
): Promise<CandleFeed> {
  const file = Bun.file(path);
  if (!(await file.exists())) throw new CandleFileError(`candles: "${path}" does not exist`);
  const candles = parseCandles(textOf(path, new Uint8Array(await file.arrayBuffer())));
  checkPrices(candles, spec);
  const anchor = candles[Math.min(HISTORY_CANDLES, Math.floor(candles.length / 2))];
  if (!anchor) throw new CandleFileError(`candles: "${path}" has fewer than two candles`);
  const shiftMs = Math.floor((startAt - anchor.openAt) / DAY_MS) * DAY_MS;
  const moved = candles.map((candle) => ({ ...candle, openAt: candle.openAt + shiftMs }));
  const feed: FeedSettings = { kind: "candles", candles: moved, timeframeMs: spacing(candles) };
  return { feed, candles: candles.length, shiftMs };
}

/** Every price must stay a price of the contract when it is rounded to its tick. */
function checkPrices(candles: readonly TextCandle[], spec: InstrumentSpec): void {
  const { price, minTicks, maxTicks } = createInstrument(spec);
  for (const { openAt, low, high } of candles) {
    const least = nearestCount(low, price) ?? 0;
    const most = nearestCount(high, price) ?? Number.POSITIVE_INFINITY;
    if (least >= minTicks && most <= maxTicks) continue;
    throw new CandleFileError(
      `candles: the candle at ${openAt} (${low} to ${high}) does not fit ${spec.symbol}, ` +
        `whose prices are above ${spec.quoteMin} to ${spec.quoteMax} in steps of ${spec.quoteTick}`,
    );
  }
}

function textOf(path: string, bytes: Uint8Array<ArrayBuffer>): string {
  const isPacked = bytes[0] === 0x1f && bytes[1] === 0x8b;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(
      isPacked ? Bun.gunzipSync(bytes) : bytes,
    );
  } catch (error) {
    throw new CandleFileError(`candles: "${path}" is neither text nor gzip (${String(error)})`);
  }
}

/** Parses the whole text. @throws CandleFileError naming line and field */
export function parseCandles(text: string): TextCandle[] {
  const lines = text.split(/\r?\n/);
  if (lines[0] !== HEADER) throw new CandleFileError(`candles: line 1 must be "${HEADER}"`);
  const candles: TextCandle[] = [];
  for (let i = 1; i < lines.length; i++) {
    const line = lines[i] ?? "";
    if (line === "") continue;
    const candle = parseLine(line, i + 1);
    const before = candles.at(-1);
    if (before && candle.openAt <= before.openAt) {
      throw new CandleFileError(`candles: line ${i + 1}: timestamp_ms must ascend`);
    }
    candles.push(candle);
  }
  return candles;
}

function parseLine(line: string, number: number): TextCandle {
  const [at = "", open = "", high = "", low = "", close = "", volume = "", ...more] =
    line.split(",");
  const fields = { open, high, low, close, volume };
  if (!/^\d{1,15}$/.test(at))
    throw new CandleFileError(`candles: line ${number}: timestamp_ms "${at}"`);
  if (more.length > 0) throw new CandleFileError(`candles: line ${number} has more than 6 fields`);
  const units = Object.entries(fields).map(([name, text]) => {
    const value = toUnits(text, DECIMALS_MAX);
    if (value === null || value < 0n || (name !== "volume" && value === 0n)) {
      throw new CandleFileError(
        `candles: line ${number}: ${name} "${text}" is no positive decimal`,
      );
    }
    return value;
  });
  const [o = 0n, h = 0n, l = 0n, c = 0n] = units;
  if (h < o || h < c || l > o || l > c) {
    throw new CandleFileError(`candles: line ${number}: high and low must enclose open and close`);
  }
  return { openAt: Number(at), ...fields };
}

/** The commonest distance of neighbours is the timeframe: the smallest one in the file. */
function spacing(candles: readonly TextCandle[]): number {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 1; i < candles.length; i++) {
    least = Math.min(least, candles[i]!.openAt - candles[i - 1]!.openAt);
  }
  return least;
}
