// The life of an order: every cell of the table by hand, and that the order of arrival does not matter.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { isFinal, mayRest, nextStatus } from "../../src/execution/order-machine.ts";
import type { IntentStatus, OrderEvent } from "../../src/model/order-status.ts";

const EVENTS = [
  "park",
  "send",
  "withdraw",
  "accepted",
  "refused",
  "unverified",
  "listed",
  "found_working",
  "fill_part",
  "fill_rest",
  "reported_filled",
  "cancelled",
  "expired",
  "not_found",
] as const satisfies readonly OrderEvent[];

const SHORT: Record<string, IntentStatus | null> = {
  "--": null,
  pl: "planned",
  pk: "parked",
  se: "sending",
  uv: "unverified",
  op: "open",
  pf: "partly_filled",
  fi: "filled",
  ca: "cancelled",
  re: "refused",
  ex: "expired",
  ab: "abandoned",
};

// In the order of EVENTS; "--" is what cannot happen.
const EXPECTED: Record<IntentStatus, string> = {
  planned: "pk se ca -- -- -- -- -- -- -- -- -- -- --",
  parked: "pk se ca -- -- -- -- -- -- -- -- -- -- --",
  sending: "-- -- -- op re uv op op pf fi fi ca ex se",
  unverified: "-- -- -- op re uv op op pf fi fi ca ex ab",
  open: "-- -- -- op re op op op pf fi fi ca ex ca",
  partly_filled: "-- -- -- pf re pf pf pf pf fi fi ca ex ca",
  filled: "-- -- -- fi -- fi fi -- fi fi fi fi fi fi",
  cancelled: "-- -- -- ca -- ca ca op ca fi fi ca ca ca",
  refused: "-- -- -- re re re re op re fi fi re re re",
  expired: "-- -- -- ex -- ex ex op ex fi fi ex ex ex",
  abandoned: "-- -- -- op re ab op op pf fi fi ca ex ab",
};

const SAID: Record<OrderEvent, string> = {
  park: "it is parked",
  send: "it is sent",
  withdraw: "it is withdrawn",
  accepted: "the exchange accepts it",
  refused: "the exchange refuses it",
  unverified: "the answer is lost",
  listed: "a list shows it working",
  found_working: "asked for, it works",
  fill_part: "a part is filled",
  fill_rest: "the rest is filled",
  reported_filled: "the exchange calls it filled",
  cancelled: "the exchange cancels it",
  expired: "it expires",
  not_found: "it is given up as not found",
};

const STATUSES = Object.keys(EXPECTED) as IntentStatus[];

for (const status of STATUSES) {
  describe(`an order that is ${status}`, () => {
    const cells = EXPECTED[status].split(" ");
    EVENTS.forEach((event, i) => {
      const to = SHORT[cells[i] ?? ""];
      if (to === undefined) throw new Error(`no cell for ${status} and ${event}`);
      const becomes = to === status ? `stays ${to}` : `becomes ${to}`;
      const sentence = to === null ? "cannot be that" : becomes;
      test(`${sentence} when ${SAID[event]}`, () => expect(nextStatus(status, event)).toBe(to));
    });
  });
}

/** Everything that is told about one order, none of it twice contradicting. */
const lives: [name: string, events: readonly OrderEvent[], end: IntentStatus][] = [
  ["filled in parts", ["accepted", "listed", "fill_part", "fill_rest"], "filled"],
  ["filled while its answer was lost", ["unverified", "fill_part", "fill_rest"], "filled"],
  ["filled, and the cancel lost the race", ["accepted", "fill_rest", "cancelled"], "filled"],
  ["filled by report before its records", ["accepted", "reported_filled", "fill_part"], "filled"],
  ["partly filled, then cancelled", ["accepted", "fill_part", "listed", "cancelled"], "cancelled"],
  ["an immediate order that expired partly", ["accepted", "fill_part", "expired"], "expired"],
  ["taken and then rejected", ["accepted", "fill_part", "refused"], "refused"],
];

describe("an order's life ends the same in every order of arrival:", () => {
  for (const [name, events, end] of lives) {
    test(name, () => {
      const shuffled = fc.shuffledSubarray([...events, ...events], {
        minLength: events.length * 2,
      });
      fc.assert(
        fc.property(shuffled, (arrivals) => {
          let status: IntentStatus = "sending";
          let refusedFirst = false;
          for (const event of arrivals) {
            const next = nextStatus(status, event);
            if (next === null) refusedFirst = true;
            status = next ?? status;
          }
          expect([status, refusedFirst]).toEqual([end, false]);
        }),
      );
    });
  }
});

test("only what may be at the exchange counts towards limits", () => {
  expect(STATUSES.filter(mayRest)).toEqual(["sending", "unverified", "open", "partly_filled"]);
});

test("no event but proof from the exchange leaves a final status", () => {
  const proof = ["listed", "found_working", "fill_part", "fill_rest", "reported_filled"];
  for (const status of STATUSES.filter(isFinal)) {
    for (const event of EVENTS) {
      const to = nextStatus(status, event);
      const isMoved = to !== null && to !== status;
      const isLate = status === "abandoned" || proof.includes(event);
      if (isMoved) expect([status, event, isLate]).toEqual([status, event, true]);
    }
  }
});
