// Client order ids: one layout, unique, below 2^63, rising per bot, never a number in our hands.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  type ClientOrderIdSource,
  clientOrderIdSource,
  formatClientOrderId,
  issueClientOrderId,
  nextStamp,
  parseClientOrderId,
} from "../../src/model/client-order-id.ts";
import { InvariantError } from "../../src/model/result.ts";

const parts = fc.record({
  stampS: fc.integer({ min: 0, max: 922_337_202 }),
  instance: fc.integer({ min: 0, max: 99 }),
  bot: fc.integer({ min: 0, max: 9999 }),
  sequence: fc.integer({ min: 0, max: 9999 }),
});

function issued(source: ClientOrderIdSource) {
  const result = issueClientOrderId(source);
  if (!result.ok) throw new Error(result.detail);
  return result.value;
}

describe("a client order id", () => {
  test("is stamp, instance, bot and sequence in 19 digits", () => {
    const id = formatClientOrderId({ stampS: 189_648_000, instance: 7, bot: 42, sequence: 3 });
    expect(String(id)).toBe("1896480000700420003");
  });

  test("is read back into the parts it was made of", () => {
    fc.assert(
      fc.property(parts, (made) => {
        expect(parseClientOrderId(formatClientOrderId(made))).toEqual(made);
      }),
    );
  });

  test("lies below 2^63, whatever its parts", () => {
    fc.assert(
      fc.property(parts, (made) => {
        const id = formatClientOrderId(made);
        return id.length === 19 && BigInt(id) < 2n ** 63n;
      }),
    );
  });

  test("is another one for other parts", () => {
    fc.assert(
      fc.property(parts, parts, (a, b) => {
        const isSame = JSON.stringify(a) === JSON.stringify(b);
        return (formatClientOrderId(a) === formatClientOrderId(b)) === isSame;
      }),
    );
  });

  for (const text of ["", "abc", "123", "12345678901234567890", "999999999999999999x"]) {
    test(`is not what "${text}" is`, () => expect(parseClientOrderId(text)).toBeNull());
  }

  test("is not a number above 2^63", () => {
    expect(parseClientOrderId("9999999990000000000")).toBeNull();
  });

  for (const wrong of [{ stampS: -1 }, { instance: 100 }, { bot: 10_000 }, { sequence: 0.5 }]) {
    test(`cannot be made of ${JSON.stringify(wrong)}`, () => {
      const good = { stampS: 1, instance: 1, bot: 1, sequence: 1 };
      expect(() => formatClientOrderId({ ...good, ...wrong })).toThrow(InvariantError);
    });
  }
});

describe("the ids of one bot", () => {
  test("rise in the order they are issued, over leases and clocks that stand or go back", () => {
    const leases = fc.array(
      fc.record({
        takenAt: fc.integer({ min: Date.UTC(2026, 0), max: Date.UTC(2040, 0) }),
        orders: fc.integer({ min: 1, max: 5 }),
      }),
      { minLength: 1, maxLength: 20 },
    );
    fc.assert(
      fc.property(leases, (taken) => {
        let last: number | null = null;
        let before = 0n;
        for (const { takenAt, orders } of taken) {
          last = nextStamp(takenAt, last);
          let source = clientOrderIdSource(last, 3, 12);
          for (let n = 0; n < orders; n++) {
            const { id, next } = issued(source);
            expect(BigInt(id) > before).toBe(true);
            before = BigInt(id);
            source = next;
          }
        }
      }),
    );
  });

  test("end after 10,000 under one stamp, and a fresh stamp goes on above them", () => {
    let source = clientOrderIdSource(200_000_000, 0, 1);
    const seen = new Set<string>();
    let last = "";
    for (let n = 0; n < 10_000; n++) {
      const { id, next } = issued(source);
      seen.add(id);
      last = id;
      source = next;
    }
    expect(seen.size).toBe(10_000);
    expect(issueClientOrderId(source)).toMatchObject({ ok: false, reason: "SEQUENCE_USED_UP" });
    const fresh = clientOrderIdSource(nextStamp(0, 200_000_000), 0, 1);
    expect(BigInt(issued(fresh).id)).toBeGreaterThan(BigInt(last));
  });

  test("carry the seconds since 2020 while the clock is ahead of the last stamp", () => {
    expect(nextStamp(Date.UTC(2020, 0, 1, 0, 1), null)).toBe(60);
    expect(nextStamp(Date.UTC(2020, 0, 1, 0, 1), 5)).toBe(60);
    expect(nextStamp(Date.UTC(2020, 0, 1, 0, 1), 60)).toBe(61);
    expect(nextStamp(Date.UTC(2019, 0), null)).toBe(0);
    expect(() => nextStamp(Date.UTC(2060, 0), null)).toThrow("2^63");
  });
});
