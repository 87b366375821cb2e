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
import type { Candle } from "../../model/candle.ts";
import { type Decimal, decimal, multiply } from "../../model/decimal.ts";
import type { LedgerTotals } from "../../model/ledger.ts";
import type { LegPosition } from "../../model/leg-position.ts";
import { InvariantError } from "../../model/result.ts";
import { type EpochMs, MINUTE_MS } from "../../model/time.ts";
import type { Owner } from "../../model/trade-record.ts";
import type { Bot, BotStore, NewEvent } from "../../ports/bot-store.ts";
import type { Market } from "../../ports/market-data.ts";
import type { IntentId, OrderFills, StoredIntent } from "../../ports/trading-store.ts";
import type { TradingState } from "../../risk/trading-state.ts";
import type { DcaAtrState } from "../../strategy/dca-atr/state.ts";
import type { OperatorAsk } from "../../strategy/strategy.ts";
import type { CandleFeed } from "./candle-feed.ts";
import { batchOf, heldBack, isNothing, type OrderBatch, type OrderTable } from "./bot-batch.ts";
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
  onCandles(signal: AbortSignal): Promise<number>;
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
/** A candle that closed longer ago is made up for: indicators and exits, no entry. */
const FRESH_MIN_MS = 15_000;
const FRESH_MAX_MS = 300_000;

/** The owner of a bot's orders. */
export function ownerOf(bot: Pick<Bot, "id">): Exclude<Owner, "foreign"> {
  return `bot:${bot.id}`;
}

/** A bot that has to be restored first. */
export function createBotRunner(deps: BotRunnerDeps): BotRunner {
  const { bot, store, account, clock } = deps;
  const { scope, accountId } = account;
  const owner = ownerOf(bot);
  let live: LiveBot<DcaAtrState> | null = null;
  let version = 0;
  let saved = "";
  let totals: LedgerTotals | null = null;
  let holding: LegPosition | null = null;
  let blocked = 0;
  let isCheckpoint = false;
  let referencePrice: Decimal | null = null;
  const table: OrderTable = new Map();
  let events: NewEvent[] = [];

  const running = (): LiveBot<DcaAtrState> => {
    if (live === null) throw new InvariantError(`bot ${bot.id} was not restored`);
    return live;
  };

  async function handle(input: LiveInput, depth = 0): Promise<boolean> {
    const taken = running().handle(input);
    if (!taken.ok) {
      deps.log.warn(`bot ${bot.id}: ${taken.detail}`, { bot: bot.id, reason: taken.reason });
      return false;
    }
    await carryOut(taken.value, depth);
    return true;
  }

  /**
   * Commands with what a closed gate keeps back taken out. The bot is told at once, so that nothing is
   * written for an order that was only wished.
   */
  function allowed(output: LiveOutput): readonly LiveCommand[] {
    const room = deps.closedGate() === null ? deps.room : null;
    const kept: LiveCommand[] = [];
    let pending = output.commands;
    blocked += output.denied.length;
    for (let round = 0; pending.length > 0; round++) {
      const held = heldBack(pending, running().view().tradingState, room);
      kept.push(...pending.filter((command) => !held.includes(command)));
      blocked += held.length;
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
        const taken = running().handle({ ...told, at: clock.now() });
        if (taken.ok) more.push(...taken.value.commands);
      }
      if (round >= CHAIN_MAX) throw new InvariantError(`bot ${bot.id} wishes without end`);
      pending = more;
    }
    return kept;
  }

  async function carryOut(output: LiveOutput, depth: number): Promise<void> {
    const commands = allowed(output);
    const { lots } = running().view().position;
    const heldQty = multiply(decimal(lots), deps.liveMarket.rules.qtyStep);
    const order = { owner, botId: bot.id, market: deps.liveMarket, referencePrice, heldQty };
    const batch = batchOf(commands, table, order);
    const body = running().body();
    const text = essence(body);
    if (isNothing(batch) && text === saved && !isCheckpoint) return;
    isCheckpoint = false;
    const step = { botId: bot.id, seenVersion: version, state: body, events };
    const report = await deps.dispatcher.dispatch({ ...batch, step });
    if (!report.ok) {
      forget(`${report.reason}: ${report.detail}`);
      return;
    }
    version += 1;
    saved = text;
    events = [];
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
      await notSent(opOf(batch, one.targetKey), one.targetKey, one.reason, depth);
    }
    for (const { outcome, intent } of report.cancelled) {
      if (outcome === "withheld") await notSent("cancel", intent.targetKey, "WITHHELD", depth);
    }
    if (live !== null && touched.length > 0) await read(touched, refusals, depth);
  }

  async function notSent(
    op: LiveCommand["op"],
    targetKey: string,
    reason: string,
    depth: number,
  ): Promise<void> {
    if (live === null) return;
    if (depth >= CHAIN_MAX) return forget("answers to answers did not come to an end");
    await handle({ kind: "not_sent", at: clock.now(), op, targetKey, reason }, depth + 1);
  }

  async function read(
    ids: readonly IntentId[],
    refusals: ReadonlyMap<IntentId, string>,
    depth: number,
  ): Promise<void> {
    if (depth >= CHAIN_MAX) return forget("answers to answers did not come to an end");
    for (const row of await store.orders(scope, accountId, ids)) {
      note(row);
      if (live === null) return;
      const refusal = refusals.get(row.intent.id);
      const news = refusal === undefined ? row : { ...row, refusal };
      await handle({ kind: "order", at: clock.now(), news }, depth + 1);
    }
  }

  function note({ intent }: OrderFills): void {
    table.set(intent.id, intent);
  }

  function forget(reason: string): void {
    deps.log.info(`bot ${bot.id} reads its rows again: ${reason}`, { bot: bot.id });
    live = null;
  }

  /** Every order that may have news: what the bot counts, what is not finished, and what came since. */
  async function openIds(body: unknown): Promise<IntentId[]> {
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

  async function readLedger(): Promise<void> {
    totals = await store.totals(scope, accountId, { sinceAt: 0, owner });
    const held = await store.holdings(scope, accountId);
    const mine = held.find(({ holder, symbol }) => holder === owner && symbol === bot.symbol);
    holding = mine?.position ?? null;
    const freeCollateral = deps.freeCollateral();
    await handle({ kind: "ledger", at: clock.now(), net: totals.net, freeCollateral });
  }

  async function restore(signal: AbortSignal): Promise<void> {
    const stored = await deps.bots.state(scope, bot.id);
    const ids = await openIds(stored?.body ?? null);
    const orders = ids.length === 0 ? [] : await store.orders(scope, accountId, ids);
    const bare = createLiveBot(deps.strategy.parts);
    const fresh = deps.record === null ? bare : recordBot(bare, deps.record);
    const restored = fresh.restore(stored?.body ?? null, orders);
    if (!restored.ok) {
      throw new RestoreError(`bot ${bot.id} cannot go on: ${restored.detail}`);
    }
    const before = fresh.view().lastCandleOpenAt;
    await warmUp(fresh, before, signal);
    live = fresh;
    version = stored?.version ?? 0;
    saved = stored === null ? "" : essence(stored.body);
    table.clear();
    for (const order of orders) note(order);
    const { cell } = deps.cells;
    await handle({
      kind: "trading_state",
      at: clock.now(),
      state: cell(account, bot.id).state,
    });
    if (live !== null) await readLedger();
    if (live !== null) await carryOut(restored.value, 0);
  }

  /** Feeds the indicators with everything that had closed before; none of it is decided upon. */
  async function warmUp(
    fresh: LiveBot<DcaAtrState>,
    lastOpenAt: EpochMs | null,
    signal: AbortSignal,
  ): Promise<void> {
    const stepMs = bot.timeframeMin * MINUTE_MS;
    const now = clock.now();
    const from = deps.strategy.historyFrom(lastOpenAt ?? now);
    const series = await deps.candles.history(scope, deps.market, bot.timeframeMin, from, signal);
    const candles: Candle[] = [];
    let missed = 0;
    for (let i = 0; i < series.length; i++) {
      const openAt = series.openAt[i]!;
      const isOld = now - (openAt + stepMs) > freshMs(stepMs);
      const isKnown = lastOpenAt !== null && openAt <= lastOpenAt;
      if (!isKnown && !isOld) break;
      if (!isKnown && lastOpenAt !== null) missed += 1;
      candles.push({
        openAt,
        open: series.open[i]!,
        high: series.high[i]!,
        low: series.low[i]!,
        close: series.close[i]!,
        volume: series.volume[i]!,
      });
    }
    const fed = fresh.handle({ kind: "history", candles });
    if (!fed.ok) throw new RestoreError(`bot ${bot.id} cannot go on: ${fed.detail}`);
    if (missed === 0) return;
    events.push({
      kind: "candles_missed",
      botId: bot.id,
      at: now,
      sentence: `${missed} candles closed while nobody watched; no entries were decided on them.`,
      fields: { candles: missed },
    });
  }

  return {
    bot,
    restore,
    isRestored: () => live !== null,
    async onRows() {
      const ids = await openIds(running().body());
      if (ids.length > 0) await read(ids, NO_REFUSALS, 0);
      for (const [id, intent] of table) {
        if (isFinal(intent.status) && !ids.includes(intent.id)) table.delete(id);
      }
      if (live !== null) await readLedger();
    },
    async onPrice(price) {
      referencePrice = price;
      await handle({ kind: "price", at: clock.now(), price: Number(price) });
    },
    async onState(state) {
      await handle({ kind: "trading_state", at: clock.now(), state });
    },
    async onOperator(ask) {
      const before = wishes(running());
      await handle({ kind: "operator", at: clock.now(), ask });
      return live !== null && wishes(live) !== before;
    },
    async onCandles(signal) {
      const last = running().view().lastCandleOpenAt;
      if (last === null) return 0;
      const stepMs = bot.timeframeMin * MINUTE_MS;
      const from = last + stepMs;
      const found = await deps.candles.closedSince(deps.market, bot.timeframeMin, from, signal);
      let taken = 0;
      for (const candle of found) {
        if (live === null) break;
        const closedAgoMs = clock.now() - (candle.openAt + stepMs);
        const mayEnter = closedAgoMs <= freshMs(stepMs) && deps.closedGate() === null;
        if (await handle({ kind: "candle", candle, mayEnter, isGapKnown: true })) taken += 1;
      }
      return taken;
    },
    async checkpoint() {
      isCheckpoint = true;
      await carryOut({ commands: [], denied: [] }, 0);
    },
    view: () => running().view(),
    orders: () => [...table.values()],
    totals: () => totals,
    holding: () => holding,
    blockedActions: () => blocked,
  };
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

function freshMs(stepMs: number): number {
  return Math.min(FRESH_MAX_MS, Math.max(FRESH_MIN_MS, stepMs / 4));
}
