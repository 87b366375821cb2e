// How pages write dates, durations and numbers: one table of examples per function.
import { expect, test } from "bun:test";
import * as format from "../../views/format.ts";

const MINUTE = 60_000;

test("durations show their two largest units", () => {
  const table: [number | null, string][] = [
    [null, "—"],
    [0, "0s"],
    [4_400, "4s"],
    [59_700, "1m 0s"],
    [12 * MINUTE + 5000, "12m 5s"],
    [252 * MINUTE, "4h 12m"],
    [1440 * MINUTE, "1d 0h"],
    [(3 * 1440 + 255) * MINUTE, "3d 4h"],
  ];
  for (const [ms, text] of table) expect([ms, format.duration(ms)]).toEqual([ms, text]);
});

test("ages are rounded down", () => {
  expect(format.age(null, 0)).toBe("—");
  expect(format.age(0, 59_999)).toBe("just now");
  expect(format.age(0, 59 * MINUTE)).toBe("59m ago");
  expect(format.age(0, 119 * MINUTE)).toBe("1h ago");
  expect(format.age(0, 2 * 1440 * MINUTE)).toBe("2d ago");
});

test("numbers keep their decimals, group thousands and show a sign where asked", () => {
  expect(format.number(1234.5)).toBe("1,234.50");
  expect(format.number(-0.004, { signed: true })).toBe("0.00");
  expect(format.number(3, { decimals: 0, signed: true })).toBe("+3");
  expect(format.number(null)).toBe("—");
  expect(format.count(525_600)).toBe("525,600");
  expect(format.qty(0.00012)).toBe("0.00012");
  expect(format.price(42283.6, 1)).toBe("42,283.6");
});

test("a fraction is written as percent, also above one", () => {
  expect(format.percent(1.5, { decimals: 0 })).toBe("150%");
  expect(format.percent(0.01234)).toBe("1.2%");
  expect(format.percent(-0.5, { signed: true })).toBe("-50.0%");
  expect(format.percent(null)).toBe("—");
});

test("money names its currency, the dollar by its sign behind the minus", () => {
  expect(format.money(-1234.5, "USDT")).toBe("-$1,234.50");
  expect(format.money(2, "USD", { signed: true })).toBe("+$2.00");
  expect(format.money(7, "EUR")).toBe("7.00 EUR");
  expect(format.money(null, "USD")).toBe("—");
});

test("timeframes, sizes, assets and tones are short", () => {
  expect([1, 15, 60, 240, 1440].map(format.timeframe)).toEqual(["1m", "15m", "1h", "4h", "1d"]);
  expect([12, 480_000, 12_300_000].map(format.bytes)).toEqual(["12 B", "480 kB", "12.3 MB"]);
  expect(format.asset("ETH/USDT:USDT")).toBe("ETH/USDT");
  expect([1, 0, -1, null].map(format.signTone)).toEqual(["up", undefined, "down", undefined]);
});
