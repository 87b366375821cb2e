// A small trader that behaves like a bot, only less patient: it keeps a state row through the commits of
// its steps, wants entries, rungs, a take-profit and a stop for what it holds, changes its mind, parks,
// sends, takes back and gets out at the market. What it wants is drawn by chance; what it may do is not.
import { type Decimal, multiply } from "../../src/model/decimal.ts";
import type { ApprovedIntent, OrderIntent, OrderSide, TargetOrder } from "../../src/model/order.ts";
import type { BotId, BotStore } from "../../src/ports/bot-store.ts";
import type { StoredIntent, SymbolHolding, TradingStore } from "../../src/ports/trading-store.ts";
import { approve } from "../../src/risk/pre-trade.ts";
import type { TradingState } from "../../src/risk/trading-state.ts";
import type {
  ControlCells,
  DispatchBatch,
  LiveAccount,
  LiveMarket,
  OrderDispatcher,
  PlaceOrder,
} from "../../src/services/live/live-types.ts";
import type { Random } from "../../src/venue/random.ts";
import type { Want } from "./schedule.ts";
import {
  isKnown,
  type Mind,
  type Plan,
  wantByScript,
  wantOut,
  wantWhenFlat,
  wantWhenHolding,
} from "./sim-wants.ts";

/** What the world outside tells a trader. */
export type Wishes = {
  /** Nothing new is wanted: everything that works is taken back. */
  isQuiet(): boolean;
  /** True once for every flatten that was asked for. */
  takeFlatten(botId: BotId): boolean;
};

/** What a trader works with. */
export type TraderDeps = {
  readonly botId: BotId;
  readonly symbol: string;
  readonly account: LiveAccount;
  readonly market: LiveMarket;
  readonly cells: ControlCells;
  readonly store: TradingStore;
  readonly bots: Pick<BotStore, "state">;
  readonly dispatcher: OrderDispatcher;
  readonly random: Random;
  readonly wishes: Wishes;
  /** The last price in ticks, from a feed that never fails. */
  readonly lastTicks: () => number;
  readonly now: () => number;
  /** What is wanted in place of whims; null for whims. */
  readonly script: readonly Want[] | null;
  /** The step the world is in. */
  readonly step: () => number;
  /** Whether entries are blocked by somebody who is not sure of the account. */
  readonly isBlocked: () => boolean;
};

/** One bot in one incarnation. */
export type SimTrader = { tick(): Promise<void> };

type Memory = { readonly version: number; readonly decisions: number };
type Look = {
  readonly own: readonly StoredIntent[];
  readonly held: SymbolHolding | null;
  readonly state: TradingState;
};

/** A trader that remembers nothing yet. */
export function createSimTrader(deps: TraderDeps): SimTrader {
  const { store, account, botId, symbol, dispatcher } = deps;
  const { scope, accountId } = account;
  let memory: Memory | null = null;

  async function remember(): Promise<Memory> {
    const stored = await deps.bots.state(scope, botId);
    const body = stored?.body;
    const known = typeof body === "object" && body !== null && "decisions" in body;
    return { version: stored?.version ?? 0, decisions: known ? Number(body.decisions) : 0 };
  }

  async function look(): Promise<Look> {
    const alive = await store.aliveIntents(scope, accountId);
    const holdings = await store.holdings(scope, accountId);
    const owner = ownerOf(botId);
    const held = holdings.filter((one) => one.holder === owner && one.symbol === symbol);
    return {
      own: alive.filter((intent) => intent.owner === owner),
      // A bot that somehow holds both legs looks after the first one first.
      held: held[0] ?? null,
      state: deps.cells.cell(account, botId).state,
    };
  }

  return {
    async tick() {
      memory ??= await remember();
      const seen = await look();
      const plan = planOf(deps, seen, memory.decisions);
      const size = plan.cancel.length + plan.place.length + plan.park.length + plan.send.length;
      if (size === 0) return;
      const next = { decisions: memory.decisions + 1 };
      const step = { botId, seenVersion: memory.version, state: next, events: [] };
      const batch = batchOf(deps, seen, plan, step);
      try {
        const report = await dispatcher.dispatch(batch);
        memory = report.ok ? { version: memory.version + 1, ...next } : null;
      } catch (error) {
        // What was committed is in the rows, and only there.
        memory = null;
        throw error;
      }
    },
  };
}

/** How fills and orders of a bot are marked. */
export function ownerOf(botId: BotId): `bot:${number}` {
  return `bot:${botId}`;
}

function planOf(deps: TraderDeps, seen: Look, decisions: number): Plan {
  const plan: Plan = { cancel: [], place: [], park: [], send: [] };
  if (deps.wishes.isQuiet()) {
    plan.cancel.push(...seen.own.filter(isKnown));
    return plan;
  }
  const { symbol, random, market, script } = deps;
  const mind: Mind = {
    ...{ symbol, random, plan, decisions, rules: market.rules, own: seen.own, held: seen.held },
    ...{ lastTicks: deps.lastTicks(), now: deps.now() },
    mayEnter: !deps.isBlocked() && seen.state === "active",
  };
  if (script !== null) wantByScript(mind, script, deps.step());
  else if (deps.wishes.takeFlatten(deps.botId)) wantOut(mind, "flatten");
  else if (seen.held === null) wantWhenFlat(mind);
  else wantWhenHolding(mind);
  return plan;
}

function lotsOf(qty: Decimal, step: Decimal): number {
  return Math.round(Number(qty) / Number(step));
}

function decimalOf(count: number): Decimal {
  return String(count) as Decimal;
}

function batchOf(
  deps: TraderDeps,
  { state, held }: Look,
  plan: Plan,
  step: DispatchBatch["step"],
): DispatchBatch {
  const { botId, market, lastTicks } = deps;
  const referencePrice = multiply(decimalOf(lastTicks()), market.rules.priceTick);
  const orderOf = (approved: ApprovedIntent): PlaceOrder => ({
    approved,
    owner: ownerOf(botId),
    botId,
    market,
    referencePrice,
    heldQty: approved.target.isReduceOnly ? (held?.position.qty ?? decimalOf(0)) : null,
  });
  const allowed = (targets: readonly TargetOrder[]): PlaceOrder[] => {
    const intents = targets.map((target, slot): OrderIntent => ({ op: "place", slot, target }));
    const approved: ApprovedIntent[] = [];
    approve(intents, state, approved, []);
    return approved.map(orderOf);
  };
  return {
    cancel: plan.cancel,
    place: allowed(plan.place),
    park: allowed(plan.park),
    send: plan.send.flatMap((intent) => {
      const [order] = allowed([targetOf(deps, intent)]);
      return order === undefined ? [] : [{ intent, order }];
    }),
    step,
    isFlatten: plan.place.some(({ purpose }) => purpose === "flatten"),
  };
}

/** The target of a parked order again. */
function targetOf({ market }: TraderDeps, intent: StoredIntent): TargetOrder {
  const { terms, purpose, targetKey: key, side, positionSide, isReduceOnly, reason } = intent;
  const price = "price" in terms && terms.price !== null ? terms.price : priceOf(intent);
  return {
    ...{ key, purpose, positionSide, isReduceOnly, reason, side: side as OrderSide },
    kind:
      terms.kind === "trigger"
        ? "trigger_market"
        : terms.kind === "post_only"
          ? "post_only"
          : "limit",
    priceTicks: lotsOf(price, market.rules.priceTick),
    qtyLots: lotsOf(intent.qty, market.rules.qtyStep),
    ...{ bandPct: 0, decidedAt: intent.decidedAt, liveFrom: 0, replacePct: 0 },
  };
}

function priceOf({ terms }: StoredIntent): Decimal {
  return terms.kind === "trigger" ? terms.triggerPrice : decimalOf(1);
}
