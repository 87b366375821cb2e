// Where prices come from: a seeded walk, candles or a tape, all turned into steps of a path. A step is
// a price, an instant and the volume that traded on the way. Read by house.ts alone.
import { gridCount, nearestCount } from "./decimal.ts";
import type { Instrument } from "./instrument.ts";
import type { Side } from "./order.ts";
import { createRandom, type Random } from "./random.ts";
import type { FeedSettings, TextCandle } from "./settings.ts";

/** One point of a path; `side` is the taker's, guessed from the direction when absent. */
export type PathStep = {
  readonly at: number;
  readonly ticks: number;
  readonly lots: number;
  readonly side?: Side;
};

/** A candle in ticks and lots. */
type GridCandle = {
  readonly openAt: number;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly lots: number;
};

const MINUTE_MS = 60_000;
/** Steps between two corners of a candle; with the corners a minute has a price every 5 seconds. */
const STEPS_PER_EDGE = 4;

/**
 * The steps of a feed, oldest first; a generated one never ends.
 * @param from virtual instant of the first generated step
 */
export function pathOf(
  feed: FeedSettings,
  instrument: Instrument,
  seed: number,
  from: number,
): Iterator<PathStep> {
  const random = createRandom(seed, `path ${instrument.symbol}`);
  if (feed.kind === "tape") return feed.steps[Symbol.iterator]();
  if (feed.kind === "generator") {
    const candles = generated(feed, instrument, random, from);
    return expanded(candles, MINUTE_MS, createRandom(seed, `corners ${instrument.symbol}`));
  }
  return expanded(onGrid(feed.candles, instrument), feed.timeframeMs, random);
}

function* onGrid(candles: Iterable<TextCandle>, instrument: Instrument): Generator<GridCandle> {
  for (const { openAt, open, high, low, close, volume } of candles) {
    const [o, h, l, c] = [open, high, low, close].map((text) =>
      nearestCount(text, instrument.price),
    );
    const lots = nearestCount(volume, instrument.qty);
    if (o == null || h == null || l == null || c == null || lots === null) {
      throw new RangeError(`candle at ${openAt}: a price or volume is no decimal`);
    }
    yield { openAt, open: o, high: h, low: l, close: c, lots };
  }
}

/** A seeded walk of one-minute candles. */
function* generated(
  feed: FeedSettings & { kind: "generator" },
  instrument: Instrument,
  random: Random,
  from: number,
): Generator<GridCandle> {
  const start = gridCount(feed.startPrice, instrument.price);
  const mean = nearestCount(feed.minuteQty, instrument.qty);
  if (start === null) throw new RangeError(`startPrice "${feed.startPrice}" is off the tick`);
  if (mean === null) throw new RangeError(`minuteQty "${feed.minuteQty}" is no decimal`);
  let close = start;
  for (let openAt = Math.ceil(from / MINUTE_MS) * MINUTE_MS; ; openAt += MINUTE_MS) {
    // The sum of four draws is close enough to a bell.
    const bell = random() + random() + random() + random() - 2;
    const sigma = (close * feed.volatilityPpm) / 1e6;
    const open = close;
    const drift = Math.round(bell * 1.7 * sigma);
    close = Math.min(instrument.maxTicks, Math.max(instrument.minTicks, open + drift));
    const peak = Math.max(open, close) + Math.floor(random() * sigma);
    const high = Math.min(instrument.maxTicks, peak);
    const low = Math.max(instrument.minTicks, Math.min(open, close) - Math.floor(random() * sigma));
    yield { openAt, open, high, low, close, lots: Math.round(mean * 2 * random()) };
  }
}

/** Walks O-H-L-C or O-L-H-C through every candle; volume is spread evenly, the rest goes last. */
function* expanded(
  candles: Iterable<GridCandle>,
  timeframeMs: number,
  random: Random,
): Generator<PathStep> {
  for (const candle of candles) {
    const { open, high, low, close } = candle;
    const corners = random() < 0.5 ? [open, high, low, close] : [open, low, high, close];
    const prices = [open];
    for (let k = 1; k < corners.length; k++) {
      const [from, to] = [corners[k - 1]!, corners[k]!];
      for (let i = 1; i <= STEPS_PER_EDGE; i++) {
        prices.push(from + Math.round(((to - from) * i) / STEPS_PER_EDGE));
      }
    }
    const share = Math.floor(candle.lots / prices.length);
    for (const [i, ticks] of prices.entries()) {
      const isLast = i === prices.length - 1;
      const lots = isLast ? candle.lots - share * i : share;
      yield { at: candle.openAt + Math.floor((i * timeframeMs) / prices.length), ticks, lots };
    }
  }
}
