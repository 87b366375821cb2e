// The engine's simulator and the venue are two readings of how an exchange fills orders. One case goes
// through both; the books are equal, or differ by exactly what is listed here.
import { expect, test } from "bun:test";
import {
  type BookedFill,
  type Books,
  differentialCase,
  type DifferentialCase,
  GRID,
  KINDS,
} from "./differential-case.ts";
import { playSimulator } from "./differential-simulator.ts";
import { playVenue } from "./differential-venue.ts";

const CASES = 600;
/** Doubles against exact money: a millionth of a quote coin over a whole case. */
const DIGITS = 6;

/** Every difference in how the two are modelled, and how often it must have been seen. */
const DIFFERENCES = {
  spread: {
    why: "a taker meets the venue's best quote, one tick beyond the path; the simulator has slippage instead, 0 here",
    least: 300,
  },
  gap: {
    why: "an order that the open jumps over fills at its own price at the venue, at the open in the simulator",
    least: 30,
  },
  parts: {
    why: "thin trade fills an order in parts at the venue, always as a whole in the simulator",
    least: 30,
  },
  feeInMargin: {
    why: "the simulator wants the fee beside the margin when an order fills, the venue wants the margin when it is placed",
    least: 3,
  },
} as const;

type Difference = keyof typeof DIFFERENCES;
type Seen = Record<Difference | "stop" | "tp" | "dca" | "exit" | "liquidation" | "funding", number>;

const cases = Array.from({ length: CASES }, (_, n) => ({ n, given: differentialCase(n) }));
const seen: Seen = {
  ...{ spread: 0, gap: 0, parts: 0, feeInMargin: 0 },
  ...{ stop: 0, tp: 0, dca: 0, exit: 0, liquidation: 0, funding: 0 },
};

const signOf = ({ side }: BookedFill) => (side === "buy" ? 1 : -1);

/** A fill of the simulator as the venue must have it. */
function asAtVenue(given: DifferentialCase, fill: BookedFill, limit: number | null): BookedFill {
  if (fill.order === "liquidation") return { ...fill, limit };
  if (!fill.isMaker) {
    seen.spread++;
    return { ...fill, ticks: fill.ticks + signOf(fill), limit };
  }
  const isBetter = limit !== null && (limit - fill.ticks) * signOf(fill) > 0;
  if (given.kind !== "gap" || !isBetter || fill.ticks !== given.candles[2]?.open) {
    return { ...fill, limit };
  }
  seen.gap++;
  return { ...fill, ticks: limit, limit };
}

/** Average, profit and fees that follow from fills alone. */
function bookedFrom(given: DifferentialCase, fills: readonly BookedFill[]) {
  let [lots, average, realised, fees] = [0, 0, 0, 0];
  for (const fill of fills) {
    const price = fill.ticks * GRID.tickSize;
    const signed = signOf(fill) * fill.lots;
    fees += (price * fill.lots * GRID.stepSize * feeBps(given, fill)) / 1e4;
    if (lots === 0 || lots > 0 === signed > 0) {
      average = (average * lots + price * signed) / (lots + signed);
    } else realised += Math.sign(lots) * fill.lots * GRID.stepSize * (price - average);
    lots += signed;
    if (lots === 0) average = 0;
  }
  return { lots, average, realised, fees };
}

const feeBps = ({ makerBps, takerBps }: DifferentialCase, { isMaker }: BookedFill) =>
  isMaker ? makerBps : takerBps;

/** Whether the simulator must have refused the entry: margin and fee do not fit into the balance. */
function lacksFee(given: DifferentialCase, [entry]: readonly BookedFill[]): boolean {
  if (given.kind !== "liquidation" || !entry) return false;
  const value = entry.ticks * GRID.tickSize * entry.lots * GRID.stepSize;
  const fee = (value * feeBps(given, entry)) / 1e4;
  return value / given.leverage > given.deposit - fee + 1e-9;
}

function checkBooks(given: DifferentialCase, books: Books): void {
  const { lots, average, realised, fees } = bookedFrom(given, books.fills);
  expect(books.heldLots).toBe(lots);
  expect(books.average).toBeCloseTo(average, 3);
  expect(books.realised).toBeCloseTo(realised, DIGITS);
  expect(books.fees).toBeCloseTo(fees, DIGITS);
  expect(books.balance).toBeCloseTo(given.deposit + realised - fees + books.funding, DIGITS);
}

function compare(given: DifferentialCase): void {
  const [simulator, venue] = [playSimulator(given), playVenue(given)];
  checkBooks(given, venue);
  if (lacksFee(given, venue.fills)) {
    seen.feeInMargin++;
    expect(simulator.fills).toEqual([]);
    return;
  }
  checkBooks(given, simulator);
  expect(venue.fills).toEqual(
    simulator.fills.map((fill, i) => asAtVenue(given, fill, venue.fills[i]?.limit ?? null)),
  );
  expect(venue.heldLots).toBe(simulator.heldLots);
  expect(venue.funding).toBeCloseTo(simulator.funding, DIGITS);
  if (venue.parts > venue.fills.length) seen.parts++;
  if (venue.funding !== 0) seen.funding++;
  for (const { order } of venue.fills) {
    const name = order.replace(/:.*/, "");
    if (name in seen) seen[name as keyof Seen]++;
  }
}

for (const kind of KINDS) {
  test(`${kind}: fills, position, profit, fees, funding and balance agree`, () => {
    for (const { n, given } of cases.filter((each) => each.given.kind === kind)) {
      try {
        compare(given);
      } catch (error) {
        throw new Error(`case ${n}: ${JSON.stringify(given.script)}`, { cause: error });
      }
    }
  }, 60_000);
}

test("every listed difference and every kind of order occurred, so that the agreement means something", () => {
  for (const [name, { why, least }] of Object.entries(DIFFERENCES)) {
    expect([why, seen[name as Difference] >= least]).toEqual([why, true]);
  }
  for (const name of ["stop", "tp", "dca", "exit", "liquidation", "funding"] as const) {
    expect([name, seen[name] >= 25]).toEqual([name, true]);
  }
});
