// Indicators against published worked examples. Source of the numbers: StockCharts ChartSchool, the
// worksheets cs-rsi, cs-atr, cs-bbands and cs-movavg that accompany its indicator articles.
import { expect, test } from "bun:test";
import { atrColumn } from "../../src/indicators/atr.ts";
import { bollingerColumns } from "../../src/indicators/bollinger.ts";
import { emaColumn } from "../../src/indicators/ema.ts";
import { rsiColumn } from "../../src/indicators/rsi.ts";
import { smaColumn } from "../../src/indicators/sma.ts";

/**
 * The published values stand at the end of the column; everything before them must be undefined.
 */
function expectTail(column: Float64Array, published: readonly number[], tolerance: number) {
  const ready = column.length - published.length;
  expect(column.subarray(0, ready).every(Number.isNaN)).toBe(true);
  published.forEach((value, i) => {
    const actual = column[ready + i] ?? Number.NaN;
    const isNear = Math.abs(actual - value) <= tolerance;
    expect(isNear, `value ${i}: ${actual}, published ${value}`).toBe(true);
  });
}

test("RSI 14 reproduces the ChartSchool worksheet on QQQQ closes", () => {
  const closes = Float64Array.of(
    44.3389,
    44.0902,
    44.1497,
    43.6124,
    44.3278,
    44.8264,
    45.0955,
    45.4245,
    45.8433,
    46.0826,
    45.8931,
    46.0328,
    45.614,
    46.282,
    46.282,
    46.0028,
    46.0328,
    46.4116,
    46.2222,
    45.6439,
    46.2122,
    46.2521,
    45.7137,
    46.4515,
    45.7835,
    45.3548,
    44.0288,
    44.1783,
    44.2181,
    44.5672,
    43.4205,
    42.6628,
    43.1314,
  );
  const published = [
    70.5328, 66.3186, 66.5498, 69.4063, 66.3552, 57.9749, 62.9296, 63.2571, 56.0593, 62.3771,
    54.7076, 50.4228, 39.9898, 41.4605, 41.8689, 45.4632, 37.304, 33.0795, 37.773,
  ];
  expectTail(rsiColumn(closes, 14), published, 1e-3);
});

test("ATR 14 reproduces the ChartSchool worksheet on QQQQ candles", () => {
  const high = Float64Array.of(
    48.7,
    48.72,
    48.9,
    48.87,
    48.82,
    49.05,
    49.2,
    49.35,
    49.92,
    50.19,
    50.12,
    49.66,
    49.88,
    50.19,
    50.36,
    50.57,
    50.65,
    50.43,
    49.63,
    50.33,
    50.29,
    50.17,
    49.32,
    48.5,
    48.3201,
    46.8,
    47.8,
    48.39,
    48.66,
    48.79,
  );
  const low = Float64Array.of(
    47.79,
    48.14,
    48.39,
    48.37,
    48.24,
    48.635,
    48.94,
    48.86,
    49.5,
    49.87,
    49.2,
    48.9,
    49.43,
    49.725,
    49.26,
    50.09,
    50.3,
    49.21,
    48.98,
    49.61,
    49.2,
    49.43,
    48.08,
    47.64,
    41.55,
    44.2833,
    47.31,
    47.2,
    47.9,
    47.7301,
  );
  const close = Float64Array.of(
    48.16,
    48.61,
    48.75,
    48.63,
    48.74,
    49.03,
    49.07,
    49.32,
    49.91,
    50.13,
    49.53,
    49.5,
    49.75,
    50.03,
    50.31,
    50.52,
    50.41,
    49.34,
    49.37,
    50.23,
    49.2375,
    49.93,
    48.43,
    48.18,
    46.57,
    45.41,
    47.77,
    47.72,
    48.62,
    47.85,
  );
  const published = [
    0.555, 0.593929, 0.585791, 0.568949, 0.615452, 0.61792, 0.642354, 0.674329, 0.69277, 0.775429,
    0.78147, 1.209229, 1.30262, 1.38029, 1.366698, 1.336219, 1.316482,
  ];
  expectTail(atrColumn(high, low, close, 14), published, 1e-5);
});

test("Bollinger bands 20, 2 reproduce the ChartSchool worksheet on SPY closes", () => {
  const closes = Float64Array.of(
    86.1557,
    89.0867,
    88.7829,
    90.3228,
    89.0671,
    91.1453,
    89.4397,
    89.175,
    86.9302,
    87.6752,
    86.9596,
    89.4299,
    89.3221,
    88.7241,
    87.4497,
    87.2634,
    89.4985,
    87.9006,
    89.126,
    90.7043,
    92.9001,
    92.9784,
    91.8021,
    92.6647,
    92.6843,
    92.3021,
    92.7725,
    92.5373,
    92.949,
    93.2039,
  );
  const { middle, upper, lower } = bollingerColumns(closes, 20, 2, 2, "Sma");
  expectTail(
    middle,
    [
      88.70794, 89.04516, 89.239745, 89.390705, 89.5078, 89.68866, 89.7465, 89.91314, 90.081255,
      90.382195, 90.65863,
    ],
    1e-5,
  );
  expectTail(
    upper,
    [
      91.291862, 91.949268, 92.612595, 92.9342, 93.31195, 93.72845, 93.899592, 94.266255, 94.565096,
      94.786912, 95.043001,
    ],
    1e-5,
  );
  expectTail(
    lower,
    [
      86.124018, 86.141052, 85.866895, 85.84721, 85.70365, 85.64887, 85.593408, 85.560025,
      85.597414, 85.977478, 86.274259,
    ],
    1e-5,
  );
});

const MOVING_AVERAGE_CLOSES = Float64Array.of(
  22.2734,
  22.194,
  22.0847,
  22.1741,
  22.184,
  22.1344,
  22.2337,
  22.4323,
  22.2436,
  22.2933,
  22.1542,
  22.3926,
  22.3816,
  22.6109,
  23.3558,
  24.0519,
  23.753,
  23.8324,
  23.9516,
  23.6338,
  23.8225,
  23.8722,
  23.6537,
  23.187,
  23.0976,
  23.326,
  22.6805,
  23.0976,
  22.4025,
  22.1725,
);

test("SMA 10 reproduces the last ten values of the ChartSchool moving average worksheet", () => {
  const published = [
    23.37861, 23.52657, 23.65378, 23.71139, 23.68557, 23.61298, 23.50573, 23.43225, 23.27734,
    23.13121,
  ];
  const column = smaColumn(MOVING_AVERAGE_CLOSES, 10);
  published.forEach((value, i) => {
    expect(column[20 + i]).toBeCloseTo(value, 6);
  });
});

test("EMA 10 reproduces the ChartSchool moving average table to the cent", () => {
  const published = [
    22.22, 22.21, 22.24, 22.27, 22.33, 22.52, 22.8, 22.97, 23.13, 23.28, 23.34, 23.43, 23.51, 23.54,
    23.47, 23.4, 23.39, 23.26, 23.23, 23.08, 22.92,
  ];
  expectTail(emaColumn(MOVING_AVERAGE_CLOSES, 10), published, 0.00501);
});
