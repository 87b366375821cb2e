// Every accepted spelling of an exchange and a symbol, and what is refused.
import { expect, test } from "bun:test";
import {
  exchangeIdsOf,
  normaliseExchange,
  profileOf,
} from "../../../src/adapters/ccxt/profiles.ts";
import { ccxtIds } from "../../../src/adapters/ccxt/exchange.ts";
import { normaliseMarket } from "../../../src/adapters/ccxt/symbols.ts";
import { InputError } from "../../../src/model/result.ts";
import type { InstrumentKind } from "../../../src/ports/instrument-store.ts";

const WOOX: [text: string, kind: InstrumentKind | undefined, symbol: string, is: InstrumentKind][] =
  [
    ["PERP_BTC_USDT", undefined, "PERP_BTC_USDT", "perps"],
    ["SPOT_BTC_USDT", undefined, "SPOT_BTC_USDT", "spot"],
    ["perp_btc_usdt", "perps", "PERP_BTC_USDT", "perps"],
    ["BTC/USDT", undefined, "SPOT_BTC_USDT", "spot"],
    ["BTC/USDT:USDT", undefined, "PERP_BTC_USDT", "perps"],
    ["BTC/USDT", "perps", "PERP_BTC_USDT", "perps"],
    ["ETH-PERP", undefined, "PERP_ETH_USDT", "perps"],
    ["PERP-ETH-USDC", undefined, "PERP_ETH_USDC", "perps"],
    ["ETH-USDT", undefined, "SPOT_ETH_USDT", "spot"],
    ["ETH_USDT", undefined, "SPOT_ETH_USDT", "spot"],
    ["1000PEPE_USDT", "perps", "PERP_1000PEPE_USDT", "perps"],
  ];

for (const [text, kind, symbol, is] of WOOX) {
  test(`woox: ${text}${kind ? ` as ${kind}` : ""} is ${symbol}`, () => {
    expect(normaliseMarket("woox", text, kind)).toEqual({ exchangeId: "woox", symbol, kind: is });
  });
}

const OTHERS: [
  text: string,
  kind: InstrumentKind | undefined,
  symbol: string,
  is: InstrumentKind,
][] = [
  ["btc/usdt", undefined, "BTC/USDT", "spot"],
  ["BTC/USDT", "perps", "BTC/USDT:USDT", "perps"],
  ["BTC/USDT:USDT", undefined, "BTC/USDT:USDT", "perps"],
  ["BTC/USD:BTC", undefined, "BTC/USD:BTC", "perps"],
  ["BTC-PERP", undefined, "BTC/USDT:USDT", "perps"],
  ["BTC-USDT", undefined, "BTC/USDT", "spot"],
  ["PERP_BTC_USDT", undefined, "BTC/USDT:USDT", "perps"],
];

for (const [text, kind, symbol, is] of OTHERS) {
  test(`binance: ${text}${kind ? ` as ${kind}` : ""} is ${symbol}`, () => {
    expect(normaliseMarket("binance", text, kind)).toEqual({
      exchangeId: "binance",
      symbol,
      kind: is,
    });
  });
}

test("a spelling that contradicts the market or means nothing is refused", () => {
  expect(() => normaliseMarket("woox", "PERP_BTC_USDT", "spot")).toThrow(
    /is a perps symbol, but the market is spot/,
  );
  expect(() => normaliseMarket("binance", "BTC/USDT:USDT", "spot")).toThrow(InputError);
  expect(() => normaliseMarket("woox", "BTC/USD:BTC")).toThrow(/must settle in USD on woox/);
  for (const text of ["", "BTCUSDT", "BTC/", "/USDT", "BTC/USDT/X", "BTC USDT", "'; drop table"]) {
    expect(() => normaliseMarket("binance", text)).toThrow(/is not understood/);
  }
});

test("woo has several names and one id", () => {
  for (const text of ["woo", "woox", "woo-x", "woo_x", "WOOX", " Woo "]) {
    expect(normaliseExchange(text)).toBe("woox");
  }
  expect(normaliseExchange("binanceusdm")).toBe("binance");
  expect(normaliseExchange("some_other")).toBe("some_other");
  for (const text of ["", "9lives", "a b", "x".repeat(41)]) {
    expect(() => normaliseExchange(text)).toThrow(InputError);
  }
});

test("every ccxt exchange can be reached, ours under our ids", () => {
  const ids = exchangeIdsOf(ccxtIds());
  expect(ids.length).toBeGreaterThan(95);
  for (const id of ["woox", "binance", "bybit", "okx", "kucoin", "upbit", "kraken"]) {
    expect(ids).toContain(id);
  }
  for (const id of ["woo", "binanceusdm", "kucoinfutures"]) expect(ids).not.toContain(id);
  const classes = ids.flatMap((id) => Object.values(profileOf(id).classes));
  for (const name of classes) if (name !== null) expect(ccxtIds()).toContain(name);
});
