// Order intents on PostgreSQL: the write-ahead commit before anything is sent, what became of them, and
// the fills that belong to them. Used by trading-repository.ts.
import { compare, type Decimal, decimal } from "../../model/decimal.ts";
import type { OrderTransition } from "../../model/order-status.ts";
import { assert, InvariantError, ok, refuse, type Result } from "../../model/result.ts";
import type { EpochMs } from "../../model/time.ts";
import { compareKeys, factKey, type BookFact } from "../../model/trade-record.ts";
import type { Scope } from "../../ports/access-store.ts";
import type {
  CommitRefusal,
  IntentBatch,
  IntentId,
  IntentNews,
  LeaseGuard,
  NewIntent,
  StoredIntent,
  TradingStore,
} from "../../ports/trading-store.ts";
import { insertEvents } from "./bot-events.ts";
import { type AccountKey, moveState } from "./bot-states.ts";
import type { Sql, Transaction } from "./connect.ts";
import { errorCode } from "./errors.ts";
import { at, jsonb, one } from "./rows.ts";
import { rebook } from "./trading-book.ts";
import { type GuardedAccount, guarded, isEpoch, leaseLost } from "./trading-leases.ts";
import {
  type FillRow,
  fillColumns,
  fillOf,
  intentColumns,
  intentOf,
  intentsJson,
} from "./trading-rows.ts";

const UNIQUE_VIOLATION = "23505";
const NOTHING = decimal(0);

/** The part of the store that keeps intents. */
export function createTradingIntents(
  sql: Sql,
  next: OrderTransition,
): Pick<TradingStore, "commitIntents" | "recordNews"> {
  return {
    commitIntents: async (scope, guard, seenEpoch, batch, now) => {
      checkIds(batch);
      try {
        return ok(
          await sql.begin((tx) => commit(tx, next, { scope, guard, seenEpoch, batch, now })),
        );
      } catch (error) {
        if (error instanceof Refused) return error.refusal;
        if (errorCode(error) !== UNIQUE_VIOLATION) throw error;
        return refuse("duplicate_id", "a client order id of these intents was used before");
      }
    },
    recordNews: (scope, guard, id, news, now) =>
      sql.begin((tx) => recordNews(tx, next, { scope, guard, id, news, now })),
  };
}

type Commit = {
  readonly scope: Scope;
  readonly guard: LeaseGuard;
  readonly seenEpoch: number;
  readonly batch: IntentBatch;
  readonly now: EpochMs;
};

type Refusal = Extract<Result<never, CommitRefusal>, { ok: false }>;

/** Thrown inside a transaction, so that what was written before the refusal is undone. */
class Refused extends Error {
  override readonly name = "Refused";
  constructor(readonly refusal: Refusal) {
    super(refusal.detail);
  }
}

function checkIds({ send, withdraw = [] }: IntentBatch): void {
  const ids = [...send.map(({ id }) => id), ...withdraw];
  assert(new Set(ids).size === ids.length, "an intent is sent or withdrawn once per commit");
}

/**
 * Sends every statement before the first answer is read, which makes the commit one exchange between
 * BEGIN and COMMIT. The server carries them out in this order, the lease first; a refusal undoes all.
 * @throws Refused
 */
async function commit(
  tx: Transaction,
  next: OrderTransition,
  { scope, guard, seenEpoch, batch, now }: Commit,
): Promise<readonly StoredIntent[]> {
  const { place, send, withdraw = [], step } = batch;
  const owner = { workspaceId: scope.workspaceId, accountId: guard.accountId };
  const waits = [...send.map(({ id }) => id), ...withdraw];
  const [lease, epoch, waiting, placed, sent, withdrawn, moved, noted] = await Promise.allSettled([
    guarded(tx, scope, guard),
    isEpoch(tx, scope, seenEpoch),
    intentsById(tx, owner, waits),
    insertIntents(tx, owner, place, now),
    sendIntents(tx, owner, send, now),
    withdrawIntents(tx, owner, withdraw, now),
    step ? moveState(tx, owner, step, now) : true,
    step ? insertEvents(tx, owner, step.events) : null,
  ]);
  if (answerOf(lease) === null) throw new Refused(leaseLost());
  if (!answerOf(epoch)) {
    const detail = `the trading states changed after epoch ${seenEpoch}`;
    throw new Refused(refuse("epoch_moved", detail));
  }
  const stored = answerOf(waiting);
  const can = (id: IntentId, event: "send" | "withdraw") => {
    const intent = stored.get(id);
    return intent !== undefined && next(intent.status, event) !== null;
  };
  if (!send.every(({ id }) => can(id, "send")) || !withdraw.every((id) => can(id, "withdraw"))) {
    throw new Refused(refuse("not_waiting", "an intent is not waiting any more"));
  }
  const fresh = answerOf(placed);
  const changed = answerOf(sent);
  answerOf(withdrawn);
  if (!answerOf(moved)) {
    throw new Refused(refuse("state_moved", "the state of the bot is not the one that was seen"));
  }
  answerOf(noted);
  return [...fresh, ...changed];
}

/** What a statement answered. @throws what it failed with */
function answerOf<T>(answer: PromiseSettledResult<T>): T {
  if (answer.status === "rejected") throw answer.reason;
  return answer.value;
}

/** Read under the lease, which nobody else holds until the transaction ends. */
async function intentsById(
  tx: Transaction,
  { workspaceId, accountId }: AccountKey,
  ids: readonly IntentId[],
): Promise<Map<IntentId, StoredIntent>> {
  if (ids.length === 0) return new Map();
  const rows = await tx<StoredIntent[]>`
    select ${intentColumns(tx)} from order_intents
    where account_id = ${accountId} and workspace_id = ${workspaceId}
      and id = any(${[...ids]}::bigint[])`;
  return new Map(rows.map((row) => [row.id, intentOf(row)]));
}

async function insertIntents(
  tx: Transaction,
  { workspaceId, accountId }: AccountKey,
  intents: readonly NewIntent[],
  now: EpochMs,
): Promise<StoredIntent[]> {
  if (intents.length === 0) return [];
  const rows = await tx<StoredIntent[]>`
    insert into order_intents (workspace_id, account_id, mode, status, client_order_id, owner,
      symbol, leg, position_side, side, purpose, reason, target_key, terms, is_reduce_only, qty,
      decided_at, sent_at, created_at, updated_at)
    select a.workspace_id, a.id, a.mode, x.status, x.client_order_id, x.owner, x.symbol, x.leg,
      x.position_side, x.side, x.purpose, x.reason, x.target_key, x.terms, x.is_reduce_only,
      x.qty, x.decided_at, x.sent_at, ${at(now)}, ${at(now)}
    from jsonb_to_recordset(${jsonb(tx, intentsJson(intents, now))}) as x (
      position integer, status text, client_order_id text, owner text, symbol text, leg text,
      position_side text, side text, purpose text, reason text, target_key text, terms jsonb,
      is_reduce_only boolean, qty numeric, decided_at timestamptz, sent_at timestamptz)
    join accounts a on a.id = ${accountId} and a.workspace_id = ${workspaceId}
    order by x.position
    returning ${intentColumns(tx)}`;
  return rows.map(intentOf);
}

async function sendIntents(
  tx: Transaction,
  { workspaceId, accountId }: AccountKey,
  send: IntentBatch["send"],
  now: EpochMs,
): Promise<StoredIntent[]> {
  if (send.length === 0) return [];
  const ids = send.map(({ id, clientOrderId }) => ({ sent_id: id, sent_as: clientOrderId }));
  const rows = await tx<StoredIntent[]>`
    update order_intents set status = 'sending', client_order_id = x.sent_as,
      sent_at = ${at(now)}, updated_at = ${at(now)}, version = version + 1
    from jsonb_to_recordset(${jsonb(tx, ids)}) as x (sent_id bigint, sent_as text)
    where id = x.sent_id and account_id = ${accountId} and workspace_id = ${workspaceId}
    returning ${intentColumns(tx)}`;
  const stored = new Map(rows.map((row) => [row.id, intentOf(row)]));
  return send.flatMap(({ id }) => stored.get(id) ?? []);
}

async function withdrawIntents(
  tx: Transaction,
  { workspaceId, accountId }: AccountKey,
  ids: readonly IntentId[],
  now: EpochMs,
): Promise<void> {
  if (ids.length === 0) return;
  await tx`
    update order_intents set status = 'cancelled', updated_at = ${at(now)}, version = version + 1
    where id = any(${[...ids]}::bigint[]) and account_id = ${accountId}
      and workspace_id = ${workspaceId}`;
}

type News = {
  readonly scope: Scope;
  readonly guard: LeaseGuard;
  readonly id: IntentId;
  readonly news: IntentNews;
  readonly now: EpochMs;
};

async function recordNews(
  tx: Transaction,
  next: OrderTransition,
  { scope, guard, id, news, now }: News,
): Promise<Result<StoredIntent, "lease_lost" | "unknown_intent" | "impossible">> {
  const account = await guarded(tx, scope, guard);
  if (!account) return leaseLost();
  const intent = (await intentsById(tx, account, [id])).get(id);
  if (!intent) return refuse("unknown_intent", "the account has no such intent");
  const { exchangeOrderId, reportedFilledQty, detail, event } = news;
  const status = next(intent.status, event);
  if (status === null) {
    return refuse("impossible", `${event} cannot happen to an order that is ${intent.status}`);
  }
  const known = intent.exchangeOrderId;
  if (known !== null && exchangeOrderId !== undefined && known !== exchangeOrderId) {
    return refuse("impossible", `the order is ${known} at the exchange, not ${exchangeOrderId}`);
  }
  const changed = one(
    await tx<StoredIntent[]>`
      update order_intents set status = ${status},
        exchange_order_id = coalesce(exchange_order_id, ${exchangeOrderId ?? null}),
        reported_filled_qty = greatest(reported_filled_qty, ${reportedFilledQty ?? null}::numeric),
        detail = coalesce(${detail ?? null}, detail), updated_at = ${at(now)},
        version = version + 1
      where id = ${id}
      returning ${intentColumns(tx)}`,
  );
  const stored = intentOf(changed);
  if (known !== null || exchangeOrderId === undefined) return ok(stored);
  const hasFills = await adoptFills(tx, account, stored);
  return ok(hasFills ? await countFills(tx, next, id, now) : stored);
}

/** Gives an intent the fills of its order that came before we knew that it was ours. */
async function adoptFills(
  tx: Transaction,
  account: GuardedAccount,
  intent: StoredIntent,
): Promise<boolean> {
  const rows = await tx<FillRow[]>`
    with adopted as (
      update fills set intent_id = ${intent.id}
      where account_id = ${account.accountId} and symbol = ${intent.symbol}
        and exchange_order_id = ${intent.exchangeOrderId} and intent_id is null
      returning *
    )
    select ${fillColumns(tx)} from adopted f join order_intents i on i.id = f.intent_id`;
  const facts = rows.map((row): BookFact => ({ kind: "fill", fill: fillOf(row) }));
  const [first] = facts.sort((a, b) => compareKeys(factKey(a), factKey(b)));
  if (!first) return false;
  await rebook(tx, account, intent.symbol, first);
  return true;
}

/** Adds up the fills of an intent again and moves its status on. */
export async function countFills(
  tx: Transaction,
  next: OrderTransition,
  id: IntentId,
  now: EpochMs,
): Promise<StoredIntent> {
  const { filledQty } = one(
    await tx<{ filledQty: Decimal }[]>`
      select coalesce(sum(qty), 0) as filled_qty from fills where intent_id = ${id}`,
  );
  const intent = one(
    await tx<StoredIntent[]>`
      select ${intentColumns(tx)} from order_intents where id = ${id}`,
  );
  const event = compare(filledQty, intent.qty) >= 0 ? "fill_rest" : "fill_part";
  const isFilled = compare(filledQty, NOTHING) > 0;
  const status = isFilled ? next(intent.status, event) : intent.status;
  // A trade record names the order by the exchange's id, which only a sent intent has.
  if (status === null) throw new InvariantError(`a fill for an order that is ${intent.status}`);
  const row = one(
    await tx<StoredIntent[]>`
      update order_intents set filled_qty = ${decimal(filledQty)}, status = ${status},
        updated_at = greatest(updated_at, ${at(now)}), version = version + 1
      where id = ${id}
      returning ${intentColumns(tx)}`,
  );
  return intentOf(row);
}
