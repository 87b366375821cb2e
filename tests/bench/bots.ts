// Fifty live bots in one process, five accounts of ten markets, at the pace of the product and in real time, with
// the exchange in a process of its own: what they cost while they trade, how long a position has no stop while the
// exchange misbehaves, and what is written while nothing happens. Run by tests/bench/run.ts; `--quick` is shorter,
// `--idle` and `--trading` are half of it.
import { loadavg } from "node:os";
import { demoConfig } from "../../src/strategy/dca-atr/demo-config.ts";
import type { Json } from "../../src/ports/settings-store.ts";
import { openWorld, type World, type WorldOptions } from "../kill/kill-world.ts";
import { percentile } from "../kill/kill-report.ts";
import type { ChildProgram } from "../support/child-program.ts";
import { type BenchRow, benchTable } from "./bench-row.ts";

const IS_QUICK = process.argv.includes("--quick");
const ACCOUNTS = 5;
const BOTS_PER_ACCOUNT = 10;
const TRADING_MS = IS_QUICK ? 60_000 : 180_000;
const FAULTY_MS = IS_QUICK ? 60_000 : 120_000;
const IDLE_MS = IS_QUICK ? 40_000 : 120_000;
/** Nothing that is done once per bot is left: exchanges take ten settings of leverage a minute. */
const IDLE_SETTLE_MS = 45_000;
const WAL_MB_A_DAY_MAX = 200;
/** Every bot is warm and has its first orders behind it. */
const SETTLE_MS = 25_000;
const SAMPLE_MS = 5000;
const TICK_MS = 3000;
const FIRST_TICK_MS = 60_000;
const ANSWER_MS = 20_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const FAULTS: readonly (readonly [name: string, rest: object])[] = [
  ["accept_then_drop", { chance: 0.05 }],
  ["rate_429", { chance: 0.02 }],
  ["visibility_delay", { chance: 0.1, params: { ms: 1000 } }],
  ["partial_fill", { chance: 0.5, params: { parts: [0.4, 0.6], ms: 700 } }],
];

type Usage = { readonly cpuMs: number; readonly rssMb: number };

async function usageOf(program: ChildProgram): Promise<Usage> {
  program.tell({ tell: "usage" });
  const { cpu, rss } = (await program.next("usage", ANSWER_MS)) as unknown as {
    cpu: NodeJS.CpuUsage;
    rss: number;
  };
  return { cpuMs: (cpu.user + cpu.system) / 1000, rssMb: rss / 1e6 };
}

/** Longest time between two ticks of a bot, from the lateness that bots show of themselves. */
async function longestGapMs({ database: { sql } }: World): Promise<number> {
  const rows = await sql<{ beats: number[] }[]>`
    select body -> 'heartbeats' as beats from snapshots where bot_id is not null`;
  return TICK_MS + Math.max(0, ...rows.flatMap(({ beats }) => beats));
}

async function tradesOf(world: World): Promise<number> {
  let sum = 0;
  for (let n = 0; n < ACCOUNTS; n++) sum += (await world.facts(n)).trades;
  return sum;
}

async function withBots<T>(
  change: Pick<WorldOptions, "seed" | "volatilityPpm"> & { readonly strategy?: Json },
  use: (world: World, program: ChildProgram) => Promise<T>,
): Promise<T> {
  const shape = { speed: 1, accounts: ACCOUNTS, botsPerAccount: BOTS_PER_ACCOUNT };
  const world = await openWorld({ ...shape, ...change });
  try {
    const program = world.startLive();
    await program.next("tick", FIRST_TICK_MS);
    await Bun.sleep(SETTLE_MS);
    return await use(world, program);
  } finally {
    await world.close();
  }
}

/** Warm bots whose bands and momentum never agree with anything. */
function idleStrategy(): Json {
  const { bbands, rsi, ...config } = demoConfig();
  const idle = {
    ...config,
    bbands: { ...bbands, dev_up: 100, dev_down: 100 },
    rsi: { ...rsi, buy_level: 0, sell_level: 100 },
  };
  return idle as unknown as Json;
}

async function writtenSoFar({ database: { sql } }: World) {
  const [row] = await sql<{ transactions: number; bytes: number }[]>`
    select pg_snapshot_xmax(pg_current_snapshot())::text::bigint as transactions,
      pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint as bytes`;
  if (!row) throw new Error("the database did not say what was written");
  return row;
}

async function idleFigures(): Promise<readonly BenchRow[]> {
  const change = { seed: 61, volatilityPpm: 500, strategy: idleStrategy() };
  return withBots(change, async (world, program) => {
    await Bun.sleep(IDLE_SETTLE_MS);
    const before = await writtenSoFar(world);
    const used = await usageOf(program);
    await Bun.sleep(IDLE_MS);
    const after = await writtenSoFar(world);
    const usage = await usageOf(program);
    const share = ((usage.cpuMs - used.cpuMs) / IDLE_MS) * 100;
    const perS = (after.transactions - before.transactions) / (IDLE_MS / 1000);
    const walMb = (((after.bytes - before.bytes) / IDLE_MS) * HOUR_MS) / 1e6;
    return [
      { name: "idle, writing transactions", value: perS, unit: "1/s", must: 0.5 },
      {
        name: "idle, WAL",
        value: walMb,
        unit: "MB/h",
        must: WAL_MB_A_DAY_MAX / 24,
        note: `${(walMb * 24).toFixed(0)} MB a day`,
      },
      { name: "idle, share of a core", value: share, unit: "%" },
    ];
  });
}

async function tradingFigures(): Promise<readonly BenchRow[]> {
  return withBots({ seed: 62, volatilityPpm: 2500 }, async (world, program) => {
    const trades = await tradesOf(world);
    const used = await usageOf(program);
    await world.uncovered(true);
    let rssMb = 0;
    let gapMs = 0;
    const endMs = performance.now() + TRADING_MS;
    while (performance.now() < endMs) {
      await Bun.sleep(SAMPLE_MS);
      rssMb = Math.max(rssMb, (await usageOf(program)).rssMb);
      gapMs = Math.max(gapMs, await longestGapMs(world));
    }
    const usage = await usageOf(program);
    const share = ((usage.cpuMs - used.cpuMs) / TRADING_MS) * 100;
    const fills = (((await tradesOf(world)) - trades) / TRADING_MS) * MINUTE_MS;
    const calm = await world.uncovered(true);
    for (const [name, rest] of FAULTS) await world.fault(name, rest);
    await Bun.sleep(FAULTY_MS);
    const faulty = await world.uncovered();
    const note = `load ${loadavg()
      .map((load) => load.toFixed(1))
      .join(" ")}`;
    return [
      { name: "resident memory", value: rssMb, unit: "MB", must: 250, note },
      { name: "share of a core", value: share, unit: "%", must: 30, note },
      { name: "longest gap between risk checks", value: gapMs, unit: "ms", must: 10_000 },
      { name: "time per fill", value: MINUTE_MS / fills, unit: "ms", must: MINUTE_MS / 10 },
      uncoveredRow("position without stop, p99", calm),
      { ...uncoveredRow("the same with faults on, p99", faulty), must: 5000 },
    ];
  });
}

function uncoveredRow(name: string, spans: readonly number[]): BenchRow {
  const note = `${spans.length} spans, p50 ${Math.round(percentile(spans, 0.5))} ms`;
  return { name, value: percentile(spans, 0.99), unit: "ms", note };
}

/** What fifty bots cost. */
export async function benchBots(): Promise<readonly BenchRow[]> {
  const isHalf = (half: string) => process.argv.includes(half);
  const idle = isHalf("--trading") ? [] : await idleFigures();
  return [...idle, ...(isHalf("--idle") ? [] : await tradingFigures())];
}

if (import.meta.main) for (const line of benchTable(await benchBots())) console.log(line);
