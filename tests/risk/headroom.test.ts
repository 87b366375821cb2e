// Every limit of an order to the unit, what is not known, and that no order of approvals and releases ever uses more
// than a limit allows.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { add, compare, type Decimal, decimal } from "../../src/model/decimal.ts";
import type { RiskReason } from "../../src/model/reasons.ts";
import {
  type AccountState,
  approveOrder,
  createAccountState,
  type ExposureLimits,
  grossExposure,
  type HeldLeg,
  marginOf,
  type OrderLimits,
  type OrderRequest,
  release,
  type Reservation,
  tellRows,
} from "../../src/risk/headroom.ts";

const AT = 1_000_000;
const ACCOUNT: ExposureLimits = {
  maxSymbolExposureUsd: null,
  maxGrossExposureUsd: null,
  maxLeverage: 50,
};
const BOT: OrderLimits = {
  maxOrderQty: null,
  maxOrderNotional: null,
  maxOpenOrders: null,
  maxPositionNotional: null,
};

const order = (change: Partial<OrderRequest> = {}): OrderRequest => ({
  key: "bot:1 X entry",
  owner: "bot:1",
  symbol: "X",
  positionSide: "long",
  isReduceOnly: false,
  qty: decimal("1"),
  notional: decimal("100"),
  leverage: 10,
  at: AT,
  ...change,
});

const held = (notional: string | null, change: Partial<HeldLeg> = {}): HeldLeg => ({
  owner: "bot:1",
  symbol: "X",
  positionSide: "long",
  notional: notional === null ? null : decimal(notional),
  margin: notional === null ? null : marginOf(decimal(notional), 10),
  ...change,
});

const working = (
  key: string,
  notional: string,
  change: Partial<Reservation> = {},
): Reservation => ({
  ...{ key, owner: "bot:1", symbol: "X", positionSide: "long", isReduceOnly: false },
  notional: decimal(notional),
  margin: marginOf(decimal(notional), 10),
  since: 0,
  ...change,
});

function account(
  legs: readonly HeldLeg[] = [],
  orders: readonly Reservation[] = [],
  equity = "1000000",
  free: string | null = null,
): AccountState {
  const state = createAccountState();
  tellRows(state, legs, orders);
  state.money = { equity: decimal(equity), free: free === null ? null : decimal(free), at: AT - 1 };
  return state;
}

const reasonOf = (
  state: AccountState,
  request: OrderRequest,
  limits: Partial<ExposureLimits> = {},
  bot: Partial<OrderLimits> = {},
): RiskReason | "ok" => {
  const answer = approveOrder(state, request, { ...ACCOUNT, ...limits }, { ...BOT, ...bot });
  return answer.ok ? "ok" : answer.reason;
};

const LESS = decimal("99.99999999");

describe("an order at its limit passes and one unit above it does not", () => {
  test("quantity", () => {
    const limited = (maxOrderQty: string) =>
      reasonOf(account(), order(), {}, { maxOrderQty: decimal(maxOrderQty) });
    expect([limited("1"), limited("0.99999999")]).toEqual(["ok", "QTY_ABOVE_BOT_LIMIT"]);
  });

  test("value", () => {
    const limited = (maxOrderNotional: Decimal) =>
      reasonOf(account(), order(), {}, { maxOrderNotional });
    expect([limited(decimal("100")), limited(LESS)]).toEqual(["ok", "NOTIONAL_ABOVE_BOT_LIMIT"]);
  });

  test("working orders of the bot, those of others and the order it replaces left out", () => {
    const state = () =>
      account(
        [],
        [
          working("order 1", "1"),
          working("order 2", "1", { isReduceOnly: true }),
          working("order 3", "1", { owner: "bot:2" }),
        ],
      );
    const limited = (maxOpenOrders: number, request = order()) =>
      reasonOf(state(), request, {}, { maxOpenOrders });
    expect([limited(3), limited(2)]).toEqual(["ok", "OPEN_ORDERS_ABOVE_BOT_LIMIT"]);
    expect(limited(2, order({ key: "order 1" }))).toBe("ok");
  });

  test("position of the bot's leg", () => {
    const others = [held("1000", { owner: "bot:2" }), held("1000", { positionSide: "short" })];
    const state = () => account([held("40"), ...others], [working("order 1", "60")]);
    const limited = (maxPositionNotional: string) =>
      reasonOf(state(), order(), {}, { maxPositionNotional: decimal(maxPositionNotional) });
    expect([limited("200"), limited("199.99999999")]).toEqual(["ok", "POSITION_ABOVE_BOT_LIMIT"]);
  });

  test("exposure in the symbol, long and short of everybody added up", () => {
    const state = () =>
      account(
        [held("40", { positionSide: "short", owner: "foreign" }), held("999", { symbol: "Y" })],
        [working("order 1", "60", { owner: "bot:2" })],
      );
    const limited = (max: string) =>
      reasonOf(state(), order(), { maxSymbolExposureUsd: decimal(max) });
    const above = "SYMBOL_EXPOSURE_ABOVE_ACCOUNT_LIMIT";
    expect([limited("200"), limited("199.99999999")]).toEqual(["ok", above]);
  });

  test("exposure of the account", () => {
    const state = () => account([held("40"), held("60", { symbol: "Y", positionSide: "short" })]);
    const limited = (max: string) =>
      reasonOf(state(), order(), { maxGrossExposureUsd: decimal(max) });
    const above = "GROSS_EXPOSURE_ABOVE_ACCOUNT_LIMIT";
    expect([limited("200"), limited("199.99999999")]).toEqual(["ok", above]);
  });

  test("leverage, which is refused and not made smaller", () => {
    const limited = (leverage: number) => reasonOf(account(), order({ leverage }));
    expect([limited(50), limited(51)]).toEqual(["ok", "LEVERAGE_ABOVE_LIMIT"]);
    expect([limited(0), limited(Number.NaN)]).toEqual([
      "LEVERAGE_ABOVE_LIMIT",
      "LEVERAGE_ABOVE_LIMIT",
    ]);
  });

  test("margin against the equity that no other margin uses", () => {
    const limited = (equity: string) =>
      reasonOf(account([held("100")], [working("order 1", "100")], equity), order());
    expect([limited("30"), limited("29.99999999")]).toEqual(["ok", "MARGIN_ABOVE_FREE"]);
  });

  test("margin against what the exchange says is free", () => {
    const limited = (free: string) => reasonOf(account([], [], "1000", free), order());
    expect([limited("10"), limited("9.99999999")]).toEqual(["ok", "MARGIN_ABOVE_FREE"]);
  });

  test("margin of orders the exchange did not know of when it said what is free", () => {
    const limited = (free: string) => {
      const orders = [
        working("order 1", "500", { since: AT - 2 }),
        working("order 2", "50", { since: AT - 1 }),
      ];
      return reasonOf(account([], orders, "1000", free), order());
    };
    expect([limited("15"), limited("14.99999999")]).toEqual(["ok", "MARGIN_ABOVE_FREE"]);
  });
});

describe("an order is refused while", () => {
  test("the account was not read", () => {
    expect(reasonOf(createAccountState(), order())).toBe("ACCOUNT_UNKNOWN");
  });

  test("no price is known", () => {
    expect(reasonOf(account(), order({ notional: null }))).toBe("PRICE_UNKNOWN");
  });

  test("the balance is not known", () => {
    const state = account();
    state.money = null;
    expect(reasonOf(state, order())).toBe("MARGIN_UNKNOWN");
  });

  test("a position has no value, only where it counts", () => {
    const other = () => account([held(null, { symbol: "Y", margin: decimal("0") })]);
    const max = decimal("1000");
    expect(reasonOf(other(), order(), { maxSymbolExposureUsd: max })).toBe("ok");
    expect(reasonOf(other(), order(), { maxGrossExposureUsd: max })).toBe("PRICE_UNKNOWN");
    const own = account([held(null, { margin: decimal("0") })]);
    expect(reasonOf(own, order(), { maxSymbolExposureUsd: max })).toBe("PRICE_UNKNOWN");
    expect(reasonOf(own, order(), {}, { maxPositionNotional: max })).toBe("PRICE_UNKNOWN");
    expect(reasonOf(account([held(null)]), order())).toBe("PRICE_UNKNOWN");
  });

  test("its quantity is nothing", () => {
    expect(reasonOf(account(), order({ qty: decimal("0") }))).toBe("QTY_NOT_POSITIVE");
  });
});

test("a reduce-only order passes everything, whatever is known", () => {
  const none = decimal("0.00000001");
  const strict = { maxSymbolExposureUsd: none, maxGrossExposureUsd: none, maxLeverage: 1 };
  const bot = { maxOrderQty: none, maxOrderNotional: none, maxOpenOrders: 0 };
  const exit = order({ isReduceOnly: true, notional: null, leverage: 99 });
  expect(reasonOf(createAccountState(), exit, strict, bot)).toBe("ok");
  expect(reasonOf(account([held(null)], [], "0", "0"), exit, strict, bot)).toBe("ok");
});

test("approving reserves in the same call, a refusal reserves nothing, releasing gives back", () => {
  const state = account();
  const limits = { maxGrossExposureUsd: decimal("150") };
  expect(reasonOf(state, order(), limits)).toBe("ok");
  expect(reasonOf(state, order({ key: "b" }), limits)).not.toBe("ok");
  expect(grossExposure(state)).toBe(decimal("100"));
  expect(reasonOf(state, order({ notional: decimal("150") }), limits)).toBe("ok");
  expect(grossExposure(state)).toBe(decimal("150"));
  release(state, order().key);
  expect(reasonOf(state, order({ key: "b" }), limits)).toBe("ok");
  tellRows(state, [], []);
  expect(grossExposure(state)).toBe(decimal("0"));
});

type Act = {
  readonly key: number;
  readonly bot: number;
  readonly symbol: number;
  readonly cents: number;
  readonly isRelease: boolean;
};

test("no order of approvals and releases uses more than a limit, and no sum is ever negative", () => {
  const act: fc.Arbitrary<Act> = fc.record({
    key: fc.nat(8),
    bot: fc.nat(2),
    symbol: fc.nat(2),
    cents: fc.integer({ min: 1, max: 60_000 }),
    isRelease: fc.boolean(),
  });
  const limits = {
    maxSymbolExposureUsd: decimal("700"),
    maxGrossExposureUsd: decimal("1500"),
    maxLeverage: 50,
  };
  const bot = { ...BOT, maxPositionNotional: decimal("600"), maxOpenOrders: 3 };
  fc.assert(
    fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
      const state = account([held("50")], [], "100", "90");
      for (const { key: n, bot: b, symbol: s, cents, isRelease } of acts) {
        const owner = `bot:${b}`;
        const key = `${owner} ${n}`;
        if (isRelease) {
          release(state, key);
          continue;
        }
        const notional = decimal(String(cents / 100));
        const symbol = `S${s}`;
        approveOrder(state, order({ key, owner, symbol, notional }), limits, bot);
        const all = [...state.orders.values()];
        const sumOf = (few: readonly Reservation[], what: "notional" | "margin") =>
          few.reduce((sum, one) => add(sum, one[what] ?? decimal("0")), decimal("0"));
        const ofSymbol = all.filter((one) => one.symbol === symbol);
        const ofBot = all.filter((one) => one.owner === owner);
        expect(compare(sumOf(all, "notional"), decimal("1450"))).toBeLessThanOrEqual(0);
        expect(compare(sumOf(ofSymbol, "notional"), decimal("700"))).toBeLessThanOrEqual(0);
        expect(compare(sumOf(all, "margin"), decimal("90"))).toBeLessThanOrEqual(0);
        expect(ofBot.length).toBeLessThanOrEqual(3);
        expect(all.every((one) => compare(one.margin ?? decimal("-1"), decimal("0")) > 0)).toBe(
          true,
        );
      }
    }),
  );
});
