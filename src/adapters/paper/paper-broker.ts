// The broker of paper accounts: live prices of the real exchange, simulated fills, behind the same port
// as the real one. Built by the composition root from what the trading rows tell. Nothing it does
// leaves this machine; every call looks at the market first, so that fills show as they would there.
import type { Result } from "../../model/result.ts";
import type {
  Broker,
  CallOptions,
  PositionMode,
  RefusalReason,
  WriteAnswer,
  TradesQuery,
} from "../../ports/broker.ts";
import { ADVICE, BrokerError, type FaultClass } from "../ccxt/error-types.ts";
import {
  createPaperBook,
  endOrder,
  keepOrder,
  leverageOf,
  marketOf,
  noteMove,
  type PaperBook,
  type PaperMarket,
  type PaperTerms,
  setLeg,
  settleFundingTo,
} from "./paper-book.ts";
import {
  createEyes,
  noPrice,
  type PaperEyes,
  type PaperMarketDeps,
  PRICE_AGE_MAX_MS,
} from "./paper-market.ts";
import { ordersOf } from "./paper-matching.ts";
import { amendOrder, cancelOrder, orderOf, placeOrder } from "./paper-orders.ts";
import {
  balanceReports,
  isIdle,
  orderReport,
  PAPER_CAPABILITIES,
  positionReports,
} from "./paper-reports.ts";
import type { PaperSeed } from "./paper-seed.ts";

/** What the composition root decides. */
export type PaperDeps = PaperMarketDeps & { readonly terms: PaperTerms };

const LEVERAGE_MAX = 1000;

/** Everything the parts of a broker share. */
type Desk = {
  readonly deps: PaperDeps;
  readonly book: PaperBook;
  readonly eyes: PaperEyes;
  /** When everything is cancelled unless it is put off; null while it is off. */
  deadline: number | null;
  /** The last look brought nothing; told once. */
  isBlind: boolean;
};

/** A paper account as its rows left it. */
export function createPaperBroker(deps: PaperDeps, seed: PaperSeed): Broker {
  const book = createPaperBook(deps.terms, seed.balance);
  for (const held of seed.legs) setLeg(book, held);
  for (const order of seed.orders) keepOrder(book, { ...order });
  book.ranks = seed.orders.length;
  book.lastAt = seed.lastAt;
  for (const [symbol, at] of seed.fundedAt) settleFundingTo(book, symbol, at);
  for (const [symbol, moves] of seed.moves) for (const move of moves) noteMove(book, symbol, move);
  const eyes = createEyes(deps, book, new Set(book.working.values()));
  const desk: Desk = { deps, book, eyes, deadline: null, isBlind: false };
  return {
    exchangeId: deps.prices.exchangeId,
    capabilities: { ...PAPER_CAPABILITIES, fundingPayments: deps.funding !== null },
    ...accountReads(desk),
    ...marketReads(desk),
    ...orderWrites(desk),
    ...settingWrites(desk),
    listen: () => null,
  };
}

type AccountReads = Pick<
  Broker,
  | "order"
  | "openOrders"
  | "tradesSince"
  | "positions"
  | "balances"
  | "leverage"
  | "positionMode"
  | "fundingSince"
  | "permissions"
>;

function accountReads(desk: Desk): AccountReads {
  const { book, eyes } = desk;
  return {
    async order(ref, { signal }) {
      await lookAround(desk, signal);
      const order = orderOf(book, ref);
      return order === undefined ? null : orderReport(order);
    },
    async openOrders(symbol, { signal }) {
      await lookAround(desk, signal);
      const orders = symbol === null ? [...book.working.values()] : ordersOf(book, symbol);
      return orders.map(orderReport);
    },
    async tradesSince(query, { signal }) {
      await lookAround(desk, signal);
      return since(book.trades, book.forgottenAt.trades, query);
    },
    async fundingSince(query, { signal }) {
      await lookAround(desk, signal);
      await eyes.settleFunding(query.symbol, signal);
      signal.throwIfAborted();
      return since(book.payments, book.forgottenAt.payments, query);
    },
    async positions(symbol, { signal }) {
      await lookAround(desk, signal);
      return positionReports(book, symbol);
    },
    async balances({ signal }) {
      await lookAround(desk, signal);
      return balanceReports(book);
    },
    async leverage(symbol, { signal }) {
      signal.throwIfAborted();
      const leverage = leverageOf(book, symbol);
      return { long: leverage, short: leverage };
    },
    async positionMode(_symbol, { signal }) {
      signal.throwIfAborted();
      return book.mode;
    },
    async permissions({ signal }) {
      signal.throwIfAborted();
      return { mayTrade: true, mayWithdraw: false, isAddressBound: null };
    },
  };
}

/** Records of a symbol from an instant on. @throws BrokerError when older ones are forgotten */
function since<T extends { readonly symbol: string; readonly at: number }>(
  records: readonly T[],
  forgottenAt: number,
  { symbol, sinceAt }: TradesQuery,
): T[] {
  if (sinceAt < forgottenAt) {
    throw new BrokerError("incomplete", "records that old are only in the rows of the account");
  }
  return records.filter((record) => record.symbol === symbol && record.at >= sinceAt);
}

type MarketReads = Pick<
  Broker,
  "orderRules" | "feeRates" | "markPrice" | "topOfBook" | "serverTime"
>;

function marketReads({ deps, book, eyes }: Desk): MarketReads {
  /** @throws BrokerError when no price arrived */
  async function look(symbol: string, signal: AbortSignal): Promise<PaperMarket> {
    signal.throwIfAborted();
    try {
      await eyes.look([symbol], signal);
    } catch (error) {
      signal.throwIfAborted();
      throw error instanceof BrokerError ? error : noPrice(symbol);
    }
    return marketOf(book, symbol);
  }

  return {
    async orderRules(symbol, { signal }) {
      signal.throwIfAborted();
      return deps.rules(symbol, signal);
    },
    async feeRates(_symbol, { signal }) {
      signal.throwIfAborted();
      return deps.terms.fees;
    },
    async markPrice(symbol, { signal }) {
      const { mark } = await look(symbol, signal);
      if (mark === null || deps.clock.now() - mark.at > PRICE_AGE_MAX_MS) throw noPrice(symbol);
      return mark;
    },
    async topOfBook(symbol, { signal }) {
      const { top } = await look(symbol, signal);
      if (top === null || !eyes.isFresh(symbol)) throw noPrice(symbol);
      return top;
    },
    async serverTime({ signal }) {
      signal.throwIfAborted();
      return deps.clock.now();
    },
  };
}

/**
 * Looks at everything that rests or is held. Without prices nothing can have happened, so what is
 * known is still the truth.
 * @throws BrokerError when the rules of what is held cannot be read, the signal's reason when aborted
 */
async function lookAround(desk: Desk, signal: AbortSignal): Promise<void> {
  const { book, eyes, deps } = desk;
  signal.throwIfAborted();
  expire(desk);
  if (isIdle(book)) return;
  const orders = [...book.working.values()].map(({ symbol }) => symbol);
  const symbols = [...new Set([...orders, ...[...book.legs.values()].map((leg) => leg.symbol)])];
  await eyes.learn(symbols, signal);
  try {
    await eyes.look(symbols, signal);
    if (desk.isBlind) deps.log.info("paper orders go on: prices are back");
    desk.isBlind = false;
  } catch (error) {
    signal.throwIfAborted();
    if (!desk.isBlind) deps.log.warn("paper orders wait: no prices arrived", { error });
    desk.isBlind = true;
  }
}

/** Cancels everything when the dead-man time is over. */
function expire(desk: Desk): void {
  const { deadline, book, deps } = desk;
  if (deadline === null || deps.clock.monotonicMs() < deadline) return;
  desk.deadline = null;
  for (const order of [...book.working.values()]) endOrder(book, order, "cancelled");
}

type OrderWrites = Pick<Broker, "place" | "amend" | "cancel" | "cancelAll" | "setDeadMan">;

function orderWrites(desk: Desk): OrderWrites {
  const { book, deps } = desk;
  return {
    place: (order, options) =>
      traded(desk, order.symbol, options, () => placeOrder(book, order, deps.clock.now())),
    amend: (ref, change, options) =>
      traded(desk, ref.symbol, options, () => amendOrder(book, ref, change, deps.clock.now())),
    cancel: async (ref, { signal }) => settled(desk, signal, () => cancelOrder(book, ref)),
    cancelAll: async (symbol, { signal }) =>
      settled(desk, signal, () => {
        for (const order of ordersOf(book, symbol)) endOrder(book, order, "cancelled");
        return { ok: true, value: null };
      }),
    setDeadMan: async (afterMs, { signal }) =>
      settled(desk, signal, () => {
        if (!Number.isSafeInteger(afterMs) || afterMs < 0) {
          return bad(`afterMs: ${afterMs} must be a whole number of at least 0`);
        }
        desk.deadline = afterMs === 0 ? null : deps.clock.monotonicMs() + afterMs;
        return { ok: true, value: null };
      }),
  };
}

type SettingWrites = Pick<Broker, "setLeverage" | "setPositionMode">;

function settingWrites(desk: Desk): SettingWrites {
  const { book } = desk;
  return {
    setLeverage: async (symbol, leverage, _positionSide, { signal }) =>
      settled(desk, signal, () => {
        if (!Number.isInteger(leverage) || leverage < 1 || leverage > LEVERAGE_MAX) {
          return bad(`leverage: ${leverage} must be a whole number from 1 to ${LEVERAGE_MAX}`);
        }
        book.leverage.set(symbol, leverage);
        return { ok: true, value: null };
      }),
    setPositionMode: async (_symbol, mode, { signal }) =>
      settled(desk, signal, () => switchMode(book, mode)),
  };
}

function switchMode(book: PaperBook, mode: PositionMode): Result<null, RefusalReason> {
  if (mode !== book.mode && !isIdle(book)) {
    const detail = "the position mode changes only without orders and positions";
    return { ok: false, reason: "POSITION_MODE", detail };
  }
  book.mode = mode;
  return { ok: true, value: null };
}

function bad(detail: string): Result<null, RefusalReason> {
  return { ok: false, reason: "BAD_REQUEST", detail };
}

/** A write that needs the market: it is refused while no price can be trusted. */
async function traded<T>(
  desk: Desk,
  symbol: string,
  { signal }: CallOptions,
  act: () => Result<T, RefusalReason>,
): Promise<WriteAnswer<T>> {
  const { eyes, deps } = desk;
  if (signal.aborted) return stopped(deps);
  try {
    await eyes.look([symbol], signal);
  } catch (error) {
    if (signal.aborted) return stopped(deps);
    deps.log.warn("a paper order was not taken: no prices arrived", { symbol, error });
    return answered(deps, { ok: false, reason: "BUSY", detail: noPrice(symbol).message });
  }
  if (!eyes.isFresh(symbol)) {
    return answered(deps, { ok: false, reason: "BUSY", detail: noPrice(symbol).message });
  }
  return settled(desk, signal, act);
}

function settled<T>(
  desk: Desk,
  signal: AbortSignal,
  act: () => Result<T, RefusalReason>,
): WriteAnswer<T> {
  if (signal.aborted) return stopped(desk.deps);
  expire(desk);
  return answered(desk.deps, act());
}

function stopped(deps: PaperDeps): WriteAnswer<never> {
  const detail = "it was stopped before it was sent";
  return answered(deps, { ok: false, reason: "BUSY", detail });
}

/** What a refusal asks of the sender; the rest is a decision of the strategy. */
const FAULTS: Partial<Readonly<Record<RefusalReason, FaultClass>>> = {
  BUSY: "transport",
  POSITION_MODE: "mode",
  DUPLICATE_CLIENT_ID: "duplicate",
  ORDER_NOT_FOUND: "gone",
  ORDER_FINISHED: "gone",
};

function answered<T>(deps: PaperDeps, result: Result<T, RefusalReason>): WriteAnswer<T> {
  if (result.ok) return { outcome: "accepted", value: result.value };
  const { reason, detail } = result;
  return {
    outcome: "refused",
    reason,
    advice: ADVICE[FAULTS[reason] ?? "business"],
    sentence: `${deps.prices.exchangeId} (paper): ${detail}`,
    retryAfterMs: null,
  };
}
