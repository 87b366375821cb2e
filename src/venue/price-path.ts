// Where prices come from: a generated walk, candles or a tape, all turned into steps of a path. A step
// is a price, an instant and the volume that traded on the way. Played by exchange.ts.
import { nearestCount } from "./decimal.ts";
import type { Instrument } from "./instrument.ts";
import type { Side } from "./order.ts";
import { createRandom } from "./random.ts";
import type { FeedSettings, TextCandle } from "./settings.ts";
import { createWalk, type Walk } from "./walk.ts";

/** One point of a path; `side` is the taker's, guessed from the direction when absent. */
export type PathStep = {
  readonly at: number;
  readonly ticks: number;
  readonly lots: number;
  readonly side?: Side;
};

/** A candle in ticks and lots, and which of its extremes comes first. */
export type GridCandle = {
  readonly openAt: number;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly lots: number;
  readonly isHighFirst: boolean;
};

/** Prices to come, and those of a walk that need not be played. */
export type PricePath = { readonly steps: Iterator<PathStep>; readonly walk: Walk | null };

const MINUTE_MS = 60_000;
/** Steps between two corners of a candle; with the corners a minute has a price every 5 seconds. */
const STEPS_PER_EDGE = 4;

/**
 * The steps of a feed, oldest first; a generated one begins in the minute of `startAt` and never ends.
 * @param historyFrom virtual instant of the first minute of a walk
 * @throws RangeError when a price or quantity of the feed does not fit the contract
 */
export function pathOf(
  feed: FeedSettings,
  instrument: Instrument,
  seed: number,
  { historyFrom, startAt }: { readonly historyFrom: number; readonly startAt: number },
): PricePath {
  if (feed.kind === "tape") return { steps: feed.steps[Symbol.iterator](), walk: null };
  if (feed.kind === "generator") {
    const walk = createWalk(feed, instrument, seed, historyFrom);
    return { steps: expanded(minutesFrom(walk, startAt), MINUTE_MS), walk };
  }
  const random = createRandom(seed, `path ${instrument.symbol}`);
  const candles = onGrid(feed.candles, instrument, () => random() < 0.5);
  return { steps: expanded(candles, feed.timeframeMs), walk: null };
}

function* minutesFrom(walk: Walk, startAt: number): Generator<GridCandle> {
  const first = Math.max(walk.from, Math.floor(startAt / MINUTE_MS) * MINUTE_MS);
  for (let openAt = first; ; openAt += MINUTE_MS) yield walk.candleAt(openAt);
}

function* onGrid(
  candles: Iterable<TextCandle>,
  instrument: Instrument,
  isHighFirst: () => boolean,
): Generator<GridCandle> {
  for (const { openAt, open, high, low, close, volume } of candles) {
    const [o, h, l, c] = [open, high, low, close].map((text) =>
      nearestCount(text, instrument.price),
    );
    const lots = nearestCount(volume, instrument.qty);
    if (o == null || h == null || l == null || c == null || lots === null) {
      throw new RangeError(`candle at ${openAt}: a price or volume is no decimal`);
    }
    yield { openAt, open: o, high: h, low: l, close: c, lots, isHighFirst: isHighFirst() };
  }
}

/** Walks O-H-L-C or O-L-H-C through every candle. */
function* expanded(candles: Iterable<GridCandle>, timeframeMs: number): Generator<PathStep> {
  for (const candle of candles) {
    const prices = pricesOf(candle);
    const share = Math.floor(candle.lots / prices.length);
    for (const [i, ticks] of prices.entries()) {
      const isLast = i === prices.length - 1;
      const lots = isLast ? candle.lots - share * i : share;
      yield { at: candle.openAt + Math.floor((i * timeframeMs) / prices.length), ticks, lots };
    }
  }
}

/** The prices of a candle in their order; volume is spread evenly over them, the rest goes last. */
export function pricesOf({ open, high, low, close, isHighFirst }: GridCandle): readonly number[] {
  const corners = isHighFirst ? [open, high, low, close] : [open, low, high, close];
  const prices = [open];
  for (let k = 1; k < corners.length; k++) {
    const [from, to] = [corners[k - 1]!, corners[k]!];
    for (let i = 1; i <= STEPS_PER_EDGE; i++) {
      prices.push(from + Math.round(((to - from) * i) / STEPS_PER_EDGE));
    }
  }
  return prices;
}
