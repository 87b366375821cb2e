// Kills the trading program again and again in the middle of its work and then asks the exchange and the rows
// whether anything was doubled, lost or left unguarded. Used by kills.test.ts and by `npm run kills`. When a life
// ends is decided by what the rows and the way to the exchange tell, not by the clock.
import { createPrng } from "../../src/engine/prng.ts";
import type { Caught } from "./exchange-door.ts";
import { countsOf, differing, settled, sumOfFacts } from "./kill-judgement.ts";
import { addUp, type KillReport, newTally, type StageReport, type Tally } from "./kill-report.ts";
import type { Mortal, OpenStage, Stage } from "./kill-stages.ts";
import { type Commits, watchCommits, type World } from "./kill-world.ts";

/** What is to be killed, and how often. */
export type KillWish = {
  readonly lives: number;
  readonly seed: number;
  readonly openStage: OpenStage;
};

/**
 * The instant a life ends: an order was written down; its request is on the way; the exchange answered it; or any
 * moment after the start.
 */
type Aim = (typeof ON_THE_WAY)[number] | "any";

/** Stages that are lived on at the same time, and lives of each before another one is worth its opening. */
const STAGES_MAX = 6;
const LIVES_OF_STAGE = 9;
/** One life of so many ends at any moment; the others are aimed at an order on its way. */
const ANY_OF_LIVES = 5;
const ON_THE_WAY = ["commit", "request", "answer"] as const;
/** A life that has nothing to send is not waited for longer. */
const PATIENCE_MS = 8000;
/** From the commit of an order to the kill. */
const FLIGHT_MS = 12;
/** Replies of the exchange are late by up to this, so that both sides of its decision are hit. */
const REPLY_MS = 15;
/** A request whose sender was killed reaches the exchange up to so much later, or never. */
const LATE_MS = 2500;
const NEVER_SHARE = 0.25;
/** A life trades up to so long before it is aimed at. */
const UNDISTURBED_MS = 1500;
/** Without an order of its own accord for so long, and then again and again, prices are jolted. */
const JOLT_EVERY_MS = 200;
const JOLT_SHARE_MAX = 0.025;
/** Kills at any moment come so long after the start of the process. */
const ANY_MOMENT_MS = 2500;
const FIRST_TICK_MS = 60_000;
const FIRST_LEGS = 3;
const FIRST_TRADES_MS = 120_000;
/** More starts in a minute of the exchange would be one question too many about the account. */
const STARTS_OF_MINUTE = 10;
const MINUTE_MS = 60_000;

const ORDERS = /^POST \/v3\/trade\/(order|algoOrder) /;
/** Asked in an account's first tick, which follows a complete comparison. */
const firstTickOf = ({ apiKey }: { readonly apiKey: string }) =>
  new RegExp(`^GET /v3/asset/balances [^]*x-api-key: ${apiKey}\\r`, "i");
/** Armed for every third life. */
const FAULTS: readonly (readonly [name: string, rest: object])[] = [
  ["accept_then_drop", { chance: 0.1 }],
  ["rate_429", { chance: 0.05, match: { endpoint: "POST trade/order" } }],
  ["rate_429", { chance: 0.05, match: { endpoint: "POST trade/algoOrder" } }],
  ["visibility_delay", { chance: 0.2, params: { ms: 1500 } }],
  ["partial_fill", { chance: 0.5, params: { parts: [0.4, 0.6], ms: 700 } }],
];

/** One stage with everything that is known of its lives. */
type Run = {
  readonly stage: Stage;
  readonly world: World;
  readonly commits: Commits;
  readonly random: () => number;
  readonly tally: Tally;
  /** Starts of programs, by the monotonic clock. */
  readonly startedMs: number[];
  /** What each contract cost at the beginning. */
  readonly prices: readonly number[];
  /** Requests of the dead that are still on their way. */
  readonly late: Promise<void>[];
};

/** Kills as often as asked, on several accounts and exchanges at once, and judges what is left. */
export async function runKills({ lives, seed, openStage }: KillWish): Promise<KillReport> {
  const stages = Math.min(STAGES_MAX, Math.ceil(lives / LIVES_OF_STAGE));
  const runs = Array.from({ length: stages }, (_, index) => {
    const share = Math.floor(lives / stages) + (index < lives % stages ? 1 : 0);
    return killOn(openStage, seed * STAGES_MAX + index, share);
  });
  // Every stage is closed before one that broke is told.
  const ended = await Promise.allSettled(runs);
  const broken = ended.find((one) => one.status === "rejected");
  if (broken) throw broken.reason;
  return addUp(ended.flatMap((one) => (one.status === "fulfilled" ? [one.value] : [])));
}

async function killOn(openStage: OpenStage, seed: number, lives: number): Promise<StageReport> {
  const stage = await openStage(seed);
  const { world } = stage;
  const random = createPrng(seed).unit;
  const anyAt = Math.floor(random() * ANY_OF_LIVES);
  try {
    const run: Run = {
      ...{ stage, world, random, startedMs: [], late: [] },
      commits: await watchCommits(world),
      ...{ tally: newTally(), prices: await pricesOf(world) },
    };
    await world.fault("jitter", { params: { ms: REPLY_MS } });
    await tradesFirst(run);
    for (let life = 0; life < lives; life++) {
      const isFaulty = life % 3 === 2;
      if (isFaulty) for (const [name, rest] of FAULTS) await world.fault(name, rest);
      await liveAndDie(run, life % ANY_OF_LIVES === anyAt ? "any" : aimOf(random));
      await world.clearFaults();
      await world.fault("jitter", { params: { ms: REPLY_MS } });
    }
    await world.clearFaults();
    await Promise.all(run.late);
    const { program } = await startTrading(run);
    const unsettled = await settled(world);
    await program.stop();
    const violations = [...unsettled, ...(await differing(world))];
    return { ...run.tally, ...(await countsOf(world)), lives, violations };
  } finally {
    await stage.close();
  }
}

/** Waits until the exchange can bear another start. */
async function untilBearable({ world, startedMs }: Run): Promise<void> {
  const earliestMs = (startedMs.at(-STARTS_OF_MINUTE) ?? -MINUTE_MS) + MINUTE_MS / world.speed;
  await Bun.sleep(Math.max(0, earliestMs - performance.now()));
  startedMs.push(performance.now());
}

/** Starts a program and waits for the first tick of every account. */
async function startTrading(run: Run): Promise<{ program: Mortal; recoveryMs: number }> {
  await untilBearable(run);
  const { door, world } = run.stage;
  const ticks = world.address.accounts.map((keys) =>
    door.next("passes", firstTickOf(keys), FIRST_TICK_MS),
  );
  const beganMs = performance.now();
  const program = run.stage.start();
  const ticked = await Promise.race([Promise.all(ticks), program.ended.then(() => [null])]);
  if (ticked.includes(null)) throw new Error(`a program does not trade: ${program.said()}`);
  return { program, recoveryMs: performance.now() - beganMs };
}

/** Positions and resting orders for the lives to come; this one is killed as well, and not counted. */
async function tradesFirst(run: Run): Promise<void> {
  const { world } = run;
  const { program } = await startTrading(run);
  await world.until("there is something to lose", FIRST_TRADES_MS, async () => {
    return (await sumOfFacts(world)).openLegs >= FIRST_LEGS;
  });
  await program.kill();
}

/** One life, from its start to SIGKILL. */
async function liveAndDie(run: Run, aim: Aim): Promise<void> {
  const { stage, world, random, tally } = run;
  const before = await sendingIds(world);
  if (aim === "any") {
    await untilBearable(run);
    const program = stage.start();
    await Bun.sleep(random() * ANY_MOMENT_MS);
    await program.kill();
  } else {
    const { program, recoveryMs } = await startTrading(run);
    tally.recoveryMs.push(recoveryMs);
    tally.aimed += 1;
    await world.uncovered(true);
    await Bun.sleep(random() * UNDISTURBED_MS);
    await strike(run, aim, program);
    tally.uncoveredMs.push(...(await world.uncovered()));
  }
  // An earlier life's order may still be written down as being sent.
  if ([...(await sendingIds(world))].some((id) => !before.has(id))) tally.inFlight += 1;
}

function aimOf(random: () => number): (typeof ON_THE_WAY)[number] {
  return ON_THE_WAY[Math.floor(random() * ON_THE_WAY.length)] ?? "commit";
}

/** Kills in the instant aimed at; without an order in time, then. */
async function strike(run: Run, aim: Exclude<Aim, "any">, program: Mortal): Promise<void> {
  const { stage, commits, random } = run;
  if (aim === "commit") {
    await jolted(run, commits.next(PATIENCE_MS));
    await Bun.sleep(random() * FLIGHT_MS);
    return program.kill();
  }
  const caught = await jolted(run, stage.door.next(aim, ORDERS, PATIENCE_MS));
  await program.kill();
  if (caught === null) return;
  if (aim === "answer" || random() < NEVER_SHARE) caught.lose();
  else run.late.push(arriveLate(run, caught));
}

/** A request that was on the way when its sender died is not gone. */
async function arriveLate({ world, random }: Run, caught: Caught): Promise<void> {
  await Bun.sleep((random() * LATE_MS) / world.speed);
  caught.release();
}

/** Waits; meanwhile prices go to where orders rest. */
async function jolted<Found>(run: Run, waiting: Promise<Found>): Promise<Found> {
  const { world, random, prices } = run;
  let isOver = false;
  const done = waiting.finally(() => {
    isOver = true;
  });
  for (;;) {
    await Promise.race([done, Bun.sleep(JOLT_EVERY_MS)]);
    if (isOver) return done;
    const market = Math.floor(random() * prices.length);
    await world.tradeAt(market, (prices[market] ?? 0) * (1 + (2 * random() - 1) * JOLT_SHARE_MAX));
  }
}

async function pricesOf(world: World): Promise<readonly number[]> {
  const prices: number[] = [];
  for (const market of world.made.keys()) {
    const price = await world.price(market);
    if (price === null) throw new Error("the exchange tells no price");
    prices.push(price);
  }
  return prices;
}

async function sendingIds({ database: { sql } }: World): Promise<ReadonlySet<number>> {
  const rows = await sql<{ id: number }[]>`select id from order_intents where status = 'sending'`;
  return new Set(rows.map(({ id }) => id));
}
