// The generated price of a contract: a pure function of seed, symbol and minute, so that any minute can be
// asked for, in any order, and a venue that starts later finds the prices of one that ran through.
import { gridCount, nearestCount } from "./decimal.ts";
import type { Instrument } from "./instrument.ts";
import type { GridCandle } from "./price-path.ts";
import { createField, type Field } from "./random.ts";
import type { FeedSettings } from "./settings.ts";

/** One-minute candles that exist without having been played. */
export type Walk = {
  /** Open time of the first minute that is told. */
  readonly from: number;
  /** The candle that opens at a full minute. */
  candleAt(openAt: number): GridCandle;
};

const MINUTE_MS = 60_000;
/** Layers of the walk: each swings twice as slowly and by the root of two as widely as the one before. */
const LAYERS_MAX = 18;
/** A layer that would swing further, as a share of the price, is left out: prices stay near their anchor. */
const SWING_MAX = 0.2;
/** Layers of the field beyond those of the price. */
const DRAW = { high: 32, low: 33, lots: 34, corner: 35 } as const;

/**
 * The walk of a contract.
 * @param from virtual instant of the first minute, rounded up
 * @throws RangeError when the start price is off the tick or the quantity no decimal
 */
export function createWalk(
  feed: FeedSettings & { kind: "generator" },
  instrument: Instrument,
  seed: number,
  from: number,
): Walk {
  const start = gridCount(feed.startPrice, instrument.price);
  const mean = nearestCount(feed.minuteQty, instrument.qty);
  if (start === null) throw new RangeError(`startPrice "${feed.startPrice}" is off the tick`);
  if (mean === null) throw new RangeError(`minuteQty "${feed.minuteQty}" is no decimal`);
  const field = createField(seed, `walk ${instrument.symbol}`);
  const sigma = feed.volatilityPpm / 1e6;
  const firstAt = Math.ceil(from / MINUTE_MS) * MINUTE_MS;
  const logAt = layered(field, sigma);
  const anchor = logAt(Math.floor((feed.anchorAt ?? firstAt) / MINUTE_MS));
  const within = (ticks: number) =>
    Math.min(instrument.maxTicks, Math.max(instrument.minTicks, ticks));
  // Minutes are mostly asked for in their order: the close of one is the open of the next.
  let [known, knownTicks] = [Number.NaN, 0];
  const ticksAt = (minute: number) => {
    if (minute === known) return knownTicks;
    known = minute;
    knownTicks = within(Math.round(start * Math.exp(logAt(minute) - anchor)));
    return knownTicks;
  };
  return {
    from: firstAt,
    candleAt(openAt) {
      const minute = Math.floor(openAt / MINUTE_MS);
      const [open, close] = [ticksAt(minute), ticksAt(minute + 1)];
      const reach = (layer: number) => Math.floor(field(layer, minute) * sigma * open);
      return {
        openAt: minute * MINUTE_MS,
        open,
        high: within(Math.max(open, close) + reach(DRAW.high)),
        low: within(Math.min(open, close) - reach(DRAW.low)),
        close,
        lots: Math.round(mean * 2 * field(DRAW.lots, minute)),
        isHighFirst: field(DRAW.corner, minute) < 0.5,
      };
    },
  };
}

/** Logarithm of the price at a minute: layers of drawn points, each joined by straight lines. */
function layered(field: Field, sigma: number): (minute: number) => number {
  const swings: number[] = [];
  // Points drawn evenly from -1 to 1 differ with a variance of 2/3, and each layer adds half as much to
  // the variance of a minute as the one before: 4/3 in all.
  const fastest = sigma / Math.sqrt(4 / 3);
  for (let layer = 0; layer < LAYERS_MAX; layer++) {
    const swing = fastest * 2 ** (layer / 2);
    if (layer > 0 && swing > SWING_MAX) break;
    swings.push(swing);
  }
  return (minute) => {
    let sum = 0;
    for (let layer = 0; layer < swings.length; layer++) {
      const length = 2 ** layer;
      const index = Math.floor(minute / length);
      const part = minute / length - index;
      const before = field(layer, index);
      const height = part === 0 ? before : before + (field(layer, index + 1) - before) * part;
      sum += (swings[layer] ?? 0) * (2 * height - 1);
    }
    return sum;
  };
}
