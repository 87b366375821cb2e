// The reference backtest: slow, readable, written from the numbered rules alone. Tests call
// runOracle and compare it fill by fill with the production engine; it imports nothing from src/.

import { createHash } from "node:crypto";
import { decideEntry, reviewPendingEntry } from "./decide.ts";
import { metricsOf, type Sample } from "./metrics.ts";
import { manageAtClose } from "./rules.ts";
import {
  intervalsInUse,
  readSettings,
  type Settings,
  gateInterval,
} from "./settings.ts";
import { isComplete, snapshotsOf } from "./signals.ts";
import { createSim, cycleOf, equityAt, type Sim, unrealised } from "./sim.ts";
import type { Bar, Candles, Fill, Funding, Result } from "./types.ts";
import { walkBar } from "./walk.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** Everything a backtest reads; config, instrument and run may be partial documents. */
export type OracleInput = {
  candles: Candles;
  funding?: Funding | undefined;
  config: object;
  instrument: object;
  run: object;
};

/** Runs one backtest; throws a sentence when the input is refused (E65). */
export function runOracle(input: OracleInput): Result {
  const settings = readSettings(input.config, input.instrument, input.run);
  const { from, to } = settings.run;
  const all = barsOf(input.candles);
  const wantedFrom = historyStart(settings);
  const fed = all.filter((bar) => bar.t >= wantedFrom && bar.t < to); // E11
  if (!fed.some((bar) => bar.t >= from))
    throw new Error("run.from..run.to holds no candles"); // E65
  const first = all[0];
  const warmup: Result["warmup"] = {
    wanted_from: wantedFrom,
    bars: fed.filter((bar) => bar.t < from).length,
    short: first !== undefined && first.t > wantedFrom,
    first_ready_at: null,
  };
  const trade = tradeWindow(fed, settings, input.funding, warmup);
  return resultOf(settings, warmup, trade);
}

function barsOf({ t, o, h, l, c }: Candles): Bar[] {
  const at = (column: number[], i: number): number => {
    const value = column[i];
    if (value === undefined)
      throw new Error(`candle columns differ in length at row ${i}`);
    return value;
  };
  return t.map((time, i) => ({
    t: time,
    o: at(o, i),
    h: at(h, i),
    l: at(l, i),
    c: at(c, i),
  }));
}

// Where the fed history starts (E11).
function historyStart({ config, run }: Settings): number {
  const { general, exits, trend, bbands, macd, rsi } = config;
  const factor = (type: "Sma" | "Ema"): number => (type === "Sma" ? 1 : 4);
  const minutes = [
    trend.enabled
      ? trend.ma_len * trend.ma_interval_min * factor(trend.ma_type)
      : 0, // E61
    bbands.length * bbands.interval_min * factor(bbands.ma_type),
    (macd.slow + macd.signal) * macd.interval_min * 4,
    (rsi.length + 1) * rsi.interval_min * 8,
    (exits.atr_period + 1) * run.timeframe_min * 8,
    general.use_ma_direction
      ? general.ma_length * gateInterval(config, run) * factor(general.ma_type)
      : 0,
  ];
  const needed = Math.max(...minutes) + run.timeframe_min;
  const day = Math.floor((run.from - needed * MINUTE_MS) / DAY_MS);
  const weekly = intervalsInUse(config, run).some(
    (interval) => interval > 1440,
  );
  const monday = day - ((((day - 4) % 7) + 7) % 7); // day 4 of the epoch is a Monday
  return (weekly ? monday : day) * DAY_MS;
}

type Trade = {
  sim: Sim;
  samples: Sample[];
  traded: Bar[];
  exposedBars: number;
};

function tradeWindow(
  fed: Bar[],
  settings: Settings,
  funding: Funding | undefined,
  warmup: Result["warmup"],
): Trade {
  const { run, config, barMs } = settings;
  const snapshots = snapshotsOf(fed, settings);
  const stamps = (funding?.t ?? []).map((t, i) => ({
    t,
    rate: funding?.rate[i] ?? 0,
  }));
  const sim = createSim(settings);
  const trade: Trade = { sim, samples: [], traded: [], exposedBars: 0 };
  for (const [i, bar] of fed.entries()) {
    const snapshot = snapshots[i];
    if (snapshot === undefined) throw new Error("a fed bar has no snapshot");
    if (bar.t >= run.from) {
      const due = stamps.filter(
        (stamp) => stamp.t >= bar.t && stamp.t < bar.t + barMs,
      ); // E54
      walkBar(
        sim,
        bar,
        due.map((stamp) => stamp.rate),
      );
      trade.traded.push(bar);
      if (sim.exposed) trade.exposedBars += 1; // E60
    }
    if (!sim.ruined) {
      if (warmup.first_ready_at === null && isComplete(snapshot, config)) {
        warmup.first_ready_at = bar.t; // E11
      }
      sim.atr = snapshot.atr; // E10
      const isLast = i === fed.length - 1;
      if (bar.t >= run.from) closeBar(sim, bar, snapshot, isLast);
    }
    if (bar.t >= run.from) {
      trade.samples.push({ t: bar.t + barMs, equity: equityAt(sim, bar.c) }); // E57
    }
    if (sim.ruined) break; // E53
  }
  return trade;
}

function closeBar(
  sim: Sim,
  bar: Bar,
  snapshot: Parameters<typeof decideEntry>[1],
  isLast: boolean,
): void {
  sim.now = bar.t + sim.settings.barMs;
  sim.path = bar.c;
  if (sim.position !== null) {
    manageAtClose(sim, snapshot);
    return;
  }
  reviewPendingEntry(sim, snapshot); // E18, E19
  if (sim.entry === null && !isLast) decideEntry(sim, snapshot); // E12
}

function resultOf(
  settings: Settings,
  warmup: Result["warmup"],
  trade: Trade,
): Result {
  const { sim, samples, traded } = trade;
  const last = traded.at(-1);
  const first = traded[0];
  if (last === undefined || first === undefined)
    throw new Error("no bar was traded");
  const cycles = [...sim.cycles];
  if (sim.position !== null) {
    const pnl = unrealised(sim, last.c);
    cycles.push(cycleOf(sim.position, null, null, "END_OF_DATA", pnl)); // E56
  }
  const equityEnd = equityAt(sim, last.c);
  return {
    engine: "oracle/1",
    candles: {
      count: traded.length,
      from: first.t,
      to: last.t + settings.barMs,
    },
    warmup,
    metrics: metricsOf({
      settings,
      samples,
      cycles,
      fills: sim.fills,
      firstOpenAt: first.t,
      exposedBars: trade.exposedBars,
      funding: sim.ledger.funding,
      slippageCost: sim.slippageCost,
      maxNotional: sim.maxNotional,
      liquidated: sim.ruined,
    }),
    rejections: sim.rejections,
    ledger: {
      realised: sim.ledger.realised,
      fees: -sim.ledger.feeCost,
      funding: sim.ledger.funding,
      writeoff: sim.ledger.writeoff,
    },
    fills_count: sim.fills.length,
    fills_sha256: fillsHash(sim.fills, settings),
    fills: sim.fills,
    cycles,
    equity_end: equityEnd,
    decisions: sim.decisions,
  };
}

// SHA-256 in hex of one line per fill, as the result format defines it.
function fillsHash(fills: Fill[], { tick, step }: Settings): string {
  const lines = fills.map((fill) =>
    [
      fill.t,
      fill.side,
      fill.position_side,
      fill.price.toFixed(tick.decimals),
      fill.qty.toFixed(step.decimals),
      fill.liquidity,
      fill.reason,
      fill.cycle,
    ].join("|"),
  );
  return createHash("sha256").update(lines.join("\n")).digest("hex");
}
