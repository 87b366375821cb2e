// Exact decimals of the money zone: what is accepted, and that arithmetic leaves no residue.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { add, compare, decimal, multiply, subtract } from "../../src/model/decimal.ts";
import { InputError } from "../../src/model/result.ts";

const thousandths = fc.integer({ min: -(10 ** 12), max: 10 ** 12 });
/** The decimal of a count of thousandths, built from text only. */
const asDecimal = (count: number) => {
  const digits = String(Math.abs(count)).padStart(4, "0");
  return decimal(`${count < 0 ? "-" : ""}${digits.slice(0, -3)}.${digits.slice(-3)}`);
};

describe("a decimal", () => {
  test("is read from plain text and finite numbers, never in exponent form", () => {
    expect(String(decimal(" 0.10 "))).toBe("0.1");
    expect(String(decimal(1e-7))).toBe("0.0000001");
    expect(String(decimal(1e21))).toBe("1000000000000000000000");
    expect(String(decimal("-12"))).toBe("-12");
  });

  for (const wrong of ["", "1e3", "1,5", "abc", ".5", "5.", "+1", "0x10", "--1", "Infinity"]) {
    test(`refuses the text "${wrong}", which is no plain decimal`, () => {
      expect(() => decimal(wrong)).toThrow(InputError);
    });
  }

  test("refuses numbers that are not finite", () => {
    expect(() => decimal(Number.NaN)).toThrow("NaN");
    expect(() => decimal(Number.POSITIVE_INFINITY)).toThrow(InputError);
  });

  test("adds, subtracts and multiplies without residue", () => {
    expect(String(add(decimal("0.1"), decimal("0.2")))).toBe("0.3");
    expect(String(subtract(decimal("0.3"), decimal("0.1")))).toBe("0.2");
    expect(String(multiply(decimal("1.1"), decimal("1.1")))).toBe("1.21");
    const long = multiply(decimal("0.000000001"), decimal("0.000000001"));
    expect(String(long)).toBe("0.000000000000000001");
  });

  test("equals whole-number arithmetic in thousandths", () => {
    fc.assert(
      fc.property(thousandths, thousandths, (a, b) => {
        const [x, y] = [asDecimal(a), asDecimal(b)];
        const sameSum = compare(add(x, y), asDecimal(a + b)) === 0;
        const sameRest = compare(subtract(x, y), asDecimal(a - b)) === 0;
        return sameSum && sameRest && compare(x, y) === Math.sign(a - b);
      }),
    );
  });
});
