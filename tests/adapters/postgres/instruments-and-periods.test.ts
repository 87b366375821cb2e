// Instruments and saved periods on real servers.
import { expect } from "bun:test";
import { createInstrumentRepository } from "../../../src/adapters/postgres/instrument-repository.ts";
import { createPeriodRepository } from "../../../src/adapters/postgres/period-repository.ts";
import type { NewInstrument } from "../../../src/ports/instrument-store.ts";
import { databaseTest } from "../../support/database-test.ts";
import { testScope } from "../../support/test-database.ts";

const NOW = Date.UTC(2024, 5, 1, 12);

const eth: NewInstrument = {
  exchangeId: "woox",
  symbol: "PERP_ETH_USDT",
  kind: "perps",
  base: "ETH",
  quote: "USDT",
  settle: "USDT",
  priceTick: 0.01,
  qtyStep: 1e-7,
  minQty: 0.0001,
  minNotional: 10,
  contractSize: 1,
  isLinear: true,
  isActive: true,
};

databaseTest("instruments are added and updated in one statement, rules exact", async ({ sql }) => {
  const instruments = createInstrumentRepository(sql);
  const spot: NewInstrument = { ...eth, kind: "spot", settle: null, priceTick: 1e-12 };
  expect(await instruments.saveAll([eth, spot, { ...eth }], NOW)).toBe(2);
  const found = await instruments.find("woox", "PERP_ETH_USDT", "perps");
  expect(found).toEqual({ ...eth, id: found!.id, fetchedAt: NOW });
  expect(await instruments.find("woox", "PERP_ETH_USDT", "spot")).toMatchObject(spot);
  await instruments.saveAll([{ ...eth, priceTick: 0.1, isActive: false }], NOW + 1);
  expect(await instruments.find("woox", "PERP_ETH_USDT", "perps")).toEqual({
    ...eth,
    id: found!.id,
    priceTick: 0.1,
    isActive: false,
    fetchedAt: NOW + 1,
  });
  expect(await instruments.saveAll([], NOW)).toBe(0);
});

databaseTest("thousands of instruments go in at once and lists filter", async ({ sql }) => {
  const instruments = createInstrumentRepository(sql);
  const many = [...Array(6000).keys()].map((n) => ({
    ...eth,
    exchangeId: n % 2 === 0 ? "woox" : "binance",
    symbol: `PERP_${n}_USDT`,
    isActive: n % 3 !== 0,
  }));
  expect(await instruments.saveAll(many, NOW)).toBe(6000);
  expect((await instruments.list({})).length).toBe(6000);
  expect((await instruments.list({ exchangeId: "woox" })).length).toBe(3000);
  expect((await instruments.list({ exchangeId: "woox", activeOnly: true })).length).toBe(2000);
  expect((await instruments.list({ kind: "spot" })).length).toBe(0);
});

databaseTest("a rule that makes no sense is refused by the table", async ({ sql }) => {
  const instruments = createInstrumentRepository(sql);
  const save = (wrong: Partial<NewInstrument>) => instruments.saveAll([{ ...eth, ...wrong }], NOW);
  await expect(save({ priceTick: 0 })).rejects.toThrow("instruments_price_tick_positive");
  await expect(save({ minQty: -1 })).rejects.toThrow("instruments_min_qty_not_negative");
  await expect(save({ qtyStep: Number.NaN })).rejects.toThrow("NaN is not an amount");
  expect(await instruments.list({})).toEqual([]);
});

databaseTest("periods have unique names and an order of ends", async ({ sql }) => {
  const periods = createPeriodRepository(sql);
  const scope = await testScope(sql, "one");
  const bull = { name: "Bull", fromAt: NOW - 1000, toAt: NOW };
  const made = await periods.create(scope, bull, NOW);
  if (!made.ok) throw new Error(made.detail);
  expect(made.value).toEqual({ ...bull, id: made.value.id });
  const again = await periods.create(scope, { ...bull, name: "BULL" }, NOW);
  expect(again).toMatchObject({ reason: "name_taken" });
  const bear = await periods.create(scope, { ...bull, name: "Bear" }, NOW);
  if (!bear.ok) throw new Error(bear.detail);
  const renamed = await periods.change(scope, bear.value.id, { ...bull, name: "bull" }, NOW);
  expect(renamed).toMatchObject({ reason: "name_taken" });
  const moved = { name: "Bear", fromAt: 0, toAt: 5 };
  expect(await periods.change(scope, bear.value.id, moved, NOW)).toMatchObject({ value: moved });
  expect((await periods.list(scope)).map((period) => period.name)).toEqual(["Bear", "Bull"]);
  const backwards = periods.create(scope, { name: "x", fromAt: 5, toAt: 5 }, NOW);
  await expect(backwards).rejects.toThrow("saved_periods_range_ordered");
  expect(await periods.remove(scope, bear.value.id)).toBe(true);
  expect(await periods.remove(scope, bear.value.id)).toBe(false);
});
