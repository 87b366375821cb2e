// Chooses a moving average by its configured name: trend filter, gate and band basis take either
// kind. An unknown name is a programmer error; nothing here ever falls back to another average.
import { InvariantError } from "../model/result.ts";
import { createEma, emaColumn } from "./ema.ts";
import { Sma, smaColumn } from "./sma.ts";

/** The averages a strategy may ask for, as they are written in a config. */
export type MovingAverageType = "Sma" | "Ema";

/** An incremental average: `push` returns the new value, NaN while not ready. */
export type MovingAverage = {
  push(x: number): number;
  readonly value: number;
};

/** Makes an empty average of the given kind; the length is a whole number of at least 1. */
export function createMovingAverage(type: MovingAverageType, length: number): MovingAverage {
  switch (type) {
    case "Sma":
      return new Sma(length);
    case "Ema":
      return createEma(length);
    default:
      throw new InvariantError(`unknown moving average "${String(type)}"`);
  }
}

/** The average after each input, NaN while not ready. */
export function movingAverageColumn(
  type: MovingAverageType,
  src: Float64Array,
  length: number,
): Float64Array {
  switch (type) {
    case "Sma":
      return smaColumn(src, length);
    case "Ema":
      return emaColumn(src, length);
    default:
      throw new InvariantError(`unknown moving average "${String(type)}"`);
  }
}
