// Where prices come from, what candles become of them, and that everything is repeatable: the same seed and
// the same requests at the same virtual times give the same event hash.
import { afterEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CandleFileError, parseCandles, readCandleFeed } from "../../src/venue/candle-file.ts";
import { spanOf } from "../../src/venue/candle-history.ts";
import { createClock } from "../../src/venue/clock.ts";
import { advance, createExchange } from "../../src/venue/exchange.ts";
import { createRandom } from "../../src/venue/random.ts";
import { createSchedule } from "../../src/venue/schedule.ts";
import { type FeedSettings, type TextCandle, venueSettings } from "../../src/venue/settings.ts";
import { testIf } from "../support/needs.ts";
import { codeOf, type Lab, labSettings, SPEC, START, startLab, stopLabs } from "./lab.ts";

afterEach(stopLabs);

const MINUTE = 60_000;
const FROM = START - 30 * MINUTE;

/** A seeded hour of candles on the tick, one of them without volume. */
function madeCandles(): TextCandle[] {
  const random = createRandom(5, "candles of a test");
  const candles: TextCandle[] = [];
  let close = 200;
  for (let i = 0; i < 60; i++) {
    const open = close;
    close = open + Math.floor(random() * 9) - 4;
    const high = Math.max(open, close) + Math.floor(random() * 4);
    const low = Math.min(open, close) - Math.floor(random() * 4);
    const volume = i === 7 ? "0" : String(Math.floor(random() * 900) / 100);
    const [o, h, l, c] = [open, high, low, close].map((ticks) => String(ticks / 2));
    candles.push({ openAt: FROM + i * MINUTE, open: o!, high: h!, low: l!, close: c!, volume });
  }
  return candles;
}

/** A lab whose contract follows a feed. */
function labOn(feed: FeedSettings, options: Partial<Parameters<typeof startLab>[0]> = {}): Lab {
  const [market] = labSettings().markets;
  return startLab({ ...options, markets: [{ ...market!, feed }] } as never);
}

type Kline = {
  startTimestamp: number;
  open: string;
  high: string;
  low: string;
  close: string;
  volume: string;
};
const klines = async (lab: Lab, params: object) =>
  (
    await lab.call("GET", "/v3/public/klineHistory", {
      symbol: SPEC.symbol,
      type: "1m",
      ...params,
    } as never)
  ).json.data?.rows as never as Kline[];

test("candles played without a client come back exactly as they went in", async () => {
  const candles = madeCandles();
  const lab = labOn({ kind: "candles", candles, timeframeMs: MINUTE });
  await lab.step(60 * MINUTE);
  const rows = (await klines(lab, { limit: 1000 })).reverse();
  const shown = rows.map(({ startTimestamp, open, high, low, close, volume }) => ({
    ...{ openAt: startTimestamp, open, high, low, close, volume },
  }));
  expect(shown).toEqual(candles);
});

test("no fill of a resting order lies outside what the tape printed, volume is never exceeded", async () => {
  const lab = labOn({ kind: "candles", candles: madeCandles(), timeframeMs: MINUTE });
  for (let i = 0; i < 25; i++) {
    const side = i % 2 ? "SELL" : "BUY";
    const ticks = lab.market.lastTicks + (side === "BUY" ? -3 : 3);
    await lab.place({ type: "POST_ONLY", side, price: String(ticks / 2), quantity: "2" });
    await lab.step(MINUTE);
  }
  const rows = new Map(
    (await klines(lab, { limit: 1000 })).map((row) => [row.startTimestamp, row]),
  );
  expect(lab.account.trades.length).toBeGreaterThan(5);
  const traded = new Map<number, number>();
  for (const trade of lab.account.trades) {
    const { startAt } = spanOf("1m", trade.at);
    const row = rows.get(startAt);
    expect(trade.ticks / 2).toBeGreaterThanOrEqual(Number(row?.low));
    expect(trade.ticks / 2).toBeLessThanOrEqual(Number(row?.high));
    traded.set(startAt, (traded.get(startAt) ?? 0) + trade.lots);
  }
  for (const [startAt, lots] of traded) {
    expect(lots / 100).toBeLessThanOrEqual(Number(rows.get(startAt)?.volume) + 1e-9);
  }
});

test("cursors are exclusive, before wins over after, the newest row comes first", async () => {
  const lab = labOn({ kind: "candles", candles: madeCandles(), timeframeMs: MINUTE });
  await lab.step(60 * MINUTE);
  const times = async (params: object) =>
    (await klines(lab, params)).map((row) => (row.startTimestamp - FROM) / MINUTE);
  expect(await times({ limit: 3 })).toEqual([59, 58, 57]);
  expect(await times({ after: FROM + 10 * MINUTE, limit: 3 })).toEqual([13, 12, 11]);
  expect(await times({ before: FROM + 10 * MINUTE, limit: 3 })).toEqual([9, 8, 7]);
  const both = { after: FROM, before: FROM + 10 * MINUTE, limit: 3 };
  expect(await times(both)).toEqual([9, 8, 7]);
});

test("higher timeframes add up the minutes; weeks begin on Monday, months and years on the first", async () => {
  const lab = labOn({ kind: "candles", candles: madeCandles(), timeframeMs: MINUTE });
  await lab.step(60 * MINUTE);
  const minutes = (await klines(lab, { limit: 1000 })).reverse();
  const [first] = (await klines(lab, { type: "15m", limit: 1000 })).reverse();
  const held = minutes.filter(
    (row) => spanOf("15m", row.startTimestamp).startAt === first?.startTimestamp,
  );
  expect(first?.open).toBe(held[0]!.open);
  expect(first?.close).toBe(held.at(-1)!.close);
  expect(Number(first?.high)).toBe(Math.max(...held.map((row) => Number(row.high))));
  const volume = held.reduce((sum, row) => sum + Number(row.volume), 0);
  expect(Number(first?.volume)).toBeCloseTo(volume, 9);
  const sunday = Date.UTC(2026, 1, 1, 23, 59);
  expect(new Date(spanOf("1w", sunday).startAt).toISOString()).toStartWith("2026-01-26T00:00");
  expect(spanOf("1mon", sunday)).toEqual({
    startAt: Date.UTC(2026, 1, 1),
    endAt: Date.UTC(2026, 2, 1),
  });
  expect(spanOf("1y", sunday)).toEqual({
    startAt: Date.UTC(2026, 0, 1),
    endAt: Date.UTC(2027, 0, 1),
  });
});

test("a tape is played print by print", async () => {
  const steps = [
    { at: START - 1000, ticks: 200, lots: 10 },
    { at: START + 1000, ticks: 203, lots: 20, side: "BUY" as const },
    { at: START + 2000, ticks: 201, lots: 30, side: "SELL" as const },
  ];
  const lab = labOn({ kind: "tape", steps });
  await lab.step(2000);
  const reply = await lab.call("GET", "/v3/public/marketTrades", { symbol: SPEC.symbol });
  expect(reply.json.data?.rows).toMatchObject([
    {
      side: "SELL",
      executedPrice: "100.5",
      executedQuantity: "0.3",
      executedTimestamp: START + 2000,
    },
    {
      side: "BUY",
      executedPrice: "101.5",
      executedQuantity: "0.2",
      executedTimestamp: START + 1000,
    },
  ] as never);
});

/** An hour with orders at fixed virtual times; the hash of everything that happened. */
async function hashOf(seed: number, quantity: string): Promise<string> {
  const settings = venueSettings({ seed, startAt: START, enforcesLimits: false });
  const lab = startLab({ ...settings, faults: [{ name: "partial_fill", chance: 0.3 }] });
  for (let i = 0; i < 20; i++) {
    const bid = (lab.market.lastTicks - 20 + i) / 10;
    await lab.place({ price: String(bid), quantity });
    await lab.step(3 * MINUTE);
  }
  return lab.x.log.hash();
}

test("the same seed and requests give the same hash, another seed or another quantity does not", async () => {
  const first = await hashOf(3, "0.02");
  expect(await hashOf(3, "0.02")).toBe(first);
  expect(await hashOf(4, "0.02")).not.toBe(first);
  expect(await hashOf(3, "0.03")).not.toBe(first);
}, 30_000);

test("another seed walks another path", () => {
  const pathOf = (seed: number) => {
    const x = createExchange(venueSettings({ seed, startAt: START }));
    return [...x.markets.values()].map((market) => market.lastTicks);
  };
  expect(pathOf(3)).toEqual(pathOf(3));
  expect(pathOf(4)).not.toEqual(pathOf(3));
});

test("the hash does not depend on how finely time is advanced, nor on readers", async () => {
  const settings = venueSettings({ seed: 9, startAt: START });
  const [coarse, fine] = [createExchange(settings), createExchange(settings)];
  advance(coarse, START + 3_600_000);
  for (let at = START; at <= START + 3_600_000; at += 777) advance(fine, at);
  advance(fine, START + 3_600_000);
  expect(fine.log.hash()).toBe(coarse.log.hash());
  const lab = startLab();
  const before = lab.x.log.hash();
  await lab.call("GET", "/v3/futures/positions");
  await lab.call("GET", "/v3/asset/balances");
  expect(lab.x.log.hash()).toBe(before);
});

test("an accelerated clock runs N times as fast, a stepped one stands, none goes back", () => {
  let real = 1000;
  const clock = createClock(START, 60, () => real);
  real += 500;
  expect(clock.now()).toBe(START + 30_000);
  expect(() => clock.step(1)).toThrow("time is running");
  clock.setSpeed(0);
  real += 10_000;
  expect(clock.now()).toBe(START + 30_000);
  clock.step(7);
  expect(clock.now()).toBe(START + 30_007);
  clock.setSpeed(1);
  real += 3;
  expect(clock.now()).toBe(START + 30_010);
});

test("an accelerated venue moves by itself, and its clock can be stopped and set going again", async () => {
  const lab = startLab(venueSettings({ seed: 2, startAt: START }));
  await lab.admin("POST", "speed", { speed: 3600 });
  const steps = () => lab.x.log.since(0).filter(({ kind }) => kind === "step").length;
  for (let i = 0; i < 100 && lab.x.now < START + 5 * MINUTE; i++) await Bun.sleep(20);
  expect(lab.x.now).toBeGreaterThanOrEqual(START + 5 * MINUTE);
  expect(steps()).toBeGreaterThan(50);
  await lab.admin("POST", "speed", { speed: 0 });
  const stood = (await lab.admin("GET", "state")).json.now;
  await Bun.sleep(120);
  expect((await lab.admin("GET", "state")).json.now).toEqual(stood as never);
});

test("the agenda runs in order of time, then of planning, and forgets what was cancelled", () => {
  const schedule = createSchedule();
  const random = createRandom(1, "agenda");
  const planned = Array.from({ length: 500 }, (_, rank) => ({
    at: Math.floor(random() * 50),
    rank,
  }));
  const ran: { at: number; rank: number }[] = [];
  const kept = planned.filter((each) => {
    const appointment = schedule.at(each.at, () => ran.push(each));
    const isCancelled = random() < 0.3;
    if (isCancelled) appointment.cancel();
    return !isCancelled;
  });
  for (let next = schedule.take(); next; next = schedule.take()) next.run();
  expect(ran).toEqual([...kept].sort((a, b) => a.at - b.at || a.rank - b.rank));
  expect(schedule.nextAt()).toBe(Number.POSITIVE_INFINITY);
});

const HEADER = "timestamp_ms,open,high,low,close,volume";
const BAD: [why: string, text: string, says: string][] = [
  ["another header", "time,open\n", "line 1"],
  ["a word for a price", `${HEADER}\n1000,a,1,1,1,1\n`, "line 2: open"],
  ["a price of 0", `${HEADER}\n1000,1,1,0,1,1\n`, "line 2: low"],
  ["a negative volume", `${HEADER}\n1000,1,1,1,1,-1\n`, "line 2: volume"],
  ["a high below the close", `${HEADER}\n1000,1,1,1,2,1\n`, "line 2: high and low"],
  ["times that stand", `${HEADER}\n1000,1,1,1,1,1\n1000,1,1,1,1,1\n`, "line 3: timestamp_ms"],
  ["a surplus field", `${HEADER}\n1000,1,1,1,1,1,1\n`, "line 2 has more"],
];

for (const [why, text, says] of BAD) {
  test(`a candle file with ${why} is refused with its line`, () => {
    expect(() => parseCandles(text)).toThrow(CandleFileError);
    expect(() => parseCandles(text)).toThrow(says);
  });
}

test("a candle file, plain or packed, is moved by whole days so that it plays around the start", async () => {
  const folder = mkdtempSync(join(tmpdir(), "dragon-venue-"));
  try {
    const rows = madeCandles().map((row) => Object.values(row).join(","));
    const text = `${HEADER}\n${rows.join("\n")}\n`;
    writeFileSync(join(folder, "a.csv"), text);
    writeFileSync(join(folder, "a.csv.gz"), Bun.gzipSync(text));
    const startAt = START + 500 * 86_400_000;
    for (const name of ["a.csv", "a.csv.gz"]) {
      const { feed, shiftMs, candles } = await readCandleFeed(join(folder, name), startAt, SPEC);
      expect([candles, shiftMs % 86_400_000]).toEqual([60, 0]);
      const moved = feed.kind === "candles" ? [...feed.candles] : [];
      expect(moved[30]!.openAt).toBeLessThanOrEqual(startAt);
      expect(moved[30]!.openAt).toBeGreaterThan(startAt - 86_400_000);
    }
    await expect(readCandleFeed(join(folder, "none"), 0, SPEC)).rejects.toThrow("does not exist");
    // A tick of 1000 rounds these prices to nothing.
    const coarse = { ...SPEC, quoteTick: "1000", quoteMax: "100000" };
    await expect(readCandleFeed(join(folder, "a.csv"), 0, coarse)).rejects.toThrow("does not fit");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

testIf("data", "recorded one-minute candles of a real contract can be traded on", async () => {
  const file = join(import.meta.dir, "../../../shared/data/candles/okx_perp_BTCUSDT_1m.csv.gz");
  const [market] = venueSettings({ seed: 1, startAt: START }).markets;
  const { feed } = await readCandleFeed(file, START, market!.instrument);
  const lab = startLab({ markets: [{ ...market!, feed }] } as never);
  await lab.step(30 * MINUTE);
  // 500 candles before the start, what is left of that day, and the half hour that was played.
  expect((await klines(lab, { limit: 1000 })).length).toBeGreaterThan(530);
  const reply = await lab.call("POST", "/v3/trade/order", {
    ...{ symbol: SPEC.symbol, side: "BUY", type: "MARKET", quantity: "0.01" },
  });
  expect(codeOf(reply)).toBe(0);
  expect(lab.account.trades.length).toBeGreaterThan(0);
});
