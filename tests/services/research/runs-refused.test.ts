// Requests that cannot be: every sentence at once, in words, and no row left behind.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { createCandleRepository } from "../../../src/adapters/postgres/candle-repository.ts";
import { createInstrumentRepository } from "../../../src/adapters/postgres/instrument-repository.ts";
import type { Market } from "../../../src/ports/market-data.ts";
import type { Research } from "../../../src/research.ts";
import type { Actor } from "../../../src/services/desk/actor.ts";
import { canonicalJson } from "../../../src/services/research/run-request.ts";
import type { RunRequest } from "../../../src/services/research/runs.ts";
import {
  actorOf,
  aRequest,
  MARKET,
  storeCandles,
  testResearch,
  walkCandles,
} from "../../support/research-case.ts";
import { type TestDatabase, testDatabase, testScope } from "../../support/test-database.ts";

const SPOT: Market = { exchangeId: "bitfinex", symbol: "ETH/USDT", kind: "spot" };
const FROM = Date.UTC(2024, 0, 15);
const HOUR = 3_600_000;
const LIMIT_MS = 30_000;
let database: TestDatabase;
let research: Research;
let actor: Actor;

beforeAll(async () => {
  database = await testDatabase();
  research = testResearch(database.sql);
  actor = await actorOf(database.sql, await testScope(database.sql, "refused", "trader"));
  const { sql } = database;
  await storeCandles(sql, actor.scope, walkCandles(20_000));
  await storeCandles(sql, actor.scope, walkCandles(20_000), 5, SPOT);
  // A week without candles in the middle.
  const holed = { ...MARKET, symbol: "HOLE/USDT:USDT" };
  await storeCandles(sql, actor.scope, walkCandles(1000), 5, holed);
  await storeCandles(sql, actor.scope, walkCandles(1000, { from: FROM }), 5, holed);
  await createCandleRepository(sql).openCandles(
    actor.scope,
    { ...MARKET, symbol: "EMPTY/USDT:USDT", timeframeMin: 5 },
    0,
  );
  const contract = {
    ...{ exchangeId: "bitfinex", symbol: "ETH/USD:ETH", kind: "perps" as const },
    ...{ base: "ETH", quote: "USD", settle: "ETH", isLinear: false, isActive: true },
    ...{ priceTick: 0.1, qtyStep: 1, minQty: 1, minNotional: 0, contractSize: 1 },
  };
  await createInstrumentRepository(sql).saveAll([contract], 0);
}, LIMIT_MS);

afterAll(async () => {
  await research.stop();
  await database.drop();
});

const base = aRequest();
const run = (changes: object) => ({ run: { ...(base.run as object), ...changes } });
const group = (name: string, changes: object) => {
  const config = base.config as Record<string, object>;
  return { config: { ...config, [name]: { ...config[name], ...changes } } };
};
const holed = { market: { ...MARKET, symbol: "HOLE/USDT:USDT" } };

/** What is asked, and what the sentences must name, one pattern each in their order. */
const REFUSED: readonly [what: string, changes: Partial<RunRequest>, named: readonly RegExp[]][] = [
  ["a field out of range", group("exits", { sl_pct: -1 }), [/^config: exits\.sl_pct is -1; .*0$/]],
  [
    "several fields of the config at once",
    { config: { general: { max_entries: 0, bbo_queue_level: -1 }, exits: { tp_pct: "x" }, no: 1 } },
    [/max_entries is 0/, /bbo_queue_level is -1/, /tp_pct is "x"/, /unknown key no/],
  ],
  [
    "something wrong with every document",
    { config: { rsi: { length: 0 } }, ...run({ leverage: 0 }), instrument: { price_tick: 1 } },
    [/^config: rsi\.length is 0/, /^run: leverage is 0/, /^instrument: qty_step is missing/],
  ],
  ["a config that is no object", { config: 7 }, [/^config: must be a JSON object/]],
  [
    "an interval below the timeframe",
    run({ timeframe_min: 240 }),
    [/interval_min is 60; .*multiple/],
  ],
  ["an end before the start", run({ to: FROM - 1 }), [/^run: to is \d+; it must be after from/]],
  ["a name of only spaces", { name: "   " }, [/^name: 3 characters/]],
  [
    "a market without candles",
    { market: { ...MARKET, symbol: "X/USDT:USDT" } },
    [/^candles: none/],
  ],
  ["a series without a candle", { market: { ...MARKET, symbol: "EMPTY/USDT:USDT" } }, [/none/]],
  ["a timeframe below the stored ones", run({ timeframe_min: 1 }), [/^candles: none are stored/]],
  [
    "a window outside the candles",
    run({ from: Date.UTC(2020, 0, 1), to: Date.UTC(2020, 1, 1) }),
    [/^run: the window from 2020-01-01.* holds no candles.*2024-01-01/],
  ],
  [
    "a window within a hole",
    { ...holed, ...run({ from: Date.UTC(2024, 0, 6), to: Date.UTC(2024, 0, 8) }) },
    [/holds no candles/],
  ],
  [
    "a window too small for one candle of an aggregated timeframe",
    run({ timeframe_min: 60, from: FROM + 60_000, to: FROM + HOUR - 60_000 }),
    [/holds no candles/],
  ],
  ["funding that is not stored", { withFunding: true }, [/^funding: no rates are stored/]],
  [
    "a spot market used like a perpetual",
    { market: SPOT, withFunding: true },
    [/allow_short is true; it must be false/, /leverage is 3; it must be 1/, /^funding: on/],
  ],
  [
    "a contract settled in its base",
    { market: { ...MARKET, symbol: "ETH/USD:ETH" } },
    [/^symbol: ETH\/USD:ETH is settled in ETH/],
  ],
  [
    "history of the future",
    { fetchMissing: true, ...run({ from: Date.UTC(2200, 0, 1), to: Date.UTC(2201, 0, 1) }) },
    [/^run: from is 2200-01-01/],
  ],
];

for (const [what, changes, named] of REFUSED) {
  test(`${what} is refused in words and leaves no row`, async () => {
    const asked = await research.runs.request(actor, { ...base, ...changes });
    if (asked.ok) throw new Error("it was accepted");
    expect(asked.sentences).toHaveLength(named.length);
    asked.sentences.forEach((sentence, i) => expect(sentence).toMatch(named[i]!));
    const [row] = await database.sql<{ count: number }[]>`select count(*)::int from runs`;
    expect(row?.count).toBe(0);
  });
}

test("a spot market without leverage, shorts and funding is accepted", async () => {
  const request = { ...base, market: SPOT, ...group("general", { allow_short: false }) };
  const changed = { ...request, ...run({ leverage: 1 }) };
  const asked = await research.runs.request(actor, changed);
  expect(asked.ok).toBe(true);
  if (asked.ok) await research.runs.remove(actor, [asked.id]);
});

test("a service that stops takes no request any more", async () => {
  const stopping = testResearch(database.sql);
  await stopping.stop();
  const asked = await stopping.runs.request(actor, base);
  expect(asked).toMatchObject({ ok: false });
});

test("equal documents have equal canonical text, whatever the order of their keys", () => {
  const one = canonicalJson({ b: [1, { d: 2, c: null }], a: "x" });
  expect(one).toBe('{"a":"x","b":[1,{"c":null,"d":2}]}');
  expect(canonicalJson({ a: "x", b: [1, { c: null, d: 2 }] })).toBe(one);
  expect(canonicalJson({ a: "x", b: [{ c: null, d: 2 }, 1] })).not.toBe(one);
});
