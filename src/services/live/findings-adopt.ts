// Gives trades that belong to nobody here to an owner: the bot of the market, or the person who keeps the position.
// Called by findings.ts. It writes rows and never sends anything: each order of the stranger becomes an intent of the
// owner that is filled already, and its trade records are counted as the owner's from then on.
import { compare, type Decimal, subtract, add } from "../../model/decimal.ts";
import { signedQty } from "../../model/leg-position.ts";
import type { OrderSide, PositionSide } from "../../model/order.ts";
import { ok, refuse, type Result } from "../../model/result.ts";
import type { EpochMs } from "../../model/time.ts";
import type { Leg, OwnedFill } from "../../model/trade-record.ts";
import type { Bot, BotId } from "../../ports/bot-store.ts";
import type { NewIntent } from "../../ports/trading-store.ts";
import type { RunningBot } from "./account-bots.ts";
import { createClientIds } from "./client-ids.ts";
import { type FoundDrift, OPERATOR } from "./findings-found.ts";
import type { LiveDeps } from "./live-types.ts";
import { tell } from "./order-news.ts";
import { sidesOf } from "./position-needs.ts";

/** The number in client order ids of what a person does; no bot has it. */
export const OPERATOR_BOT = 0 as BotId;

const ZERO = "0" as Decimal;
/** Orders of a stranger that are taken over at once. */
const ORDERS_MAX = 100;

/** Who gets it. */
export type Heir = {
  readonly owner: NewIntent["owner"];
  /** Null for a person. */
  readonly bot: Bot | null;
};

const PERSON: Heir = { owner: OPERATOR, bot: null };

/**
 * The only bot that trades the market, when what it holds stays on one of its sides; the person otherwise,
 * and wherever a person holds something on the leg already.
 */
export function heirOf(
  { symbol, leg, difference }: FoundDrift,
  running: readonly RunningBot[],
  isHeldByPerson: boolean,
): Heir {
  const [one, ...more] = running.filter(({ bot }) => bot.symbol === symbol);
  if (isHeldByPerson || difference === null || one === undefined || more.length > 0) return PERSON;
  const { bot, runner } = one;
  if (!runner?.isRestored() || bot.status === "error") return PERSON;
  const held = runner.holding();
  const before = held === null ? ZERO : signedQty(held);
  const after = add(before, difference);
  const side = sideOf(compare(before, ZERO) === 0 ? after : before);
  const isTurned = compare(after, ZERO) !== 0 && sideOf(after) !== side;
  if (isTurned || !sidesOf(bot).includes(side) || (leg !== "net" && leg !== side)) return PERSON;
  return { owner: `bot:${bot.id}`, bot };
}

function sideOf(signed: Decimal): PositionSide {
  return compare(signed, ZERO) < 0 ? "short" : "long";
}

type ForeignOrder = {
  readonly id: string;
  readonly side: OrderSide;
  readonly at: EpochMs;
  qty: Decimal;
};

/**
 * Books the orders that make up the difference as the heir's.
 * @param heldSide the side the heir holds, or will hold
 * @returns how many orders were taken over
 */
export async function giveTo(
  deps: LiveDeps,
  { symbol, leg, difference }: FoundDrift,
  { owner, bot }: Heir,
  heldSide: PositionSide,
): Promise<Result<number, "not_found" | "not_written">> {
  const { account, store, lease, clock } = deps;
  const fills = await store.fills(account.scope, account.accountId, symbol);
  const orders = ordersOf(fills, leg, difference ?? ZERO);
  if (orders === null) {
    return refuse("not_found", "the trade records do not add up to the difference any more");
  }
  const ids = createClientIds(deps);
  // The door counts under the present stamp: a fresh one cannot give out an id twice.
  if (!(await ids.renew())) return refuse("not_written", "the lease of the account is lost");
  for (const order of orders) {
    const clientOrderId = await ids.next(OPERATOR_BOT);
    if (clientOrderId === null) return refuse("not_written", "the lease of the account is lost");
    const { epoch } = deps.cells.cell(account, bot?.id ?? null);
    const expands = (order.side === "buy") === (heldSide === "long");
    const intent: NewIntent = {
      ...{ status: "sending", clientOrderId, owner, symbol, leg, positionSide: heldSide },
      ...{ side: order.side, purpose: expands ? "entry" : "exit", reason: "ADOPTED" },
      ...{ targetKey: "adopted", terms: { kind: "market" }, isReduceOnly: !expands },
      ...{ qty: order.qty, decidedAt: order.at },
    };
    const batch = { place: [intent], send: [] };
    const { scope } = account;
    const made = await store.commitIntents(scope, lease.guard, epoch, batch, clock.now());
    if (!made.ok) return refuse("not_written", made.detail);
    for (const row of made.value) {
      await tell(deps, row, {
        event: "reported_filled",
        exchangeOrderId: order.id,
        reportedFilledQty: order.qty,
        detail: "taken over by a person's decision",
      });
    }
  }
  return ok(orders.length);
}

/** The newest orders of nobody on the leg whose sum is the difference, oldest first; null without any. */
function ordersOf(
  fills: readonly OwnedFill[],
  leg: Leg,
  difference: Decimal,
): readonly ForeignOrder[] | null {
  const byId = new Map<string, ForeignOrder>();
  for (const fill of fills) {
    if (fill.owner !== "foreign" || fill.leg !== leg) continue;
    const { exchangeOrderId: id, side, at, qty } = fill;
    const known = byId.get(id);
    if (known) known.qty = add(known.qty, qty);
    else byId.set(id, { id, side, at, qty });
  }
  const newest = [...byId.values()].reverse().slice(0, ORDERS_MAX);
  let sum = ZERO;
  for (const [index, { side, qty }] of newest.entries()) {
    sum = side === "buy" ? add(sum, qty) : subtract(sum, qty);
    if (compare(sum, difference) === 0) return newest.slice(0, index + 1).reverse();
  }
  return null;
}
