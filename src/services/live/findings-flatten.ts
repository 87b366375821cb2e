// Closes what a person holds beside the bots: market orders through the one door, reduce-only, looked at again until
// the trade records say that it is gone. Called by findings.ts. It never orders more than the person holds, nor more
// than the exchange shows on the leg.
import { compare, type Decimal } from "../../model/decimal.ts";
import type { PositionSide } from "../../model/order.ts";
import { ok, refuse, type Result } from "../../model/result.ts";
import type { EpochMs } from "../../model/time.ts";
import type { Leg } from "../../model/trade-record.ts";
import type { StoredIntent } from "../../ports/trading-store.ts";
import type { AccountMarket, AccountParts } from "./account-parts.ts";
import { approvedClose } from "./account-commands.ts";
import { OPERATOR_BOT } from "./findings-adopt.ts";
import { OPERATOR } from "./findings-found.ts";
import { slicesOf } from "./flatten-slices.ts";
import type { LiveDeps, PlaceOrder } from "./live-types.ts";

/** What closing works with. */
export type ClosingParts = {
  readonly live: LiveDeps;
  readonly parts: Pick<AccountParts, "dispatcher" | "ingest" | "resolver" | "openMarket">;
};

/** Waits before each look. */
const ROUNDS_AFTER_MS = [0, 500, 1000, 2000, 3000, 5000, 5000, 5000];
/** Trade records are asked for from this long before closing began. */
const BEFORE_MS = 60_000;
const LIMIT_MS = 60_000;

type Held = { readonly side: PositionSide; readonly qty: Decimal };

/** Closes the person's part of a leg. @returns what was closed, proven by the records */
export async function closePerson(
  { live, parts }: ClosingParts,
  { symbol, leg }: { readonly symbol: string; readonly leg: Leg },
): Promise<Result<null, "not_closed">> {
  const signal = AbortSignal.timeout(LIMIT_MS);
  const market = await parts.openMarket(symbol, signal);
  const sinceAt: EpochMs = live.clock.now() - BEFORE_MS;
  let detail = "the exchange did not answer";
  for (const waitMs of ROUNDS_AFTER_MS) {
    if (waitMs > 0) await live.clock.sleep(waitMs, signal);
    await parts.ingest.trades(symbol, sinceAt, signal);
    await parts.resolver.settle(signal);
    const held = await heldByPerson(live, symbol, leg);
    if (held === null) return ok(null);
    detail = (await closeRound({ live, parts }, { symbol, leg, held, market }, signal)) ?? detail;
  }
  return refuse("not_closed", detail);
}

async function heldByPerson(live: LiveDeps, symbol: string, leg: Leg): Promise<Held | null> {
  const { store, account } = live;
  const holdings = await store.holdings(account.scope, account.accountId);
  const mine = holdings.find(
    (one) => one.symbol === symbol && one.leg === leg && one.holder === OPERATOR,
  );
  const side = mine?.position.positionSide ?? null;
  return mine === undefined || side === null ? null : { side, qty: mine.position.qty };
}

type Round = {
  readonly symbol: string;
  readonly leg: Leg;
  readonly held: Held;
  readonly market: AccountMarket;
};

/** Sends what may be sent now. @returns why it is not closed yet; null when nothing is in the way */
async function closeRound(
  { live, parts }: ClosingParts,
  { symbol, leg, held, market }: Round,
  signal: AbortSignal,
): Promise<string | null> {
  const { account, store, broker } = live;
  const alive = await store.aliveIntents(account.scope, account.accountId);
  const isClosing = (one: StoredIntent) =>
    one.owner === OPERATOR && one.purpose === "flatten" && one.symbol === symbol;
  if (alive.some((one) => isClosing(one) && one.leg === leg)) {
    return "the closing order is not proven done";
  }
  const legs = await broker.positions(symbol, { signal, isFlatten: true });
  const there = legs.find(({ positionSide }) => positionSide === held.side);
  if (there === undefined) return "the exchange shows no such position";
  const qty = compare(there.qty, held.qty) < 0 ? there.qty : held.qty;
  const place: PlaceOrder[] = [];
  for (const lots of slicesOf(qty, market.rules, null)) {
    const approved = approvedClose({ live }, OPERATOR_BOT, held.side, lots);
    if (approved === null) return "the trading state does not allow it";
    place.push({
      ...{ approved, owner: OPERATOR, botId: OPERATOR_BOT, heldQty: qty, referencePrice: null },
      market: { rules: market.rules, leverage: null, maker: { queueLevel: null, mayTake: true } },
    });
  }
  if (place.length === 0) return `${qty} is below the smallest order, ${market.rules.qtyMin}`;
  const batch = { cancel: [], park: [], send: [], step: null, isFlatten: true };
  const report = await parts.dispatcher.dispatch({ ...batch, place });
  if (!report.ok) return report.detail;
  const [refused] = report.dispatched.flatMap((one) => ("sentence" in one ? [one.sentence] : []));
  return refused ?? null;
}
