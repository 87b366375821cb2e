// Which equities become points of a curve.
import { expect, test } from "bun:test";
import { decimal } from "../../../src/model/decimal.ts";
import type { BotId } from "../../../src/ports/bot-store.ts";
import { createEquitySamples } from "../../../src/services/live/equity-samples.ts";

const BOT = 7 as BotId;
const MINUTE = 60_000;

/** Minutes at which an equity was a point, looked at every three seconds. */
function pointsOf(
  minutes: number,
  equityAt: (minute: number) => string | null,
  botId: BotId | null = BOT,
) {
  const samples = createEquitySamples();
  const points: number[] = [];
  for (let at = 0; at < minutes * MINUTE; at += 3000) {
    const equity = equityAt(at / MINUTE);
    if (samples.isDue(botId, at, equity === null ? null : decimal(equity)))
      points.push(at / MINUTE);
  }
  return points;
}

test("an equity that moves is a point every minute, of a bot and of an account", () => {
  const moving = (minute: number) => String(1000 + minute);
  expect(pointsOf(5, moving)).toEqual([0, 1, 2, 3, 4]);
  expect(pointsOf(3, moving, null)).toEqual([0, 1, 2]);
});

test("an equity that stays is one four times an hour, and at the first minute it moves", () => {
  expect(pointsOf(60, () => "1000")).toEqual([0, 15, 30, 45]);
  expect(pointsOf(20, (minute) => (minute < 7 ? "1000" : "1001"))).toEqual([0, 7]);
});

test("an equity nobody knows is no point, and the first known one is", () => {
  expect(pointsOf(4, (minute) => (minute < 2 ? null : "1000"))).toEqual([2]);
});

test("bots are sampled apart, and a clock that was set back does not stop them", () => {
  const samples = createEquitySamples();
  const equity = decimal("5");
  expect(samples.isDue(BOT, 1_000_000, equity)).toBe(true);
  expect(samples.isDue(8 as BotId, 1_000_000, equity)).toBe(true);
  expect(samples.isDue(BOT, 1_000_001, equity)).toBe(false);
  expect(samples.isDue(BOT, 500_000, equity)).toBe(true);
});
