// One simulation: the exchange, the database, the workers and what the schedule does to them, until
// everything was put right again and the books can be compared. Run by the torture, the tests, the
// shrinker and the guards; the same schedule always ends in the same trace.
import type { AccountId } from "../../src/ports/account-store.ts";
import type { BotId } from "../../src/ports/bot-store.ts";
import type { TradingScope } from "../../src/ports/control-store.ts";
import type { UserId, WorkspaceId } from "../../src/ports/access-store.ts";
import type { TradingState } from "../../src/risk/trading-state.ts";
import { createInvariants, type Invariants } from "./invariants.ts";
import { type Schedule, STEP_MS, SYMBOLS } from "./schedule.ts";
import { createSimClock, type SimClock } from "./sim-clock.ts";
import { carryOut } from "./sim-deeds.ts";
import { createSimExchange, type SimExchange } from "./sim-exchange.ts";
import { CALM } from "./sim-network.ts";
import { createSimProcess, type SimProcess } from "./sim-process.ts";
import { openServices, type SimServices } from "./sim-services.ts";
import { loadAdapter, runWorker } from "./sim-worker.ts";
import { createTrace, type Trace } from "./trace.ts";

/** The workspace, the account and the bots of every simulation. */
export const SCOPE = {
  workspaceId: 1 as WorkspaceId,
  userId: 1 as UserId,
  role: "owner",
} as const;

/** What a finished run left. */
export type RunResult = {
  readonly seed: number;
  readonly hash: string;
  readonly violations: readonly string[];
  readonly counts: ReadonlyMap<string, number>;
  readonly tail: readonly string[];
  /** Names of the calls at which a worker died. */
  readonly deaths: readonly string[];
};

/** How a run is watched. */
export type RunOptions = { readonly print?: (line: string) => void };

/** Everything of one simulation. */
export type World = {
  readonly schedule: Schedule;
  readonly clock: SimClock;
  readonly exchange: SimExchange;
  readonly services: SimServices;
  readonly accountId: AccountId;
  readonly botIds: readonly BotId[];
  readonly trace: Trace;
  readonly invariants: Invariants;
  readonly processes: SimProcess[];
  readonly deaths: string[];
  /** What follows when a worker dies by a planned crash. */
  readonly followers: Map<number, { readonly restartMs: number; readonly isHostLost: boolean }>;
  /** The incarnation that took the account last; 0 before the first. */
  holder(): number;
  tookLease(incarnation: number): void;
  setStates(scope: "global" | "account", state: TradingState): Promise<void>;
  /** Starts another worker after a while, when no other one is there by then. */
  spawnAfter(delayMs: number, isSpare: boolean): void;
  /** Steps that have begun. */
  step(): number;
  /** Bots whose flatten was asked for and not seen yet. */
  readonly flattens: Set<BotId>;
  isQuiet: boolean;
  isModeFlipped: boolean;
  readonly lastPasses: { isComplete: boolean; writes: number; incarnation: number }[];
};

const START = Date.UTC(2026, 0, 5, 8, 10);
/** How long a client waits for an answer. */
export const TIMEOUT_MS = 10_000;
/** Virtual time in which everything has to come to rest after the troubles are over. */
const QUIET_STEPS_MAX = 240;
const REST_STEPS = 12;
const LIVING_MAX = 3;
/** Without a planned end a worker is started again by whoever looks after it. */
const GONE = { restartMs: 2000, isHostLost: false };
const HOST_LOST_MS = 25_000;

/** Runs a schedule to its end. */
export async function runSchedule(
  schedule: Schedule,
  options: RunOptions = {},
): Promise<RunResult> {
  await loadAdapter();
  const world = await createWorld(schedule, options);
  const { clock, trace, invariants, exchange } = world;
  world.spawnAfter(0, false);
  for (const step of schedule.steps) {
    for (const deed of step.deeds) await carryOut(world, deed);
    await clock.runUntil(clock.now() + STEP_MS);
    exchange.advance();
    reap(world);
    await invariants.afterStep();
    trace.count("step");
    if (trace.violations.length > 0) break;
  }
  if (trace.violations.length === 0) await comeToRest(world);
  countFaults(world);
  for (const [what, times] of exchange.counts) trace.count(`network ${what}`, times);
  trace.note(clock.now(), exchange.x.log.hash());
  for (const process of world.processes) process.kill();
  exchange.close();
  const { seed } = schedule;
  const { violations, counts } = trace;
  return { seed, hash: trace.hash(), violations, counts, tail: trace.tail(), deaths: world.deaths };
}

async function createWorld(schedule: Schedule, { print }: RunOptions): Promise<World> {
  const { seed, isHedge } = schedule;
  const clock = createSimClock(START);
  const trace = createTrace(print ?? null);
  const services = await openServices(clock, seed, SCOPE, SYMBOLS);
  const { accountId, botIds, simulated } = services;
  const leases: { incarnation: number; at: number }[] = [];
  const states: { states: TradingState[]; at: number }[] = [];
  const current: Record<"global" | "account", TradingState> = {
    global: "active",
    account: "active",
  };
  const invariants = createInvariants({
    ...{ clock, scope: SCOPE, accountId, trace, leases, states, store: simulated.store },
    exchange: () => world.exchange,
  });
  const exchange = createSimExchange({
    ...{ clock, seed, isHedge, timeoutMs: TIMEOUT_MS },
    onRequest: (line) => trace.note(clock.now(), line),
    onWrite: invariants.onWrite,
  });
  const world: World = {
    ...{ schedule, clock, exchange, services, accountId, botIds, trace, invariants },
    processes: [],
    deaths: [],
    followers: new Map(),
    holder: () => leases.at(-1)?.incarnation ?? 0,
    tookLease: (incarnation) => void leases.push({ incarnation, at: clock.now() }),
    async setStates(scope, state) {
      current[scope] = state;
      const wished: TradingScope =
        scope === "global" ? { kind: "global" } : { kind: "account", accountId };
      const change = {
        scope: wished,
        state,
        reason: "the schedule says so",
        actor: "ann",
      } as const;
      // A commit that was struck is repeated by the person.
      const set = () => services.control.setStates(SCOPE, [change], clock.now());
      await set().catch(set);
      states.push({ states: Object.values(current), at: clock.now() });
      trace.count(`state ${state}`);
    },
    spawnAfter: (delayMs, isSpare) => clock.at(clock.now() + delayMs, () => spawn(world, isSpare)),
    step: () => Math.floor((clock.now() - START) / STEP_MS),
    flattens: new Set(),
    isQuiet: false,
    isModeFlipped: false,
    lastPasses: [],
  };
  states.push({ states: ["active", "active"], at: clock.now() });
  return world;
}

/** A process that dies is followed by another, unless one is there. */
function spawn(world: World, isSpare: boolean): void {
  const living = world.processes.filter((process) => !process.isDead() && !process.isFrozen());
  if (living.length >= (isSpare ? LIVING_MAX : 1)) return;
  const { clock, trace } = world;
  const number = world.processes.length + 1;
  const process = createSimProcess({
    number,
    onCall: (call, name) => trace.note(clock.now(), `${number}#${call} ${name}`),
    onDeath: (call) => {
      trace.note(clock.now(), `${number} died in ${call ?? "no call"}`);
      if (call !== null) world.deaths.push(call);
      const { restartMs, isHostLost } = world.followers.get(number) ?? GONE;
      // The lock of a vanished host stays until its connection times out.
      clock.at(clock.now() + (isHostLost ? HOST_LOST_MS : 0), () =>
        world.services.locks.leave(number),
      );
      world.spawnAfter(restartMs, false);
    },
  });
  world.processes.push(process);
  trace.count("incarnation");
  void runWorker(world, process).then(
    (why) => {
      trace.note(clock.now(), `${number} ended: ${why}`);
      process.kill();
    },
    (error: unknown) => {
      trace.violate(clock.now(), `worker ${number} failed: ${String(error)}`);
      process.kill();
    },
  );
}

/** Ends workers that stand by for longer than anybody needs them. */
function reap({ processes, holder }: World): void {
  const idle = processes.filter(
    (process) => !process.isDead() && !process.isFrozen() && process.number !== holder(),
  );
  for (const process of idle.slice(0, -1)) process.kill();
}

/** Ends every trouble, takes every order back and lets the books settle; then compares them. */
async function comeToRest(world: World): Promise<void> {
  const { clock, exchange, trace, invariants, services } = world;
  exchange.clearFaults();
  exchange.setWeather(CALM);
  for (const process of world.processes) {
    process.crashAt(null);
    process.thaw();
  }
  await clock.runUntil(Math.max(clock.now(), services.database.downUntil()) + 1000);
  if (world.isModeFlipped) await carryOut(world, { kind: "mode_flip", forMs: 0 });
  await world.setStates("global", "active");
  await world.setStates("account", "active");
  world.isQuiet = true;
  world.spawnAfter(1000, false);
  for (let step = 0, calm = 0; calm < REST_STEPS; step++) {
    await clock.runUntil(clock.now() + STEP_MS);
    exchange.advance();
    reap(world);
    await invariants.afterStep();
    if (step > QUIET_STEPS_MAX) {
      trace.violate(clock.now(), "it does not come to rest");
      break;
    }
    calm = (await isAtRest(world)) ? calm + 1 : 0;
  }
  await restartsClean(world);
  await invariants.atEnd();
}

/** Nothing works any more, and as many executions are booked as there were. */
async function isAtRest({ services, accountId, exchange }: World): Promise<boolean> {
  const { store } = services.simulated;
  const alive = await store.aliveIntents(SCOPE, accountId);
  if (alive.length + exchange.account.open.size + exchange.x.liveAlgos.size > 0) return false;
  const fills = await Promise.all(SYMBOLS.map((one) => store.fills(SCOPE, accountId, one)));
  return fills.flat().length === exchange.account.trades.length;
}

/** A new worker over the same rows finds nothing to write. */
async function restartsClean(world: World): Promise<void> {
  const { clock, trace } = world;
  for (const process of world.processes) process.kill();
  world.lastPasses.length = 0;
  world.spawnAfter(0, false);
  await clock.runUntil(clock.now() + 60_000);
  world.exchange.advance();
  const [first, second] = world.lastPasses.slice(-2);
  if (first === undefined || second === undefined) {
    trace.violate(clock.now(), "reconciliation did not run twice within a minute");
    return;
  }
  if (!second.isComplete) trace.violate(clock.now(), "the last pass was not complete");
  if (second.writes > 0) trace.violate(clock.now(), `the last pass wrote ${second.writes} rows`);
}

/** How often each fault of the venue struck. */
function countFaults({ exchange, trace }: World): void {
  for (const { kind, fields } of exchange.x.log.since(0)) {
    if (kind === "fault") trace.count(`fault ${String(fields.name)}`);
    if (kind === "fault_set") trace.count(`armed ${String(fields.name)}`);
    if (kind === "match") trace.count("match");
  }
  trace.count("trades", exchange.account.trades.length);
  trace.count("orders", exchange.account.orders.size + exchange.account.algos.size);
}
