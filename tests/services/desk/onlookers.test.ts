// When workers are told that somebody looks, by a clock that is moved by hand.
import { expect, test } from "bun:test";
import { createOnlookers } from "../../../src/services/desk/onlookers.ts";
import { virtualClock } from "../../adapters/resilience/virtual-clock.ts";
import { silentLog } from "../../support/silent-log.ts";

function setup() {
  const clock = virtualClock();
  const pages = { open: 0 };
  const told: number[] = [];
  const notify = async (topic: string) => {
    told.push(clock.now());
    if (topic !== "pages" || told.length === 2) throw new Error("the database is away");
  };
  const count = () => pages.open;
  return {
    clock,
    pages,
    told,
    onlookers: createOnlookers({ bus: { notify }, clock, log: silentLog, count }),
  };
}

test("nobody is told while no page is open", async () => {
  const { clock, told } = setup();
  await clock.runUntil(60_000);
  expect(told).toEqual([]);
});

test("the first page is told at once, then every ten seconds while one is open, whatever fails", async () => {
  const { clock, pages, told, onlookers } = setup();
  await clock.runUntil(5000);
  pages.open = 1;
  onlookers.opened();
  pages.open = 2;
  onlookers.opened();
  await clock.runUntil(31_000);
  pages.open = 0;
  await clock.runUntil(90_000);
  expect(told).toEqual([5000, 15_000, 25_000]);
  pages.open = 1;
  onlookers.opened();
  await clock.runUntil(95_000);
  expect(told).toEqual([5000, 15_000, 25_000, 90_000]);
});

test("after the end nobody is told any more", async () => {
  const { clock, pages, told, onlookers } = setup();
  pages.open = 1;
  onlookers.opened();
  await clock.runUntil(1000);
  onlookers.stop();
  await clock.runUntil(60_000);
  onlookers.opened();
  await clock.runUntil(90_000);
  expect(told).toEqual([0]);
});
