// Drives one bot: rows, candles and prices in, batches for the order dispatcher out. Called by the account
// loop, one bot at a time. Memory is only a copy of the rows: whenever a commit is refused or fails, it is
// thrown away and read again before anything else is decided.
import {
  createLiveBot,
  type LiveBot,
  type LiveCommand,
  type LiveInput,
  type LiveOutput,
  type LiveView,
} from "../../engine/live-bot.ts";
import { ordersNeeded } from "../../engine/live-body.ts";
import { recordBot } from "../../engine/replay.ts";
import { isFinal } from "../../execution/order-machine.ts";
import { type Decimal, decimal, multiply } from "../../model/decimal.ts";
import type { LedgerTotals } from "../../model/ledger.ts";
import type { LegPosition } from "../../model/leg-position.ts";
import { InvariantError } from "../../model/result.ts";
import { MINUTE_MS } from "../../model/time.ts";
import type { Owner } from "../../model/trade-record.ts";
import type { Bot, BotStore, NewEvent } from "../../ports/bot-store.ts";
import type { Market } from "../../ports/market-data.ts";
import type { IntentId, StoredIntent } from "../../ports/trading-store.ts";
import type { TradingState } from "../../risk/trading-state.ts";
import type { DcaAtrState } from "../../strategy/dca-atr/state.ts";
import type { OperatorAsk } from "../../strategy/strategy.ts";
import type { CandleFeed } from "./candle-feed.ts";
import { batchOf, heldBack, isNothing, type OrderBatch, type OrderTable } from "./bot-batch.ts";
import { freshMs, readWarmUp } from "./bot-warm-up.ts";
import type { LiveStrategy } from "./live-strategy.ts";
import type { LiveDeps, LiveMarket, OrderDispatcher, OrderRoom } from "./live-types.ts";

/** What a bot is driven with. */
export type BotRunnerDeps = LiveDeps & {
  readonly bot: Bot;
  readonly strategy: LiveStrategy;
  readonly market: Market;
  readonly liveMarket: LiveMarket;
  readonly bots: Pick<BotStore, "state">;
  readonly candles: CandleFeed;
  readonly dispatcher: OrderDispatcher;
  /** Why nothing may be opened right now; null when it may. */
  readonly closedGate: () => string | null;
  readonly room: OrderRoom;
  /** Where every input and what came of it is written down, for engine/replay.ts; null for nowhere. */
  readonly record: ((line: string) => void) | null;
  /** What sizing may not exceed at a real exchange; null does not limit. */
  readonly freeCollateral: () => Decimal | null;
};

/** One running bot. */
export type BotRunner = {
  readonly bot: Bot;
  /** Reads everything again; must succeed once before anything else. */
  restore(signal: AbortSignal): Promise<void>;
  isRestored(): boolean;
  /** Rows of the bot's orders may have changed. */
  onRows(): Promise<void>;
  onPrice(price: Decimal): Promise<void>;
  onState(state: TradingState): Promise<void>;
  /** A person's wish for the running cycle. @returns whether anything came of it */
  onOperator(ask: OperatorAsk): Promise<boolean>;
  /** Takes candles that have closed since the last one, each exactly once. @returns how many */
  onCandles(): Promise<number>;
  /** Writes down where the bot is although nothing came of it, so that a start need not go far back. */
  checkpoint(): Promise<void>;
  view(): LiveView<DcaAtrState>;
  /** Orders that are not finished, as last read. */
  orders(): readonly StoredIntent[];
  /** Ledger sums of the bot as last read; null before. */
  totals(): LedgerTotals | null;
  /** What the rows say it holds; null when flat or not read. */
  holding(): LegPosition | null;
  /** Entries and rungs that were decided and not sent because a gate was closed. */
  blockedActions(): number;
};

/** Answers to answers: a step may follow from another one this often. */
const CHAIN_MAX = 12;
/** Orders looked at for those the bot has not heard of. */
const RECENT_MAX = 1000;
const NO_REFUSALS: ReadonlyMap<IntentId, string> = new Map();
/** What may change without a consequence; written only with what has one, or at a checkpoint. */
const VOLATILE: ReadonlySet<string> = new Set([
  ...["lastPrice", "reachedHigh", "reachedLow", "freeCollateral", "net", "candleOpenAt"],
  ...["decision", "pathLow", "pathHigh", "mae", "mfe"],
]);

/** The owner of a bot's orders. */
export function ownerOf(bot: Pick<Bot, "id">): Exclude<Owner, "foreign"> {
  return `bot:${bot.id}`;
}

/** A bot that has to be restored first. */
export function createBotRunner(deps: BotRunnerDeps): BotRunner {
  const { bot, clock } = deps;
  const runner: Runner = {
    deps,
    owner: ownerOf(bot),
    live: null,
    version: 0,
    saved: "",
    totals: null,
    holding: null,
    blocked: 0,
    isCheckpoint: false,
    referencePrice: null,
    table: new Map(),
    events: [],
  };
  return {
    bot,
    restore: (signal) => restore(runner, signal),
    isRestored: () => runner.live !== null,
    onRows: () => takeRows(runner),
    async onPrice(price) {
      runner.referencePrice = price;
      await handle(runner, { kind: "price", at: clock.now(), price: Number(price) });
    },
    async onState(state) {
      await handle(runner, { kind: "trading_state", at: clock.now(), state });
    },
    async onOperator(ask) {
      const before = wishes(running(runner));
      await handle(runner, { kind: "operator", at: clock.now(), ask });
      return runner.live !== null && wishes(runner.live) !== before;
    },
    onCandles: () => takeCandles(runner),
    async checkpoint() {
      runner.isCheckpoint = true;
      await carryOut(runner, { commands: [], denied: [] }, 0);
    },
    view: () => running(runner).view(),
    orders: () => [...runner.table.values()],
    totals: () => runner.totals,
    holding: () => runner.holding,
    blockedActions: () => runner.blocked,
  };
}

type Runner = {
  readonly deps: BotRunnerDeps;
  readonly owner: Exclude<Owner, "foreign">;
  /** Null before a restore, and again once memory was thrown away. */
  live: LiveBot<DcaAtrState> | null;
  version: number;
  /** The essence of the body as last written. */
  saved: string;
  totals: LedgerTotals | null;
  holding: LegPosition | null;
  blocked: number;
  /** The next step is written although nothing came of it. */
  isCheckpoint: boolean;
  referencePrice: Decimal | null;
  readonly table: OrderTable;
  /** Written with the next step. */
  events: NewEvent[];
};

function running({ live, deps }: Runner): LiveBot<DcaAtrState> {
  if (live === null) throw new InvariantError(`bot ${deps.bot.id} was not restored`);
  return live;
}

async function handle(runner: Runner, input: LiveInput, depth = 0): Promise<boolean> {
  const { bot, log } = runner.deps;
  const taken = running(runner).handle(input);
  if (!taken.ok) {
    log.warn(`bot ${bot.id}: ${taken.detail}`, { bot: bot.id, reason: taken.reason });
    return false;
  }
  await carryOut(runner, taken.value, depth);
  return true;
}

/**
 * Commands with what a closed gate keeps back taken out. The bot is told at once, so that nothing is
 * written for an order that was only wished.
 */
function allowed(runner: Runner, output: LiveOutput): readonly LiveCommand[] {
  const { deps } = runner;
  const room = deps.closedGate() === null ? deps.room : null;
  const kept: LiveCommand[] = [];
  let pending = output.commands;
  runner.blocked += output.denied.length;
  for (let round = 0; pending.length > 0; round++) {
    const held = heldBack(pending, running(runner).view().tradingState, room);
    kept.push(...pending.filter((command) => !held.includes(command)));
    runner.blocked += held.length;
    const more: LiveCommand[] = [];
    for (const command of held) {
      if (command.op === "cancel") continue;
      const targetKey = command.approved.target.key;
      const told = {
        kind: "not_sent",
        op: command.op,
        targetKey,
        reason: "GATE_CLOSED",
      } as const;
      const taken = running(runner).handle({ ...told, at: deps.clock.now() });
      if (taken.ok) more.push(...taken.value.commands);
    }
    if (round >= CHAIN_MAX) throw new InvariantError(`bot ${deps.bot.id} wishes without end`);
    pending = more;
  }
  return kept;
}

async function carryOut(runner: Runner, output: LiveOutput, depth: number): Promise<void> {
  const { deps, owner, table, referencePrice } = runner;
  const { bot, liveMarket } = deps;
  const commands = allowed(runner, output);
  const { lots } = running(runner).view().position;
  const heldQty = multiply(decimal(lots), liveMarket.rules.qtyStep);
  const order = { owner, botId: bot.id, market: liveMarket, referencePrice, heldQty };
  const batch = batchOf(commands, table, order);
  const body = running(runner).body();
  const text = essence(body);
  if (isNothing(batch) && text === runner.saved && !runner.isCheckpoint) return;
  runner.isCheckpoint = false;
  const { version: seenVersion, events } = runner;
  const step = { botId: bot.id, seenVersion, state: body, events };
  const report = await deps.dispatcher.dispatch({ ...batch, step });
  if (!report.ok) {
    forget(runner, `${report.reason}: ${report.detail}`);
    return;
  }
  runner.version += 1;
  runner.saved = text;
  runner.events = [];
  const refusals = new Map<IntentId, string>();
  const touched = report.cancelled.map(({ intent }) => intent.id);
  for (const { intentId, outcome } of report.cancelled) {
    if (outcome === "gone") deps.room.released(intentId);
  }
  for (const one of report.dispatched) {
    if (one.outcome === "refused") refusals.set(one.intent.id, one.reason);
    if (one.intent !== null) touched.push(one.intent.id);
    if (one.outcome !== "withheld") continue;
    // Before its row is read: an order that was never sent is wished again, not given up.
    await notSent(runner, opOf(batch, one.targetKey), one.targetKey, one.reason, depth);
  }
  for (const { outcome, intent } of report.cancelled) {
    if (outcome !== "withheld") continue;
    await notSent(runner, "cancel", intent.targetKey, "WITHHELD", depth);
  }
  if (runner.live !== null && touched.length > 0) await read(runner, touched, refusals, depth);
}

async function notSent(
  runner: Runner,
  op: LiveCommand["op"],
  targetKey: string,
  reason: string,
  depth: number,
): Promise<void> {
  if (runner.live === null) return;
  if (depth >= CHAIN_MAX) return forget(runner, "answers to answers did not come to an end");
  const at = runner.deps.clock.now();
  await handle(runner, { kind: "not_sent", at, op, targetKey, reason }, depth + 1);
}

async function read(
  runner: Runner,
  ids: readonly IntentId[],
  refusals: ReadonlyMap<IntentId, string>,
  depth: number,
): Promise<void> {
  const { store, account, clock } = runner.deps;
  if (depth >= CHAIN_MAX) return forget(runner, "answers to answers did not come to an end");
  for (const row of await store.orders(account.scope, account.accountId, ids)) {
    runner.table.set(row.intent.id, row.intent);
    if (runner.live === null) return;
    const refusal = refusals.get(row.intent.id);
    const news = refusal === undefined ? row : { ...row, refusal };
    await handle(runner, { kind: "order", at: clock.now(), news }, depth + 1);
  }
}

function forget(runner: Runner, reason: string): void {
  const { bot, log } = runner.deps;
  log.info(`bot ${bot.id} reads its rows again: ${reason}`, { bot: bot.id });
  runner.live = null;
}

/** Every order that may have news: what the bot counts, what is not finished, and what came since. */
async function openIds({ deps, owner }: Runner, body: unknown): Promise<IntentId[]> {
  const { bot, store, account } = deps;
  const { scope, accountId } = account;
  const needed = ordersNeeded(body);
  if (!needed.ok) throw new RestoreError(`bot ${bot.id} cannot go on: ${needed.detail}`);
  const newest = needed.value.reduce((last, id) => Math.max(last, id), 0);
  const alive = await store.aliveIntents(scope, accountId);
  const recent = await store.recentIntents(scope, accountId, { owner, limit: RECENT_MAX });
  const mine = [
    ...alive.filter((intent) => intent.owner === owner),
    ...recent.filter(({ id }) => id > newest),
  ];
  return [...new Set([...(needed.value as IntentId[]), ...mine.map(({ id }) => id)])];
}

async function readLedger(runner: Runner): Promise<void> {
  const { deps, owner } = runner;
  const { scope, accountId } = deps.account;
  runner.totals = await deps.store.totals(scope, accountId, { sinceAt: 0, owner });
  const held = await deps.store.holdings(scope, accountId);
  const mine = held.find(({ holder, symbol }) => holder === owner && symbol === deps.bot.symbol);
  runner.holding = mine?.position ?? null;
  const freeCollateral = deps.freeCollateral();
  const { net } = runner.totals;
  await handle(runner, { kind: "ledger", at: deps.clock.now(), net, freeCollateral });
}

async function restore(runner: Runner, signal: AbortSignal): Promise<void> {
  const { bot, bots, store, account, clock, cells, strategy, record } = runner.deps;
  const { scope, accountId } = account;
  const stored = await bots.state(scope, bot.id);
  const ids = await openIds(runner, stored?.body ?? null);
  const orders = ids.length === 0 ? [] : await store.orders(scope, accountId, ids);
  const bare = createLiveBot(strategy.parts);
  const fresh = record === null ? bare : recordBot(bare, record);
  const restored = fresh.restore(stored?.body ?? null, orders);
  if (!restored.ok) {
    throw new RestoreError(`bot ${bot.id} cannot go on: ${restored.detail}`);
  }
  await warmUp(runner, fresh, signal);
  runner.live = fresh;
  runner.version = stored?.version ?? 0;
  runner.saved = stored === null ? "" : essence(stored.body);
  runner.table.clear();
  for (const { intent } of orders) runner.table.set(intent.id, intent);
  const { state } = cells.cell(account, bot.id);
  await handle(runner, { kind: "trading_state", at: clock.now(), state });
  if (runner.live !== null) await readLedger(runner);
  if (runner.live !== null) await carryOut(runner, restored.value, 0);
}

/** Feeds the indicators with everything that had closed before; none of it is decided upon. */
async function warmUp(
  runner: Runner,
  fresh: LiveBot<DcaAtrState>,
  signal: AbortSignal,
): Promise<void> {
  const { deps } = runner;
  const { candles, missed } = await readWarmUp(deps, fresh.view().lastCandleOpenAt, signal);
  const fed = fresh.handle({ kind: "history", candles });
  if (!fed.ok) throw new RestoreError(`bot ${deps.bot.id} cannot go on: ${fed.detail}`);
  if (missed !== null) runner.events.push(missed);
}

async function takeRows(runner: Runner): Promise<void> {
  const { table } = runner;
  const ids = await openIds(runner, running(runner).body());
  if (ids.length > 0) await read(runner, ids, NO_REFUSALS, 0);
  for (const [id, intent] of table) {
    if (isFinal(intent.status) && !ids.includes(intent.id)) table.delete(id);
  }
  if (runner.live !== null) await readLedger(runner);
}

async function takeCandles(runner: Runner): Promise<number> {
  const { deps } = runner;
  const { bot } = deps;
  const last = running(runner).view().lastCandleOpenAt;
  if (last === null) return 0;
  const stepMs = bot.timeframeMin * MINUTE_MS;
  const found = deps.candles.closedSince(deps.market, bot.timeframeMin, last + stepMs);
  let taken = 0;
  for (const candle of found) {
    if (runner.live === null) break;
    const closedAgoMs = deps.candles.now(deps.market) - (candle.openAt + stepMs);
    const mayEnter = closedAgoMs <= freshMs(stepMs) && deps.closedGate() === null;
    if (await handle(runner, { kind: "candle", candle, mayEnter, isGapKnown: true })) taken += 1;
  }
  return taken;
}

/** A bot that cannot go on from its rows; a person has to look. */
export class RestoreError extends Error {
  override readonly name = "RestoreError";
}

function opOf({ send, park }: OrderBatch, targetKey: string): LiveCommand["op"] {
  if (send.some(({ intent }) => intent.targetKey === targetKey)) return "activate";
  return park.some(({ approved }) => approved.target.key === targetKey) ? "park" : "place";
}

/** What a bot wants, to see whether it changed. */
function wishes(bot: LiveBot<DcaAtrState>): string {
  return JSON.stringify(bot.view().slots.map(({ wanted }) => wanted));
}

/** The part of a body whose change is worth a write. */
function essence(body: unknown): string {
  return JSON.stringify(body, (key, value: unknown) => (VOLATILE.has(key) ? undefined : value));
}
