// Facts in: asks the exchange for trade records and funding payments and books them. Called by the fast
// tick, the resolver and the reconciler, at any time and as often as they like: a fact is booked once.
// It never invents a fill, never drops one it could not book, and starts from the exchange's own instants.
import { takerSentence } from "../../execution/maker-check.ts";
import { isFinal } from "../../execution/order-machine.ts";
import type { EventKind } from "../../model/event-kinds.ts";
import { assert } from "../../model/result.ts";
import type { EpochMs } from "../../model/time.ts";
import { fillRef } from "../../model/trade-record.ts";
import type { FeeRates, FundingPayment, TradeRecord } from "../../ports/broker.ts";
import type { NewFill, StoredIntent } from "../../ports/trading-store.ts";
import { type AssetPrice, type FactMarket, fillOf } from "./fact-records.ts";
import type { FactIngest, IngestReport, LiveDeps } from "./live-types.ts";
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

/** Every look begins this long before the newest fact it knows: records arrive late. */
const OVERLAP_MS = 5 * 60_000;
/** A record that could not be given a leg is offered again for so long. */
const OFFER_AGAIN_MS = 3_600_000;
/** Orders that ended lately and may still have records. */
const RECENT_MAX = 500;
/** Refused records remembered so that each is told once. */
const TOLD_MAX = 1000;
/** Booked records remembered so that an overlap costs no statements. */
const SETTLED_MAX = 5000;

/** Where the next look at a symbol begins. */
type Cursors = Map<string, EpochMs>;

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
  function inLane(lane: string, look: () => Promise<IngestReport>): Promise<IngestReport> {
    const done = (lanes.get(lane) ?? Promise.resolve()).then(look, look);
    lanes.set(lane, done);
    return done;
  }

  return {
    trades: (symbol, sinceAt, signal) =>
      inLane(`trades ${symbol}`, () => lookAtTrades(deps, state, { symbol, sinceAt }, signal)),
    funding: (symbol, signal) =>
      inLane(`funding ${symbol}`, () => lookAtFunding(deps, state, symbol, signal)),
  };
}

type State = {
  readonly trades: Cursors;
  readonly funding: Cursors;
  readonly told: Set<string>;
  /** Records that are booked as they are, so that they need not be offered at every look. */
  readonly settled: Set<string>;
  /** When this ingest began; sure once the exchange told its time. */
  readonly start: { at: EpochMs; readonly monotonicMs: number; isSure: boolean };
  readonly triggers: ReturnType<typeof createTriggerFills>;
};

type Draft = { booked: number; corrected: number; readonly refused: string[] };

async function lookAtTrades(
  deps: FactIngestDeps,
  state: State,
  asked: { readonly symbol: string; readonly sinceAt: EpochMs | null },
  signal: AbortSignal,
): Promise<IngestReport> {
  const { symbol } = asked;
  if (!deps.markets.has(symbol)) return unknownMarket(symbol);
  const cursor = state.trades.get(symbol) ?? (await firstInstant(deps, state, symbol, signal));
  const sinceAt = Math.max(0, Math.min(cursor - OVERLAP_MS, asked.sinceAt ?? cursor));
  const records = await deps.broker.tradesSince({ symbol, sinceAt }, { signal });
  const fresh = records.filter((record) => !state.settled.has(JSON.stringify(record)));
  const draft: Draft = { booked: 0, corrected: 0, refused: [] };
  const held = fresh.length > 0 ? await bookTrades(deps, state, draft, fresh, signal) : [];
  advance(state.trades, symbol, cursor, records, held);
  if (draft.booked + draft.corrected > 0) deps.onBooked(symbol);
  return draft;
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

/** Forward to the newest record, but never past one that has to be offered again. */
function advance(
  cursors: Cursors,
  symbol: string,
  cursor: EpochMs,
  facts: readonly { readonly at: EpochMs }[],
  held: readonly EpochMs[],
): void {
  const newest = facts.reduce((latest, { at }) => Math.max(latest, at), cursor);
  const waiting = held.filter((at) => newest - at < OFFER_AGAIN_MS);
  cursors.set(symbol, Math.min(newest, ...waiting));
}

/** Orders of the symbol that may have records: alive, or ended lately. */
async function intentsOf(deps: FactIngestDeps, symbol: string): Promise<StoredIntent[]> {
  const { store, account } = deps;
  const { scope, accountId } = account;
  const alive = await store.aliveIntents(scope, accountId);
  const recent = await store.recentIntents(scope, accountId, { owner: null, limit: RECENT_MAX });
  const ended = recent.filter(({ status }) => isFinal(status));
  return [...alive, ...ended].filter((intent) => intent.symbol === symbol);
}

/**
 * The earliest of the start, the newest booked fill and the orders that may still be filled; without any
 * booked fill, of all orders.
 */
async function firstInstant(
  deps: FactIngestDeps,
  { start }: State,
  symbol: string,
  signal: AbortSignal,
): Promise<EpochMs> {
  const fills = await deps.store.fills(deps.account.scope, deps.account.accountId, symbol);
  const newest = fills.at(-1)?.at ?? Number.POSITIVE_INFINITY;
  const sent = (await intentsOf(deps, symbol)).flatMap(({ status, sentAt }) =>
    sentAt === null || (fills.length > 0 && isFinal(status)) ? [] : [sentAt],
  );
  return Math.min(newest, await startOf(deps, start, signal), ...sent);
}

/** When we began, by the exchange's clock where ours is ahead of it: its records carry its time. */
async function startOf(
  { broker, clock }: FactIngestDeps,
  start: State["start"],
  signal: AbortSignal,
): Promise<EpochMs> {
  if (start.isSure) return start.at;
  const theirs = await broker.serverTime({ signal });
  const sinceMs = Math.round(clock.monotonicMs() - start.monotonicMs);
  start.at = Math.min(start.at, theirs - sinceMs);
  start.isSure = true;
  return start.at;
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
  const cursor = state.funding.get(symbol) ?? (await firstPayment(deps, state, symbol, signal));
  const sinceAt = Math.max(0, cursor - OVERLAP_MS);
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

/** Funding can only be due since the first fill. */
async function firstPayment(
  deps: FactIngestDeps,
  { start }: State,
  symbol: string,
  signal: AbortSignal,
): Promise<EpochMs> {
  const [first] = await deps.store.fills(deps.account.scope, deps.account.accountId, symbol);
  return Math.min(first?.at ?? Number.POSITIVE_INFINITY, await startOf(deps, start, signal));
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
