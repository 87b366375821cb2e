// Facts in: asks the exchange for trade records and funding payments and books them. Called by the fast
// tick, the resolver and the reconciler, at any time and as often as they like: a fact is booked once.
// It never invents a fill, never drops one it could not book, and starts from the exchange's own instants.
import { takerSentence } from "../../execution/maker-check.ts";
import type { EventKind } from "../../model/event-kinds.ts";
import { assert } from "../../model/result.ts";
import type { EpochMs } from "../../model/time.ts";
import { fillRef } from "../../model/trade-record.ts";
import type { FeeRates, FundingPayment, TradeRecord } from "../../ports/broker.ts";
import type { NewFill, StoredIntent } from "../../ports/trading-store.ts";
import {
  advance,
  type Begin,
  beginAt,
  type Cursors,
  firstPayment,
  firstTrade,
  intentsOf,
  type Start,
} from "./fact-cursors.ts";
import { type AssetPrice, type FactMarket, fillOf } from "./fact-records.ts";
import type { FactIngest, IngestReport, LiveDeps, MarketLook } from "./live-types.ts";
import { botIdOf } from "./order-news.ts";
import { failure } from "./reconcile-reads.ts";
import { createTriggerFills } from "./trigger-fills.ts";

/** What the ingest works with. */
export type FactIngestDeps = LiveDeps & {
  /** Markets whose facts can be booked, by symbol. */
  readonly markets: ReadonlyMap<string, FactMarket>;
  /** Fee rates where the exchange does not tell the fee; null when they are not known. */
  readonly feeRates: (symbol: string, signal: AbortSignal) => Promise<FeeRates | null>;
  readonly priceOf: AssetPrice;
  /** Called after something of a symbol was booked: whoever trades it looks at its rows again. */
  readonly onBooked: (symbol: string) => void;
};

/** Refused records remembered so that each is told once. */
const TOLD_MAX = 1000;
/** Booked records remembered so that an overlap costs no statements. */
const SETTLED_MAX = 5000;
/** Markets whose looks begin so close to each other are asked for in one request, where that is possible. */
const TOGETHER_MS = 24 * 3_600_000;

/** Without memory of a former run: the first look begins where the rows end. */
export function createFactIngest(deps: FactIngestDeps): FactIngest {
  const state: State = {
    trades: new Map(),
    funding: new Map(),
    told: new Set(),
    settled: new Set(),
    start: { at: deps.clock.now(), monotonicMs: deps.clock.monotonicMs(), isSure: false },
    triggers: createTriggerFills(deps),
  };
  const lanes = new Map<string, Promise<unknown>>();

  /** Looks at one symbol are carried out one after the other. */
  function inLanes<T>(names: readonly string[], look: () => Promise<T>): Promise<T> {
    const before = names.map((name) => lanes.get(name) ?? Promise.resolve());
    const done = Promise.allSettled(before).then(look);
    for (const name of names) lanes.set(name, done);
    return done;
  }

  const tradesOf: FactIngest["tradesOf"] = (wants, signal) =>
    inLanes(
      [...wants.keys()].map((symbol) => `trades ${symbol}`),
      () => lookAtMany(deps, state, wants, signal),
    );
  return {
    tradesOf,
    async trades(symbol, sinceAt, signal) {
      const look = (await tradesOf(new Map([[symbol, sinceAt]]), signal)).get(symbol);
      assert(look !== undefined, `${symbol}: it was looked at`);
      if ("error" in look) throw look.error;
      return look.report;
    },
    funding: (symbol, signal) =>
      inLanes([`funding ${symbol}`], () => lookAtFunding(deps, state, symbol, signal)),
  };
}

type State = {
  readonly trades: Cursors;
  readonly funding: Cursors;
  readonly told: Set<string>;
  /** Records that are booked as they are, so that they need not be offered at every look. */
  readonly settled: Set<string>;
  readonly start: Start;
  readonly triggers: ReturnType<typeof createTriggerFills>;
};

type Draft = { booked: number; corrected: number; readonly refused: string[] };

/** Several markets in one request where the exchange can, so that none waits for the turns of the others. */
async function lookAtMany(
  deps: FactIngestDeps,
  state: State,
  wants: ReadonlyMap<string, EpochMs | null>,
  signal: AbortSignal,
): Promise<Map<string, MarketLook>> {
  const looks = new Map<string, MarketLook>();
  const begins = new Map<string, Begin>();
  for (const [symbol, wanted] of wants) {
    if (!deps.markets.has(symbol)) {
      looks.set(symbol, { report: unknownMarket(symbol) });
      continue;
    }
    try {
      const known = state.trades.get(symbol);
      const cursor = known ?? (await firstTrade(deps, state.start, symbol, signal));
      begins.set(symbol, beginAt(cursor, wanted));
    } catch (error) {
      looks.set(symbol, { error });
    }
  }
  for (const group of groupsOf(deps, begins)) {
    try {
      for (const [symbol, report] of await lookAtGroup(deps, state, group, signal)) {
        looks.set(symbol, { report });
      }
    } catch (error) {
      for (const symbol of group.keys()) if (!looks.has(symbol)) looks.set(symbol, { error });
    }
  }
  return looks;
}

type Begins = ReadonlyMap<string, Begin>;

/** Those that begin within a day of the latest together, the others alone. */
function groupsOf({ broker }: FactIngestDeps, begins: Begins): readonly Begins[] {
  const latest = Math.max(...[...begins.values()].map(({ sinceAt }) => sinceAt));
  const isNear = ({ sinceAt }: Begin) =>
    broker.capabilities.tradesOfAll && latest - sinceAt <= TOGETHER_MS;
  const near = new Map([...begins].filter(([, begin]) => isNear(begin)));
  const alone = [...begins].filter(([symbol]) => !near.has(symbol));
  return [...(near.size > 0 ? [near] : []), ...alone.map((one) => new Map([one]))];
}

async function lookAtGroup(
  deps: FactIngestDeps,
  state: State,
  group: Begins,
  signal: AbortSignal,
): Promise<Map<string, IngestReport>> {
  const [only] = group.keys();
  const symbol = group.size === 1 ? (only ?? null) : null;
  const sinceAt = Math.min(...[...group.values()].map((begin) => begin.sinceAt));
  const records = await deps.broker.tradesSince({ symbol, sinceAt }, { signal });
  const newest = symbol === null ? (records.at(-1)?.at ?? null) : null;
  const reports = new Map<string, IngestReport>();
  for (const [each, { cursor, sinceAt: from }] of group) {
    const isOwn = (record: TradeRecord) => record.symbol === each && record.at >= from;
    const own = symbol === null ? records.filter(isOwn) : records;
    const fresh = own.filter((record) => !state.settled.has(JSON.stringify(record)));
    const draft: Draft = { booked: 0, corrected: 0, refused: [] };
    const held = fresh.length > 0 ? await bookTrades(deps, state, draft, fresh, signal) : [];
    advance(state.trades, each, cursor, own, held, newest);
    if (draft.booked + draft.corrected > 0) deps.onBooked(each);
    reports.set(each, draft);
  }
  return reports;
}

/** @returns the instants of records that have to be offered again */
async function bookTrades(
  deps: FactIngestDeps,
  state: State,
  draft: Draft,
  fresh: readonly TradeRecord[],
  signal: AbortSignal,
): Promise<EpochMs[]> {
  const [{ symbol } = { symbol: "" }] = fresh;
  const market = deps.markets.get(symbol);
  assert(market !== undefined, `${symbol}: its market is known`);
  const { store, account } = deps;
  const intents = await intentsOf(deps, symbol);
  const booked = async () => {
    const fills = await store.fills(account.scope, account.accountId, symbol);
    return new Map(fills.map((fill) => [fillRef(fill), fill.exchangeOrderId]));
  };
  const { records, waiting } = await state.triggers.attribute(fresh, { intents, booked }, signal);
  const isFeeMissing = records.some(({ record }) => record.fee === null);
  const rates = isFeeMissing ? await ratesOf(deps, symbol, signal) : null;
  const context = { mode: account.positionMode, market, rates, priceOf: deps.priceOf };
  const held = waiting.map(({ at }) => at);
  for (const { record, exchangeOrderId } of records) {
    const fill = { ...fillOf(record, context), exchangeOrderId };
    const outcome = await bookTrade(deps, draft, state, { record, fill, intents }, signal);
    if (outcome === "again") held.push(record.at);
    else if (outcome === "settled") remember(state.settled, JSON.stringify(record), SETTLED_MAX);
  }
  return held;
}

/** Without an answer fees stay missing until the next look; the fills are booked all the same. */
async function ratesOf(
  { feeRates, log }: FactIngestDeps,
  symbol: string,
  signal: AbortSignal,
): Promise<FeeRates | null> {
  try {
    return await feeRates(symbol, signal);
  } catch (error) {
    log.warn(failure(`fee rates of ${symbol}`, error, signal));
    return null;
  }
}

type Offer = {
  readonly record: TradeRecord;
  readonly fill: NewFill;
  readonly intents: readonly StoredIntent[];
};

/** `settled` needs no other look, `again` holds the next look back, `seen` is offered if it comes by. */
async function bookTrade(
  deps: FactIngestDeps,
  draft: Draft,
  state: State,
  { record, fill, intents }: Offer,
  signal: AbortSignal,
): Promise<"settled" | "again" | "seen"> {
  const { store, account, lease } = deps;
  let answer = await store.recordFill(account.scope, lease.guard, fill);
  if (!answer.ok && answer.reason === "LEG_UNKNOWN") {
    const leg = await legOf(deps, record, signal);
    if (leg !== null) {
      answer = await store.recordFill(account.scope, lease.guard, { ...fill, leg });
    }
  }
  if (answer.ok) {
    if (answer.value === "booked") {
      draft.booked += 1;
      noteTaker(deps, fill, intents);
    } else if (answer.value === "fee_replaced") draft.corrected += 1;
    // A missing fee may be estimated later; the record has to come by again for that.
    return fill.fee === null ? "seen" : "settled";
  }
  if (answer.reason === "lease_lost") throw new Error(`the lease is lost: ${answer.detail}`);
  const sentence = `${record.symbol} trade ${record.tradeId}: ${answer.reason}: ${answer.detail}`;
  draft.refused.push(sentence);
  const { symbol, tradeId, exchangeOrderId } = record;
  tellOnce(deps, state, fillRef(record), {
    kind: "fill_conflict",
    sentence,
    fields: { symbol, tradeId, exchangeOrderId, reason: answer.reason },
  });
  return answer.reason === "LEG_UNKNOWN" ? "again" : "seen";
}

/** The leg by the order the trade belongs to; null when the exchange does not tell either. */
async function legOf(
  { broker }: FactIngestDeps,
  { symbol, exchangeOrderId: id }: TradeRecord,
  signal: AbortSignal,
): Promise<"long" | "short" | null> {
  const ref = { symbol, by: "exchange", id, isTrigger: false } as const;
  return (await broker.order(ref, { signal }))?.positionSide ?? null;
}

function noteTaker(deps: FactIngestDeps, fill: NewFill, intents: readonly StoredIntent[]): void {
  const intent = intents.find(({ exchangeOrderId }) => exchangeOrderId === fill.exchangeOrderId);
  const sentence = intent ? takerSentence(intent, fill) : null;
  if (!intent || sentence === null) return;
  const { symbol, tradeId, price, qty } = fill;
  const { clientOrderId } = intent;
  deps.note({
    kind: "maker_expected",
    botId: botIdOf(intent.owner),
    at: deps.clock.now(),
    sentence,
    fields: { symbol, tradeId, price, qty, clientOrderId },
  });
}

async function lookAtFunding(
  deps: FactIngestDeps,
  state: State,
  symbol: string,
  signal: AbortSignal,
): Promise<IngestReport> {
  const market = deps.markets.get(symbol);
  if (!market) return unknownMarket(symbol);
  if (!deps.broker.capabilities.fundingPayments) return { booked: 0, corrected: 0, refused: [] };
  const known = state.funding.get(symbol);
  const first = known ?? (await firstPayment(deps, state.start, symbol, signal));
  const { cursor, sinceAt } = beginAt(first, null);
  const payments = await deps.broker.fundingSince({ symbol, sinceAt }, { signal });
  const draft: Draft = { booked: 0, corrected: 0, refused: [] };
  for (const payment of payments) {
    await bookPayment(deps, state, draft, {
      ...payment,
      asset: payment.asset ?? market.settleAsset,
    });
  }
  advance(state.funding, symbol, cursor, payments, []);
  if (draft.booked > 0) deps.onBooked(symbol);
  return draft;
}

async function bookPayment(
  deps: FactIngestDeps,
  state: State,
  draft: Draft,
  { id, symbol, amount, asset, at }: FundingPayment & { readonly asset: string },
): Promise<void> {
  const payment = { symbol, paymentId: id, amount, asset, at };
  const print = JSON.stringify(payment);
  if (state.settled.has(print)) return;
  const answer = await deps.store.recordFunding(deps.account.scope, deps.lease.guard, payment);
  const fields = { symbol, paymentId: id, amount, asset };
  if (answer.ok) {
    remember(state.settled, print, SETTLED_MAX);
    if (answer.value !== "booked") return;
    draft.booked += 1;
    const sentence = `${symbol}: funding of ${amount} ${asset} was booked`;
    deps.note({ kind: "funding_booked", botId: null, at: deps.clock.now(), sentence, fields });
    return;
  }
  if (answer.reason === "lease_lost") throw new Error(`the lease is lost: ${answer.detail}`);
  const sentence = `${symbol} funding ${id}: ${answer.reason}: ${answer.detail}`;
  draft.refused.push(sentence);
  const once = { kind: "fill_conflict", sentence, fields } as const;
  tellOnce(deps, state, `${symbol}#${id}#funding`, once);
}

type Telling = {
  readonly kind: EventKind;
  readonly sentence: string;
  readonly fields: Readonly<Record<string, string>>;
};

function tellOnce(
  { note, clock }: FactIngestDeps,
  { told }: State,
  ref: string,
  telling: Telling,
): void {
  if (told.has(ref)) return;
  remember(told, ref, TOLD_MAX);
  note({ ...telling, botId: null, at: clock.now() });
}

/** Adds to a set that forgets its oldest. */
function remember(set: Set<string>, value: string, most: number): void {
  const [oldest] = set;
  if (set.size >= most && oldest !== undefined) set.delete(oldest);
  set.add(value);
}

function unknownMarket(symbol: string): IngestReport {
  return {
    booked: 0,
    corrected: 0,
    refused: [`${symbol}: the rules of this market are not known`],
  };
}
