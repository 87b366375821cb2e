// Kills the trading program again and again in the middle of its work and then asks the exchange and the rows
// whether anything was doubled, lost or left unguarded. Used by kills.test.ts and by `npm run kills`.
import { createPrng } from "../../src/engine/prng.ts";
import type { ChildProgram } from "../support/child-program.ts";
import { comesToRest, type Commits, openWorld, watchCommits, type World } from "./kill-world.ts";

/** What a run of kills came to; durations in real ms. */
export type KillReport = {
  readonly lives: number;
  /** Lives that ended with an order written down and its answer not. */
  readonly inFlight: number;
  /** Lives that were meant to. */
  readonly aimed: number;
  /** Start of the process to its first tick on compared books; lives that were killed before have none. */
  readonly recoveryMs: readonly number[];
  readonly ambiguous: number;
  readonly abandoned: number;
  readonly fills: number;
  readonly accepted: number;
  /** Positions without enough stop while a program traded. */
  readonly uncoveredMs: readonly number[];
  /** What is wrong, one sentence each. */
  readonly violations: readonly string[];
};

const SPEED = 6;
const BOTS = 8;
const VOLATILITY_PPM = 3000;
/** Lives of ten that are aimed at an order on its way. */
const AIMED_OF_TEN = 8;
/** A life that has nothing to send is not waited for longer. */
const PATIENCE_MS = 6000;
/** From the commit of an order to the kill. */
const FLIGHT_MS = 12;
/** Replies of the exchange are late by up to this, so that both sides of its decision are hit. */
const REPLY_MS = 15;
/** A life trades up to so long before it is aimed at. */
const UNDISTURBED_MS = 5000;
/** Kills at any moment come so long after the start of the process. */
const ANY_MOMENT_MS = 2500;
const FIRST_TICK_MS = 60_000;
const FIRST_TRADES = 8;
const FIRST_TRADES_MS = 90_000;
const SETTLE_MS = 90_000;
/** Armed for every third life. */
const FAULTS: readonly (readonly [name: string, rest: object])[] = [
  ["accept_then_drop", { chance: 0.1 }],
  ["rate_429", { chance: 0.05 }],
  ["visibility_delay", { chance: 0.2, params: { ms: 1500 } }],
  ["partial_fill", { chance: 0.5, params: { parts: [0.4, 0.6], ms: 700 } }],
];

type Tally = {
  inFlight: number;
  aimed: number;
  readonly recoveryMs: number[];
  readonly uncoveredMs: number[];
};

/** Runs `lives` programs on one account, kills each, and judges what is left. */
export async function runKills(lives: number, seed: number): Promise<KillReport> {
  const world = await openWorld({
    ...{ seed, speed: SPEED, accounts: 1, botsPerAccount: BOTS, volatilityPpm: VOLATILITY_PPM },
  });
  try {
    const random = createPrng(seed).unit;
    const commits = await watchCommits(world);
    const tally: Tally = { inFlight: 0, aimed: 0, recoveryMs: [], uncoveredMs: [] };
    for (let life = 0; life < lives; life++) {
      const isFaulty = life % 3 === 2;
      await world.fault("jitter", { params: { ms: REPLY_MS } });
      if (isFaulty) for (const [name, rest] of FAULTS) await world.fault(name, rest);
      if (life === 0) await tradesFirst(world);
      await liveAndDie(world, commits, tally, random);
      await world.clearFaults();
    }
    const violations = await endsWell(world);
    return { lives, ...tally, ...(await countsOf(world)), violations };
  } finally {
    await world.close();
  }
}

/** Positions and resting orders for the lives to come; this one is killed as well, and not counted. */
async function tradesFirst(world: World): Promise<void> {
  const program = world.startLive();
  await world.until("there is something to lose", FIRST_TRADES_MS, async () => {
    const { trades, openLegs } = await world.facts();
    return trades >= FIRST_TRADES && openLegs > 1;
  });
  program.signal("SIGKILL");
  await program.ended;
}

/** One life, from its start to SIGKILL. */
async function liveAndDie(
  world: World,
  commits: Commits,
  tally: Tally,
  random: () => number,
): Promise<void> {
  const isAimed = random() * 10 < AIMED_OF_TEN;
  const before = await sendingIds(world);
  const beganMs = performance.now();
  const program = world.startLive();
  if (isAimed) {
    await untilTrading(program);
    tally.recoveryMs.push(performance.now() - beganMs);
    await world.uncovered(true);
    tally.aimed += 1;
    await Bun.sleep(random() * UNDISTURBED_MS);
    await commits.next(PATIENCE_MS);
    await Bun.sleep(random() * FLIGHT_MS);
  } else await Bun.sleep(random() * ANY_MOMENT_MS);
  program.signal("SIGKILL");
  await program.ended;
  if (isAimed) tally.uncoveredMs.push(...(await world.uncovered()));
  // An earlier life's order may still be written down as being sent.
  if ([...(await sendingIds(world))].some((id) => !before.has(id))) tally.inFlight += 1;
}

/** The first look at prices is what follows a complete comparison. */
async function untilTrading(program: ChildProgram): Promise<void> {
  await program.next("tick", FIRST_TICK_MS);
}

async function sendingIds({ database: { sql } }: World): Promise<ReadonlySet<number>> {
  const rows = await sql<{ id: number }[]>`select id from order_intents where status = 'sending'`;
  return new Set(rows.map(({ id }) => id));
}

/** A last life settles everything, closes everything and stops; then both books are compared. */
async function endsWell(world: World): Promise<string[]> {
  const { bots, scope, accountIds } = world;
  const [accountId] = accountIds;
  if (accountId === undefined) throw new Error("there is no account");
  const program = world.startLive();
  await untilTrading(program);
  const violations: string[] = [];
  await comesToRest(world, SETTLE_MS).catch((error: unknown) => violations.push(String(error)));
  await world.stopLive(program);
  violations.push(...(await world.differences()));
  const { twice } = await world.facts();
  violations.push(...twice.map((id) => `two orders were accepted under ${id}`));
  const rows = await bots.list(scope, accountId);
  for (const { id, status, lastError } of rows) {
    if (status !== "paused") violations.push(`bot ${id} is ${status}: ${lastError}`);
  }
  for (const { at, sentence } of await strangers(world)) violations.push(`${at} ${sentence}`);
  return violations;
}

/** Nobody but the bots traded: whatever was booked as a stranger's was ours. */
async function strangers({ database: { sql } }: World) {
  return sql<{ at: number; sentence: string }[]>`
    select at, trade_id || ' of ' || symbol || ' has no owner' as sentence
    from fills where intent_id is null`;
}

async function countsOf(world: World) {
  const { sql } = world.database;
  const [row] = await sql<{ ambiguous: number; abandoned: number }[]>`
    select count(*) filter (where kind = 'order_unverified') as ambiguous,
      count(*) filter (where kind = 'order_abandoned') as abandoned from events`;
  const { trades, accepted } = await world.facts();
  const { ambiguous = 0, abandoned = 0 } = row ?? {};
  return { ambiguous, abandoned, fills: trades, accepted: accepted.length };
}

/** The value below which a share of the numbers lies; NaN without any. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** The report in lines for a person. */
export function reportLines(report: KillReport): string[] {
  const { lives, inFlight, aimed, recoveryMs, uncoveredMs, violations } = report;
  const seconds = (values: readonly number[], share: number) =>
    `${(percentile(values, share) / 1000).toFixed(2)} s`;
  const times = (values: readonly number[]) =>
    `p50 ${seconds(values, 0.5)}, p95 ${seconds(values, 0.95)}, p99 ${seconds(values, 0.99)}`;
  return [
    `${lives} lives at ${SPEED} times real time, ${aimed} aimed at an order on its way`,
    `${inFlight} died with an order on its way (${Math.round((inFlight / lives) * 100)} %)`,
    `recovery to the first reconciled tick: ${times(recoveryMs)}`,
    `position without its stop: ${times(uncoveredMs)}, ${uncoveredMs.length} spans`,
    `${report.ambiguous} doubtful orders, ${report.abandoned} abandoned`,
    `${report.fills} fills, ${report.accepted} orders accepted`,
    ...violations.map((sentence) => `  ${sentence}`),
  ];
}
