// The pure parts of the run page: its address, table pages, sentences, settings, analysis and
// files.
import { expect, test } from "bun:test";
import fc from "fast-check";
import type { Run, RunId } from "../../src/ports/run-store.ts";
import type { DecisionRecord } from "../../src/services/research/decision-record.ts";
import type { RunRecord } from "../../src/services/research/run-artifact.ts";
import { parseConfig } from "../../src/strategy/dca-atr/config.ts";
import { DECISIONS, type Decision } from "../../src/strategy/dca-atr/state.ts";
import {
  depthRows,
  excursionDots,
  exitRows,
  heatStep,
  monthRows,
  splitRows,
} from "../../src/web/routes/run-analysis.ts";
import { decisionSentence, decisionView } from "../../src/web/routes/run-decision.ts";
import { cyclesCsv, fillsCsv } from "../../src/web/routes/run-export.ts";
import {
  CYCLE_SORTS,
  panelText,
  RUN_TABS,
  readPanel,
  readWindow,
  windowText,
} from "../../src/web/routes/run-query.ts";
import { settingGroups } from "../../src/web/routes/run-settings.ts";
import { cyclePage, fillPage, ROWS_PER_PAGE, sortCycles } from "../../src/web/routes/run-table.ts";
import { boundsOf, priceDecimalsOf, resultWarnings } from "../../src/web/routes/run-view.ts";
import { aRun, someMetrics } from "../support/runs.ts";

type CycleRow = RunRecord["cycles"][number];
type FillRow = RunRecord["fills"][number];

function aCycle(cycle: number, changes: Partial<CycleRow> = {}): CycleRow {
  return {
    cycle,
    position_side: "LONG",
    opened_at: cycle * 1000,
    closed_at: cycle * 1000 + 500,
    entries: 1,
    qty: 1,
    avg_entry: 100,
    exit_price: 101,
    exit_reason: "TP_PCT",
    net: 1,
    fees: 0.1,
    funding: 0,
    mae: -0.01,
    mfe: 0.02,
    ...changes,
  };
}

function aFill(t: number, cycle: number): FillRow {
  return {
    t,
    bar_open_at: t,
    side: "BUY",
    position_side: "LONG",
    price: 100,
    qty: 1,
    fee: 1e-7,
    liquidity: "maker",
    reason: "ENTRY",
    cycle,
  };
}

function storedRun(changes: Partial<Run> = {}): Run {
  return {
    ...aRun,
    id: 7 as RunId,
    status: "finished",
    error: null,
    createdBy: null,
    createdAt: 0,
    finishedAt: 1,
    isShortlisted: false,
    note: null,
    metrics: someMetrics,
    candlesFingerprint: "c".repeat(64),
    fillsSha256: "f".repeat(64),
    details: null,
    artifact: null,
    ...changes,
  };
}

// --- the address ---

test("what an address says about the panel is read back as it was", () => {
  const panel = fc.record({
    tab: fc.constantFrom(...RUN_TABS),
    page: fc.integer({ min: 1, max: 9999 }),
    sort: fc.constantFrom(...CYCLE_SORTS),
    direction: fc.constantFrom("asc" as const, "desc" as const),
    cycle: fc.option(fc.integer({ min: 1, max: 99_999 })),
    at: fc.option(fc.integer({ min: 1e12, max: 2e12 })),
  });
  fc.assert(
    fc.property(panel, (drawn) => {
      const text = panelText({ ...drawn, refused: null });
      const read = readPanel(Object.fromEntries(new URLSearchParams(text)));
      expect(panelText(read)).toBe(text);
      expect(read.tab).toBe(drawn.tab);
      if (drawn.tab === "cycles") {
        expect([read.sort, read.direction, read.page]).toEqual([
          drawn.sort,
          drawn.direction,
          drawn.page,
        ]);
      }
      if (drawn.tab === "decision" || drawn.tab === "fills") expect(read.at).toBe(drawn.at);
    }),
  );
});

test("a window survives its address to the millisecond, and the whole run needs none", () => {
  for (const from of [1_704_067_200_000, 1_704_067_215_000, 1_704_067_215_123]) {
    const window = { from, to: from + 60_000 };
    const asked = Object.fromEntries(new URLSearchParams(windowText(window)));
    expect(readWindow(asked)).toEqual(window);
  }
  expect([windowText(null), readWindow({})]).toEqual(["", null]);
});

// --- tables ---

test("sorted cycles are the same cycles, in order, those without a value last, ties by number", () => {
  const cycles = fc.array(
    fc.record({
      net: fc.integer({ min: -3, max: 3 }),
      closed_at: fc.option(fc.integer({ min: 1, max: 9 })),
      exit_price: fc.option(fc.integer({ min: 1, max: 9 })),
    }),
    { maxLength: 40 },
  );
  fc.assert(
    fc.property(cycles, fc.constantFrom("asc" as const, "desc" as const), (drawn, direction) => {
      const rows = drawn.map((changes, i) => aCycle(i + 1, changes));
      const sorted = sortCycles(rows, "exit", direction);
      expect([...sorted].sort((a, b) => a.cycle - b.cycle)).toEqual(rows);
      sorted.forEach((row, i) => {
        const next = sorted[i + 1];
        if (!next || next.exit_price === null) return;
        if (row.exit_price === null) throw new Error("a value stands behind one without");
        const step = next.exit_price - row.exit_price;
        if (step === 0) expect(next.cycle).toBeGreaterThan(row.cycle);
        else expect(Math.sign(step)).toBe(direction === "asc" ? 1 : -1);
      });
    }),
  );
});

test("a marked row is on the page that is shown, whatever page was asked for", () => {
  const cycles = Array.from({ length: 130 }, (_, i) => aCycle(i + 1, { net: -i }));
  const asked = readPanel({ tab: "cycles", cycle: "3", page: "1", sort: "net", dir: "asc" });
  const found = cyclePage(cycles, asked);
  expect([found.page, found.rows[found.found]?.cycle]).toEqual([3, 3]);
  const fills = Array.from({ length: 120 }, (_, i) => aFill(i * 1000, i));
  const fill = fillPage(fills, readPanel({ tab: "fills", at: "1970-01-01T00:01:15Z" }));
  expect([fill.page, fill.rows[fill.found]?.t]).toEqual([2, 75_000]);
  const none = fillPage(fills, readPanel({ tab: "fills", at: "1970-01-01T00:01:15.5Z" }));
  expect([none.page, none.found, none.rows.length]).toEqual([1, -1, ROWS_PER_PAGE]);
});

// --- the decision ---

const NO = { bollinger: false, macd: false, rsi: false, trend: true, signal: false, gate: true };

function aDecision(decision: Decision, changes: Partial<DecisionRecord> = {}): DecisionRecord {
  const record = { openAt: 0, close: 100, decision, ready: true, long: NO, short: NO, values: {} };
  return { ...record, ...changes };
}

const LONG_ONLY = parseConfig({});
const BOTH = parseConfig({ general: { allow_short: true } });

const SENTENCES: readonly (readonly [DecisionRecord, typeof BOTH, string])[] = [
  [
    aDecision("trend", { long: { ...NO, macd: true, trend: false } }),
    LONG_ONLY,
    "No entry: 1 of 3 votes; trend filter refuses long",
  ],
  [
    aDecision("ma_gate", { long: { ...NO, macd: true, rsi: true, gate: false } }),
    LONG_ONLY,
    "No entry: 2 of 3 votes; moving average gate refuses long",
  ],
  [
    aDecision("no_signal", { short: { ...NO, rsi: true, trend: false } }),
    BOTH,
    "No entry: long: 0 of 3 votes · short: 1 of 3 votes; trend filter refuses short",
  ],
  [
    aDecision("no_signal"),
    parseConfig({ general: { use_indicator_consensus: false } }),
    "No entry: the Bollinger vote is missing",
  ],
  [
    aDecision("entry_short", { short: { ...NO, macd: true, rsi: true } }),
    BOTH,
    "Entry short decided: 2 of 3 votes",
  ],
  [
    aDecision("cooldown"),
    LONG_ONLY,
    "No entry: less than the cooldown of 10 minutes after the last fill",
  ],
];

for (const [record, config, sentence] of SENTENCES) {
  test(`the decision ${record.decision} reads: ${sentence}`, () => {
    expect(decisionSentence(record, config)).toBe(sentence);
  });
}

test("every decision of the strategy has a sentence of its own", () => {
  const sentences = DECISIONS.map((decision) => decisionSentence(aDecision(decision), BOTH));
  expect(sentences.every((sentence) => sentence.length > 10)).toBe(true);
  // Trend, signal and gate read alike when the record names no refusal; all others differ.
  expect(new Set(sentences).size).toBe(DECISIONS.length - 2);
});

test("only directions that may be entered are judged, and a filter that is off says so", () => {
  const config = parseConfig({ trend: { enabled: false } });
  const view = decisionView(aDecision("no_signal"), config);
  expect(view.sides).toEqual(["long"]);
  const trend = view.rows.find(({ name }) => name === "trend");
  expect([trend?.rule, trend?.values.length]).toEqual(["switched off", 0]);
});

// --- settings ---

test("settings are marked exactly where they differ from the defaults, in the order people know", () => {
  const config = parseConfig({ exits: { sl_pct: 2 }, rsi: { length: 21 } });
  // Stored JSON keeps no order.
  const shuffled = Object.fromEntries(Object.entries(config).reverse());
  const runSettings = { to: 3, from: 2, leverage: 4, timeframe_min: 5, with_funding: true };
  const [strategy, run] = settingGroups(storedRun({ config: shuffled, runSettings }));
  const changed = strategy?.rows.filter(({ isChanged }) => isChanged).map(({ path }) => path);
  expect(changed).toEqual(["exits.sl_pct", "rsi.length"]);
  expect(JSON.parse(strategy?.text ?? "")).toEqual(config);
  expect(Object.keys(JSON.parse(strategy?.text ?? ""))).toEqual(Object.keys(config));
  expect(run?.rows.map(({ path }) => path)).toEqual(["timeframe_min", "from", "to", "leverage"]);
  expect(run?.rows.filter(({ isChanged }) => isChanged).map(({ path }) => path)).toEqual([
    "leverage",
  ]);
});

// --- analysis ---

test("months stand in their year's row, and the total compounds them", () => {
  const rows = monthRows([
    { year: 2023, month: 12, return: 0.1 },
    { year: 2024, month: 1, return: 0.5 },
    { year: 2024, month: 2, return: -0.5 },
  ]);
  expect(rows.map(({ year }) => year)).toEqual([2023, 2024]);
  expect(rows[0]?.months[11]).toEqual({ fraction: 0.1, heat: 5 });
  expect(rows[1]?.months[2]).toBeNull();
  expect(rows[1]?.total.fraction).toBeCloseTo(-0.25, 12);
  expect([0, 0.001, 0.05, 3, -0.04].map(heatStep)).toEqual([0, 1, 3, 5, -2]);
});

test("exits, sides and depths count every cycle once", () => {
  const cycles = [
    aCycle(1),
    aCycle(2, { exit_reason: "SL_PCT", net: -3, position_side: "SHORT" }),
    aCycle(3, { net: 2 }),
    aCycle(4, { exit_reason: "END_OF_DATA", closed_at: null, exit_price: null }),
  ];
  expect(exitRows(cycles)).toEqual([
    { reason: "TP_PCT", cycles: 2, wins: 2, net: 3 },
    { reason: "END_OF_DATA", cycles: 1, wins: 1, net: 1 },
    { reason: "SL_PCT", cycles: 1, wins: 0, net: -3 },
  ]);
  const [all, long, short] = splitRows(cycles);
  expect([all?.cycles, all?.net, all?.winRate, all?.profitFactor]).toEqual([3, 0, 2 / 3, 1]);
  expect([long?.cycles, long?.noLosses, long?.profitFactor]).toEqual([2, true, null]);
  expect([short?.winRate, short?.averageNet]).toEqual([0, -3]);
  expect(depthRows({ "0": 4, "2": 2 })).toEqual([
    { depth: 0, cycles: 4, share: 1 },
    { depth: 1, cycles: 0, share: 0 },
    { depth: 2, cycles: 2, share: 0.5 },
  ]);
});

test("every closed cycle is in exactly one dot of the scatter, and all dots lie inside", () => {
  const excursion = fc.record({
    mae: fc.double({ min: -1, max: 0, noNaN: true }),
    mfe: fc.double({ min: 0, max: 1, noNaN: true }),
    net: fc.integer({ min: -2, max: 2 }),
  });
  fc.assert(
    fc.property(fc.array(excursion, { minLength: 2, maxLength: 60 }), (drawn) => {
      const found = excursionDots(drawn.map((changes, i) => aCycle(i + 1, changes)));
      if (!found) return;
      expect(found.dots.reduce((sum, { cycles }) => sum + cycles, 0)).toBe(drawn.length);
      for (const { x, y } of found.dots) {
        expect(x >= 0 && x <= found.width && y >= 0 && y <= found.height).toBe(true);
      }
    }),
  );
  expect(excursionDots([aCycle(1)])).toBeNull();
});

// --- head, notes, files ---

test("prices have the decimals of the tick", () => {
  const ticks: readonly (readonly [number, number])[] = [
    [0.1, 1],
    [0.05, 2],
    [1, 0],
    [5, 0],
    [1e-7, 7],
    [2.5e-8, 9],
  ];
  for (const [tick, decimals] of ticks) {
    const found = priceDecimalsOf({ instrument: { price_tick: tick } });
    expect([tick, found]).toEqual([tick, decimals]);
  }
  expect(priceDecimalsOf({ instrument: null })).toBe(2);
});

test("a reader is told what weakens a result, and neither fill model is called safe", () => {
  const details = {
    warmup: { wanted_from: 0, bars: 12, short: true, first_ready_at: null },
    warnings: ["exits: nothing ever closes a position"],
    other_fill_model: {
      fill_model: "pessimistic",
      net_profit: 200,
      net_return: 0.2,
      max_drawdown: 0.01,
    },
  };
  const run = storedRun({ details, runSettings: { fill_model: "path" } });
  const metrics = { ...someMetrics, cycles: 1, liquidated: true };
  const told = resultWarnings(run, metrics).join(" ");
  for (const part of ["liquidated", "12 candles", "1 closed cycle:", "still open", "Exits:"]) {
    expect(told).toContain(part);
  }
  const calm = storedRun({ details: { ...details, warnings: [], warmup: { short: false } } });
  const many = { ...someMetrics, cycles: 30, open_cycles: 0 };
  expect(resultWarnings(calm, many)).toEqual([]);
  const bounds = boundsOf(run, metrics);
  expect(bounds.map(({ model, isShown }) => [model, isShown])).toEqual([
    ["path", true],
    ["pessimistic", false],
  ]);
});

test("files hold plain decimals and ISO times, an open cycle no closing time", () => {
  const record = { fills: [aFill(0, 1)], cycles: [aCycle(1, { closed_at: null, mae: -1e-9 })] };
  const kept = { ...record, equity: { at: [], value: [], drawdown: [] }, months: [] };
  expect(fillsCsv(kept).split("\r\n")[1]).toBe(
    "1970-01-01T00:00:00Z,BUY,LONG,100,1,0.0000001,maker,ENTRY,1",
  );
  expect(cyclesCsv(kept).split("\r\n")[1]).toBe(
    "1,LONG,1970-01-01T00:00:01Z,,1,1,100,101,TP_PCT,1,0.1,0,-0.000000001,0.02",
  );
});
