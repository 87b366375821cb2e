// How a closing stands by the rows: what is held, which orders may still change that, and whether every trade record
// was read. Used by flatten.ts alone; it reads and books facts, it never places or cancels.
import { isFinal } from "../../execution/order-machine.ts";
import { add, compare, type Decimal, subtract } from "../../model/decimal.ts";
import type { PositionSide } from "../../model/order.ts";
import type { EpochMs } from "../../model/time.ts";
import type { Owner } from "../../model/trade-record.ts";
import type { BotId } from "../../ports/bot-store.ts";
import type { IntentId, StoredIntent, SymbolHolding } from "../../ports/trading-store.ts";
import type { AccountMarket, AccountParts } from "./account-parts.ts";
import type { LiveDeps } from "./live-types.ts";
import { botIdOf } from "./order-news.ts";

/** What is to be closed: what one bot holds, or what all bots of the account hold. */
export type FlattenWish =
  | {
      readonly owner: Exclude<Owner, "foreign">;
      readonly botId: BotId;
      readonly symbols: readonly string[];
    }
  | { readonly owner: null };

/** The parts of an account that closing needs. */
export type FlattenParts = Pick<AccountParts, "dispatcher" | "resolver" | "ingest" | "openMarket">;

/** One closing from its begin to its end. */
export type FlattenRun = {
  readonly parts: FlattenParts;
  readonly live: LiveDeps;
  readonly what: FlattenWish;
  readonly signal: AbortSignal;
  /** Trade records since then are read. */
  readonly sinceAt: EpochMs;
  readonly markets: Map<string, AccountMarket>;
  /** Orders that were taken back or placed here; their trade records are waited for. */
  readonly touched: Set<IntentId>;
  /** The closing orders among them. */
  readonly placed: Set<IntentId>;
  /** The most that was held, by `holdingKey`. */
  readonly before: Map<string, BotHolding>;
  /** Why the last order of a holding was not taken, by `holdingKey`. */
  readonly refusals: Map<string, string>;
};

/** Something a bot holds. */
export type BotHolding = {
  readonly symbol: string;
  readonly owner: Exclude<Owner, "foreign">;
  readonly botId: BotId;
  readonly leg: SymbolHolding["leg"];
  readonly side: PositionSide;
  readonly qty: Decimal;
};

/** How it stands. */
export type FlattenLook = {
  readonly holdings: readonly BotHolding[];
  /** What anybody else holds on the same legs. */
  readonly isShared: (holding: BotHolding) => boolean;
  /** Orders that are not final, or whose records are not all booked. */
  readonly unsettled: readonly StoredIntent[];
  /** Whether every trade record up to now was read. */
  readonly isSynced: boolean;
};

const ZERO = "0" as Decimal;
/** Orders whose trade records are waited for; the oldest come first. */
const TOUCHED_MAX = 500;

/** Names a holding. */
export function holdingKey({ owner, symbol, side }: Pick<BotHolding, "owner" | "symbol" | "side">) {
  return `${owner} ${symbol} ${side}`;
}

/** Whether an order or a holding belongs to what is closed. */
export function concerns({ owner }: FlattenWish, of: Owner | "account"): boolean {
  return owner === null ? botOf(of) !== null : of === owner;
}

function botOf(owner: Owner | "account"): BotId | null {
  return owner === "account" ? null : botIdOf(owner);
}

/** A closing order, which can only make a position smaller. */
export function isClose({ purpose, isReduceOnly }: StoredIntent): boolean {
  return purpose === "flatten" && isReduceOnly;
}

/** Reads trade records, answers about doubtful orders, then the rows. @throws without a database */
export async function lookAt(run: FlattenRun): Promise<FlattenLook> {
  const { live, what, before } = run;
  const { scope, accountId } = live.account;
  const isSynced = await sync(run);
  const alive = await live.store.aliveIntents(scope, accountId);
  const ids = [...run.touched].slice(0, TOUCHED_MAX);
  const touched = ids.length === 0 ? [] : await live.store.orders(scope, accountId, ids);
  const all = await live.store.holdings(scope, accountId);
  const holdings = all.flatMap((holding) => botHolding(what, holding) ?? []);
  for (const holding of holdings) {
    const known = before.get(holdingKey(holding));
    if (!known || compare(known.qty, holding.qty) < 0) before.set(holdingKey(holding), holding);
  }
  const mine = alive.filter(({ owner }) => concerns(what, owner));
  const ended = touched.map(({ intent }) => intent).filter(({ status }) => isFinal(status));
  return {
    holdings,
    isShared: ({ owner, symbol, leg }) =>
      all.some(
        (other) =>
          other.symbol === symbol &&
          other.leg === leg &&
          other.holder !== owner &&
          other.holder !== "account",
      ),
    unsettled: [...mine, ...ended.filter((intent) => compare(pendingOf(intent), ZERO) > 0)],
    isSynced,
  };
}

function botHolding(what: FlattenWish, holding: SymbolHolding): BotHolding | null {
  const { symbol, holder, leg, position } = holding;
  const { positionSide: side, qty } = position;
  if (holder === "account" || holder === "foreign" || side === null) return null;
  const botId = botOf(holder);
  if (botId === null || !concerns(what, holder) || compare(qty, ZERO) <= 0) return null;
  return { symbol, owner: holder, botId, leg, side, qty };
}

/** What an order may still execute, or has executed without our having the records. */
export function pendingOf({ status, qty, filledQty, reportedFilledQty }: StoredIntent): Decimal {
  if (status === "planned" || status === "parked") return ZERO;
  if (!isFinal(status)) return subtract(qty, filledQty);
  const told = reportedFilledQty ?? filledQty;
  return compare(told, filledQty) > 0 ? subtract(told, filledQty) : ZERO;
}

/** What unsettled orders may still take from a holding. */
export function leavingQty({ unsettled }: FlattenLook, { owner, symbol, side }: BotHolding) {
  return unsettled
    .filter(
      (intent) =>
        intent.isReduceOnly &&
        intent.owner === owner &&
        intent.symbol === symbol &&
        intent.positionSide === side,
    )
    .reduce((sum, intent) => add(sum, pendingOf(intent)), ZERO);
}

/** Asks for everything that was traded. @returns false when an answer is missing */
async function sync(run: FlattenRun): Promise<boolean> {
  const { parts, live, signal, sinceAt } = run;
  let isComplete = true;
  for (const symbol of await symbolsOf(run)) {
    try {
      if (!run.markets.has(symbol)) {
        run.markets.set(symbol, await parts.openMarket(symbol, signal));
      }
      const { refused } = await parts.ingest.trades(symbol, sinceAt, signal);
      if (refused.length > 0) isComplete = false;
    } catch (error) {
      signal.throwIfAborted();
      live.log.warn(`trades of ${symbol} could not be read while closing`, { error });
      isComplete = false;
    }
  }
  await parts.resolver.settle(signal);
  return isComplete;
}

async function symbolsOf({ live, what }: FlattenRun): Promise<ReadonlySet<string>> {
  const { scope, accountId } = live.account;
  const alive = await live.store.aliveIntents(scope, accountId);
  const holdings = await live.store.holdings(scope, accountId);
  return new Set([
    ...(what.owner === null ? [] : what.symbols),
    ...alive.filter(({ owner }) => concerns(what, owner)).map(({ symbol }) => symbol),
    ...holdings.filter(({ holder }) => concerns(what, holder)).map(({ symbol }) => symbol),
  ]);
}
