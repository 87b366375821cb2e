// When the loop looks again after a hint, by a clock that is moved by hand.
import { expect, test } from "bun:test";
import { createHintEchoes } from "../../../src/services/live/hint-echoes.ts";

function setup() {
  const at = { ms: 0 };
  return { at, echoes: createHintEchoes({ monotonicMs: () => at.ms }) };
}

test("nothing is due while nothing was told", () => {
  const { echoes } = setup();
  expect([echoes.take(), echoes.waitMs()]).toEqual([false, Number.POSITIVE_INFINITY]);
});

test("after a hint it is looked three times more, each once", () => {
  const { at, echoes } = setup();
  echoes.begin();
  const looks: number[] = [];
  for (; at.ms <= 10_000; at.ms += 100) if (echoes.take()) looks.push(at.ms);
  expect(looks).toEqual([1100, 2500, 6000]);
  expect(echoes.waitMs()).toBe(Number.POSITIVE_INFINITY);
});

test("another hint begins anew, and a late look stands for all that were due", () => {
  const { at, echoes } = setup();
  echoes.begin();
  at.ms = 1000;
  echoes.begin();
  at.ms = 1600;
  expect([echoes.take(), echoes.waitMs()]).toEqual([false, 500]);
  at.ms = 60_000;
  expect([echoes.waitMs(), echoes.take(), echoes.take()]).toEqual([0, true, false]);
});
