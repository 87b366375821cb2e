// The candle and funding files: every number exact, every mistake named with its line.
import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  CANDLE_CSV_HEADER,
  candleCsvReader,
  FUNDING_CSV_HEADER,
  parseCandleCsv,
  parseFundingCsv,
} from "../../src/model/candle-csv.ts";
import { CSV_PROBLEMS_MAX, CsvError } from "../../src/model/csv-numbers.ts";
import { InputError } from "../../src/model/result.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const file = (...lines: string[]) => bytes([CANDLE_CSV_HEADER, ...lines].join("\n"));

function refusal(read: () => unknown): CsvError {
  try {
    read();
  } catch (error) {
    if (error instanceof CsvError) return error;
    throw error;
  }
  throw new Error("the file was accepted");
}

const GOOD = "60000,10,12,9,11,5.5";

test("a plain file becomes columns", () => {
  const series = parseCandleCsv(file(GOOD, "120000,11,11.5,10.25,10.5,0"));
  expect(series.length).toBe(2);
  expect([...series.openAt]).toEqual([60000, 120000]);
  expect([...series.open]).toEqual([10, 11]);
  expect([...series.high]).toEqual([12, 11.5]);
  expect([...series.low]).toEqual([9, 10.25]);
  expect([...series.close]).toEqual([11, 10.5]);
  expect([...series.volume]).toEqual([5.5, 0]);
});

test("CRLF, a byte order mark and a missing or present last newline change nothing", () => {
  const text = `${CANDLE_CSV_HEADER}\n${GOOD}\n120000,11,11,11,11,1`;
  const plain = parseCandleCsv(bytes(text));
  for (const variant of [
    `${text}\n`,
    `${text.replaceAll("\n", "\r\n")}\r\n`,
    text.replaceAll("\n", "\r\n"),
    `\uFEFF${text}`,
    `\uFEFF${text.replaceAll("\n", "\r\n")}`,
  ]) {
    expect(parseCandleCsv(bytes(variant))).toEqual(plain);
  }
});

test("a file without candles is an empty series", () => {
  expect(parseCandleCsv(bytes(CANDLE_CSV_HEADER)).length).toBe(0);
  expect(parseCandleCsv(bytes(`${CANDLE_CSV_HEADER}\n`)).length).toBe(0);
});

const decimal = fc
  .tuple(
    fc.stringMatching(/^[0-9]{1,22}$/),
    fc.option(fc.stringMatching(/^[0-9]{1,26}$/)),
    fc.option(fc.tuple(fc.constantFrom("e", "E", "e-", "E+"), fc.nat(30))),
  )
  .map(([whole, places, exponent]) => {
    const fraction = places === null ? "" : `.${places}`;
    return `${whole}${fraction}${exponent === null ? "" : exponent.join("")}`;
  });

test("every number is the double nearest to its text, as Number reads it", () => {
  fc.assert(
    fc.property(decimal, (text) => {
      fc.pre(Number(text) > 0 && Number.isFinite(Number(text)));
      const series = parseCandleCsv(file(`0,${text},${text},${text},${text},${text}`));
      expect(Object.is(series.close[0], Number(text))).toBe(true);
      expect(Object.is(series.volume[0], Number(text))).toBe(true);
    }),
    { numRuns: 3000 },
  );
});

test("every double survives being written and read", () => {
  fc.assert(
    fc.property(fc.double({ min: -1, max: 1, noNaN: true }), (rate) => {
      const series = parseFundingCsv(
        bytes(`${FUNDING_CSV_HEADER}\n1,${Object.is(rate, -0) ? "-0" : rate}`),
      );
      expect(Object.is(series.rate[0], rate)).toBe(true);
    }),
  );
});

test("any cutting into chunks gives the same columns", () => {
  const lines = Array.from(
    { length: 40 },
    (_, i) => `${i * 60000},${10 + i},99.5,1.25,${20 + i},0.${i}`,
  );
  const whole = bytes(`\uFEFF${CANDLE_CSV_HEADER}\r\n${lines.join("\r\n")}`);
  const expected = parseCandleCsv(whole);
  fc.assert(
    fc.property(fc.array(fc.nat(whole.length), { maxLength: 30 }), (cuts) => {
      const reader = candleCsvReader(1);
      const borders = [0, ...cuts.sort((a, b) => a - b), whole.length];
      for (let i = 1; i < borders.length; i++) reader.push(whole.slice(borders[i - 1], borders[i]));
      expect(reader.finish()).toEqual(expected);
    }),
  );
});

const REFUSED: [line: string, reason: string][] = [
  ["120000,10,12,9,11", "it has 5 columns instead of 6"],
  ["120000,10,12,9,11,5,7", "it has 7 columns instead of 6"],
  ["", "it is blank"],
  ["120000,abc,12,9,11,5", 'open: "abc" is not a number'],
  ["120000,10,12,9,,5", 'close: "" is not a number'],
  ["120000,10,12,9, 11,5", 'close: " 11" is not a number'],
  ["120000,0x10,12,9,11,5", 'open: "0x10" is not a number'],
  ["120000,10,1.2.3,9,11,5", 'high: "1.2.3" is not a number'],
  ["120000,10,12,9,11,1e999", 'volume: "1e999" is not a finite number'],
  ["120000,10,12,9,11,NaN", 'volume: "NaN" is not a finite number'],
  ["120000,10,Infinity,9,11,5", 'high: "Infinity" is not a finite number'],
  ["120000.5,10,12,9,11,5", "timestamp_ms: 120000.5 is not a whole number of milliseconds"],
  ["-60000,10,12,9,11,5", "timestamp_ms: -60000 is not a whole number of milliseconds from 0"],
  ["1e18,10,12,9,11,5", "timestamp_ms: 1000000000000000000 is not a whole number"],
  ["60000,10,12,9,11,5", "timestamp_ms: 60000 is a duplicate of the line before"],
  ["0,10,12,9,11,5", "timestamp_ms: 0 is not after 60000 of the line before"],
  ["120001,10,12,9,11,5", "timestamp_ms: 120001 is not on the grid of the timeframe 1m"],
  ["120000,10,12,0,11,5", "low: 0 must be above 0"],
  ["120000,10,10.5,9,11,5", "high: 10.5 is below 11, the higher of open and close"],
  ["120000,10,12,10.5,11,5", "low: 10.5 is above 10, the lower of open and close"],
  ["120000,10,12,9,11,-1", "volume: -1 must be 0 or more"],
];

for (const [line, reason] of REFUSED) {
  test(`the line "${line}" is refused: ${reason}`, () => {
    const error = refusal(() => parseCandleCsv(file(GOOD, line, "180000,10,12,9,11,5"), 1));
    expect(error).toBeInstanceOf(InputError);
    expect(error.total).toBe(1);
    expect(error.problems[0]?.line).toBe(3);
    expect(error.problems[0]?.reason).toContain(reason);
    expect(error.message).toContain(`line 3: ${reason.slice(0, 10)}`);
  });
}

test("the header must be exact", () => {
  for (const header of [
    "time,open,high,low,close,volume",
    `${CANDLE_CSV_HEADER},x`,
    "",
    "1,2,3,4,5,6",
  ]) {
    const error = refusal(() => parseCandleCsv(bytes(`${header}\n${GOOD}\n`)));
    expect(error.message).toContain(`line 1: the header is "${header}"; it must be`);
  }
  expect(refusal(() => parseCandleCsv(bytes(""))).message).toContain("the header is missing");
});

test("twenty problems are named, all are counted, and the sentence says how many", () => {
  const lines = Array.from({ length: 75 }, (_, i) => `${i * 60000},10,12,9,11,-${i + 1}`);
  const error = refusal(() => parseCandleCsv(file(...lines)));
  expect(error.total).toBe(75);
  expect(error.problems).toHaveLength(CSV_PROBLEMS_MAX);
  expect(error.problems[19]).toEqual({ line: 21, reason: "volume: -20 must be 0 or more" });
  expect(error.message).toBe("line 2: volume: -1 must be 0 or more (and 74 more)");
});

test("one line can have several problems", () => {
  const error = refusal(() => parseCandleCsv(file("60000,10,9,11,10,-1")));
  expect(error.problems.map(({ line }) => line)).toEqual([2, 2, 2]);
});

test("a file that is one endless line is refused before it is collected", () => {
  const reader = candleCsvReader();
  reader.push(bytes(`${CANDLE_CSV_HEADER}\n`));
  const error = refusal(() => {
    for (let i = 0; i < 100; i++) reader.push(bytes("1".repeat(1000)));
  });
  expect(error.message).toBe("line 2: it is longer than 4096 bytes");
});

test("funding rates may be negative and need only ascending instants", () => {
  const text = `${FUNDING_CSV_HEADER}\n1597026383085,-0.0001\n1597055183999,0.00018\n`;
  const series = parseFundingCsv(bytes(text));
  expect([...series.at]).toEqual([1597026383085, 1597055183999]);
  expect([...series.rate]).toEqual([-0.0001, 0.00018]);
  const error = refusal(() => parseFundingCsv(bytes(`${FUNDING_CSV_HEADER}\n2,0.1\n2,0.1\n1,x\n`)));
  expect(error.problems).toEqual([
    { line: 3, reason: "timestamp_ms: 2 is a duplicate of the line before" },
    { line: 4, reason: 'funding_rate: "x" is not a number' },
  ]);
});
