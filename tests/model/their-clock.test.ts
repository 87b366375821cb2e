// A reading of somebody else's clock is carried on by what passes, and is void once our clocks disagree.
import { expect, test } from "bun:test";
import { theirNow } from "../../src/model/their-clock.ts";

const reading = { theirs: 1_000_000, ours: 5_000_000, monotonicMs: 300 };

test("their clock goes on as ours does, however far apart they are", () => {
  expect(theirNow(reading, 5_090_000, 90_300)).toBe(1_090_000);
});

test("a reading is void once our wall clock was set or the machine slept", () => {
  for (const setMs of [3_600_000, -3_600_000, 1500, -1500]) {
    expect(theirNow(reading, 5_090_000 + setMs, 90_300)).toBeNull();
  }
  expect(theirNow(reading, 5_090_000 + 900, 90_300)).toBe(1_090_000);
});
