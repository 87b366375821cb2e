// The torture as a test: seeds that must pass, runs that must repeat, deaths at every call an order passes,
// and the shrinker on a planted failure.
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { killPointsOf, ORDER_CASES, scheduleFor } from "./kill-points.ts";
import { type Schedule, scheduleOf, STEPS_MIN } from "./schedule.ts";
import { shrink } from "./shrink.ts";
import { runSchedule } from "./sim-world.ts";

const SEEDS = 200;
const MINUTES = 60_000;

describe("seeds", () => {
  test(
    `${SEEDS} seeds keep every promise`,
    async () => {
      const command = [process.execPath, join(import.meta.dir, "torture.ts")];
      const torture = Bun.spawn([...command, "--seeds", `1..${SEEDS}`], {
        stdout: "pipe",
        stderr: "pipe",
      });
      const text = await new Response(torture.stdout).text();
      expect(`${text}${await new Response(torture.stderr).text()}`).toEndWith(
        `${SEEDS} seeds, 0 failed\n`,
      );
    },
    10 * MINUTES,
  );

  test("a schedule is plain JSON of at least 200 steps, the same for the same seed", () => {
    const schedule = scheduleOf(3);
    expect(schedule.steps.length).toBeGreaterThanOrEqual(STEPS_MIN);
    expect(JSON.parse(JSON.stringify(schedule))).toEqual(schedule);
    expect(scheduleOf(3)).toEqual(schedule);
    expect(scheduleOf(4)).not.toEqual(schedule);
  });

  test(
    "a seed leaves the same trace whenever it is run, and another seed another one",
    async () => {
      const first = await runSchedule(scheduleOf(11));
      const other = await runSchedule(scheduleOf(12));
      const again = await runSchedule(scheduleOf(11));
      expect(again.hash).toBe(first.hash);
      expect(again.counts).toEqual(first.counts);
      expect(other.hash).not.toBe(first.hash);
    },
    MINUTES,
  );
});

describe("a worker that dies on the way of an order", () => {
  for (const order of ORDER_CASES) {
    test(
      `${order.name}: at every call, before and after it`,
      async () => {
        const deaths = await killPointsOf(order);
        expect(deaths.length).toBeGreaterThanOrEqual(24);
        const wrong: unknown[] = [];
        for (const death of deaths) {
          const { violations, deaths: died } = await runSchedule(scheduleFor(order, death));
          if (violations.length > 0) wrong.push({ ...death, violations });
          if (died[0] !== death.of) wrong.push({ ...death, died });
        }
        expect(wrong).toEqual([]);
      },
      3 * MINUTES,
    );
  }
});

describe("a failing schedule", () => {
  const isFlatten = ({ kind }: { readonly kind: string }) => kind === "flatten";

  test("is made short without losing what makes it fail", async () => {
    const planted: Schedule = {
      ...scheduleOf(5),
      steps: scheduleOf(5).steps.map(({ deeds }, step) => ({
        deeds:
          step === 77 ? [...deeds, { kind: "flatten" }] : deeds.filter((one) => !isFlatten(one)),
      })),
    };
    const short = await shrink(planted, async ({ steps }) =>
      steps.some(({ deeds }) => deeds.some(isFlatten)),
    );
    expect(short.steps).toHaveLength(78);
    expect(short.steps.flatMap(({ deeds }) => deeds)).toEqual([{ kind: "flatten" }]);
  });

  test("that needs two deeds keeps both", async () => {
    const steps = Array.from({ length: 40 }, (_, step) => ({
      deeds: [{ kind: "clock_jump", ms: step } as const],
    }));
    const short = await shrink({ seed: 1, isHedge: false, steps }, async (schedule) => {
      const jumps = schedule.steps
        .flatMap(({ deeds }) => deeds)
        .map((deed) => "ms" in deed && deed.ms);
      return jumps.includes(7) && jumps.includes(21);
    });
    expect(short.steps.flatMap(({ deeds }) => deeds)).toEqual([
      { kind: "clock_jump", ms: 7 },
      { kind: "clock_jump", ms: 21 },
    ]);
  });
});
