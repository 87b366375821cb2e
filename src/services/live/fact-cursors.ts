// Where a look at facts begins and how far it brought us. Used by the fact ingest for trade records and funding
// payments. It begins at the exchange's own instants and never moves past a fact that has to be offered again.
import { isFinal } from "../../execution/order-machine.ts";
import type { EpochMs } from "../../model/time.ts";
import type { StoredIntent } from "../../ports/trading-store.ts";
import type { LiveDeps } from "./live-types.ts";

/** Every look begins this long before the newest fact it knows: records arrive late. */
const OVERLAP_MS = 5 * 60_000;
/** A record that could not be given a leg is offered again for so long. */
const OFFER_AGAIN_MS = 3_600_000;
/** Where a look at all markets found nothing of a market, the next one begins this long before what it found. */
const QUIET_MS = 3_600_000;
/** Orders that ended lately and may still have records. */
const RECENT_MAX = 500;

/** Where the next look at a symbol begins. */
export type Cursors = Map<string, EpochMs>;

/** A look about to be made: what is known up to `cursor`, asked from `sinceAt`. */
export type Begin = { readonly cursor: EpochMs; readonly sinceAt: EpochMs };

type Dated = { readonly at: EpochMs };

/** From where to ask; `wanted` may be earlier than what is known. */
export function beginAt(cursor: EpochMs, wanted: EpochMs | null): Begin {
  return { cursor, sinceAt: Math.max(0, Math.min(cursor - OVERLAP_MS, wanted ?? cursor)) };
}

/**
 * Forward to the newest record, but never past one that has to be offered again.
 * @param others the newest fact of other symbols that the same answer held; null when it held one symbol only
 */
export function advance(
  cursors: Cursors,
  symbol: string,
  cursor: EpochMs,
  facts: readonly Dated[],
  held: readonly EpochMs[],
  others: EpochMs | null = null,
): void {
  const quiet = others === null ? cursor : Math.max(cursor, others - QUIET_MS);
  const newest = facts.reduce((latest, { at }) => Math.max(latest, at), quiet);
  const waiting = held.filter((at) => newest - at < OFFER_AGAIN_MS);
  cursors.set(symbol, Math.min(newest, ...waiting));
}

/** Orders of the symbol that may have records: alive, or ended lately. */
export async function intentsOf(deps: LiveDeps, symbol: string): Promise<StoredIntent[]> {
  const { store, account } = deps;
  const { scope, accountId } = account;
  const alive = await store.aliveIntents(scope, accountId);
  const recent = await store.recentIntents(scope, accountId, { owner: null, limit: RECENT_MAX });
  const ended = recent.filter(({ status }) => isFinal(status));
  return [...alive, ...ended].filter((intent) => intent.symbol === symbol);
}

/** When facts of an account began to be asked for; sure once the exchange told its time. */
export type Start = { at: EpochMs; readonly monotonicMs: number; isSure: boolean };

/**
 * The earliest of the start, the newest booked fill and the orders that may still be filled; without any
 * booked fill, of all orders.
 */
export async function firstTrade(
  deps: LiveDeps,
  start: Start,
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

/** Funding can only be due since the first fill. */
export async function firstPayment(
  deps: LiveDeps,
  start: Start,
  symbol: string,
  signal: AbortSignal,
): Promise<EpochMs> {
  const [first] = await deps.store.fills(deps.account.scope, deps.account.accountId, symbol);
  return Math.min(first?.at ?? Number.POSITIVE_INFINITY, await startOf(deps, start, signal));
}

/** When we began, by the exchange's clock where ours is ahead of it: its records carry its time. */
async function startOf(
  { broker, clock }: LiveDeps,
  start: Start,
  signal: AbortSignal,
): Promise<EpochMs> {
  if (start.isSure) return start.at;
  const theirs = await broker.serverTime({ signal });
  const sinceMs = Math.round(clock.monotonicMs() - start.monotonicMs);
  start.at = Math.min(start.at, theirs - sinceMs);
  start.isSure = true;
  return start.at;
}
