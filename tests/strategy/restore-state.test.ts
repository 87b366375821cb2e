// The stored state of the strategy is read back whole or refused: every field, its kind and its range.
import { describe, expect, test } from "bun:test";
import { DCA_ATR } from "../../src/strategy/dca-atr/dca-atr.ts";
import { restoreDcaAtrState } from "../../src/strategy/dca-atr/restore-state.ts";
import { initialDcaAtrState } from "../../src/strategy/dca-atr/state.ts";

const stored = (change: object = {}): unknown =>
  JSON.parse(JSON.stringify({ ...initialDcaAtrState(), ...change }));

describe("a stored state", () => {
  test("of the present version comes back as it was", () => {
    const state = stored({ pendingSign: -1, trailStop: -3.5, capturedAtr: 0.25, entries: 3 });
    expect(restoreDcaAtrState(DCA_ATR.version, state)).toEqual({ ok: true, value: state as never });
  });

  test("of an unknown version is refused", () => {
    expect(restoreDcaAtrState("9.9.9", stored())).toMatchObject({ ok: false });
  });

  test.each([
    ["pendingSign", 2],
    ["entries", -1],
    ["level", 0.5],
    ["isTrailing", 1],
    ["trailPeak", null],
    ["baseQty", "1"],
    ["decision", 99],
    ["rejections", {}],
    ["surprise", 1],
  ])("with %p of %p is refused, and the sentence names the field", (field, value) => {
    const answer = restoreDcaAtrState(DCA_ATR.version, stored({ [field]: value }));
    expect(answer).toMatchObject({ ok: false, reason: "STATE_UNREADABLE" });
    expect(answer.ok ? "" : answer.detail).toContain(field);
  });

  test.each(Object.keys(initialDcaAtrState()))("without %p is refused", (field) => {
    const { [field]: _, ...rest } = stored() as Record<string, unknown>;
    expect(restoreDcaAtrState(DCA_ATR.version, rest)).toMatchObject({ ok: false });
  });
});
