// Whose the trades of a triggered order are. An exchange enters what a trigger order became under a new
// id and without a client id; its trade records would belong to nobody. Called by fact-ingest.ts before
// records are booked; it asks for trigger orders and compares quantities, it never guesses by price.
import { mayRest } from "../../execution/order-machine.ts";
import { add, compare, type Decimal, multiply, subtract } from "../../model/decimal.ts";
import type { TradeRecord } from "../../ports/broker.ts";
import { fillRef } from "../../model/trade-record.ts";
import type { StoredIntent } from "../../ports/trading-store.ts";
import type { LiveDeps } from "./live-types.ts";
import { failure } from "./reconcile-reads.ts";

const ZERO = "0" as Decimal;
/** How long records wait for the trigger order to tell that they are its own. */
const WAIT_MAX_MS = 60_000;
/** Trigger orders asked about in one look. */
const ASKED_MAX = 20;
/** Orders of nobody remembered per symbol. */
const DECIDED_MAX = 1000;

/** A record and the order of ours it is booked under. */
export type Attributed = { readonly record: TradeRecord; readonly exchangeOrderId: string };

/** What became of the records of orders nobody knows. */
export type Attribution = {
  /** Records to book, in the order they came. */
  readonly records: readonly Attributed[];
  /** Records that wait for the exchange to say more. */
  readonly waiting: readonly TradeRecord[];
};

/** What is known on our side. */
export type OwnOrders = {
  /** Orders of the symbol that are alive or ended lately. */
  readonly intents: readonly StoredIntent[];
  /** The order a trade was booked under, by fillRef; asked for only when it matters. */
  readonly booked: () => Promise<ReadonlyMap<string, string>>;
};

/** Attributes the records of one symbol. */
export type TriggerFills = {
  attribute(
    records: readonly TradeRecord[],
    own: OwnOrders,
    signal: AbortSignal,
  ): Promise<Attribution>;
};

type TriggerDeps = Pick<LiveDeps, "broker" | "clock" | "log">;

/** Remembers what was decided, so that a record seen again is given to the same order. */
export function createTriggerFills(deps: TriggerDeps): TriggerFills {
  const memory: Memory = { decided: new Map(), firstSeen: new Map() };
  return {
    async attribute(records, own, signal) {
      const ours = new Set(own.intents.map(({ exchangeOrderId }) => exchangeOrderId));
      const unknown = grouped(records.filter(({ exchangeOrderId }) => !ours.has(exchangeOrderId)));
      await decideByBooks(memory, unknown, own);
      const waiting = await decideByOrders(deps, memory, unknown, own, signal);
      return {
        waiting,
        records: records.flatMap((record) => {
          if (waiting.includes(record)) return [];
          const exchangeOrderId = memory.decided.get(keyOf(record)) ?? record.exchangeOrderId;
          return [{ record, exchangeOrderId }];
        }),
      };
    },
  };
}

type Groups = ReadonlyMap<string, readonly TradeRecord[]>;

/** By `symbol#exchange order id` of an order nobody knows. */
type Memory = {
  /** The order of ours it was given to; its own id when it is nobody's. */
  readonly decided: Map<string, string>;
  readonly firstSeen: Map<string, number>;
};

function decide({ decided, firstSeen }: Memory, key: string, id: string): void {
  firstSeen.delete(key);
  keep(decided, key, id);
}

/** Sets an entry of a map that forgets its oldest. */
function keep<Value>(map: Map<string, Value>, key: string, value: Value): void {
  const [oldest] = map.keys();
  if (map.size >= DECIDED_MAX && oldest !== undefined) map.delete(oldest);
  map.set(key, value);
}

/** What was booked before stays where it is. */
async function decideByBooks(memory: Memory, unknown: Groups, own: OwnOrders): Promise<void> {
  const open = [...unknown].filter(([key]) => !memory.decided.has(key));
  if (open.length === 0) return;
  const booked = await own.booked();
  for (const [key, group] of open) {
    const known = group.map((record) => booked.get(fillRef(record)));
    const before = known.find((id) => id !== undefined);
    if (before !== undefined) decide(memory, key, before);
  }
}

/** @returns records of orders that may turn out to be ours */
async function decideByOrders(
  deps: TriggerDeps,
  memory: Memory,
  unknown: Groups,
  { intents }: OwnOrders,
  signal: AbortSignal,
): Promise<TradeRecord[]> {
  const triggers = intents.filter(({ terms }) => terms.kind === "trigger");
  const unbooked = new Map<StoredIntent, Unbooked>();
  const waiting: TradeRecord[] = [];
  for (const [key, group] of unknown) {
    const [first] = group;
    if (first === undefined || memory.decided.has(key)) continue;
    const rivals = candidates(triggers, first);
    for (const intent of rivals) {
      if (unbooked.has(intent) || unbooked.size >= ASKED_MAX) continue;
      unbooked.set(intent, await unbookedOf(deps, intent, signal));
    }
    const match = rivals.find((intent) => isWhole(unbooked.get(intent) ?? NOTHING, group));
    if (match?.exchangeOrderId) {
      unbooked.set(match, NOTHING);
      decide(memory, key, match.exchangeOrderId);
    } else if (rivals.length > 0 && waits(deps, memory, key)) waiting.push(...group);
    else decide(memory, key, first.exchangeOrderId);
  }
  return waiting;
}

function waits({ clock }: TriggerDeps, { firstSeen }: Memory, key: string): boolean {
  const now = clock.monotonicMs();
  const since = firstSeen.get(key) ?? now;
  if (!firstSeen.has(key)) keep(firstSeen, key, now);
  return now - since < WAIT_MAX_MS;
}

function keyOf({ symbol, exchangeOrderId }: TradeRecord): string {
  return `${symbol}#${exchangeOrderId}`;
}

function grouped(records: readonly TradeRecord[]): Groups {
  return Map.groupBy(records, keyOf);
}

/**
 * Trigger orders a trade could come from: same side and leg, not executed whole yet, and at the exchange
 * or in doubt.
 */
function candidates(triggers: readonly StoredIntent[], trade: TradeRecord): StoredIntent[] {
  return triggers.filter(
    ({ symbol, side, leg, status, exchangeOrderId, filledQty, qty }) =>
      symbol === trade.symbol &&
      side === trade.side &&
      (exchangeOrderId !== null || mayRest(status)) &&
      (leg === "net" || trade.positionSide === null || leg === trade.positionSide) &&
      compare(filledQty, qty) < 0,
  );
}

/** What was executed of a trigger order beyond its booked records. */
type Unbooked = {
  readonly qty: Decimal;
  /** Average price of all of it; null when the exchange does not tell or a part is booked already. */
  readonly price: Decimal | null;
};

const NOTHING: Unbooked = { qty: ZERO, price: null };
/** Averages are told rounded. */
const PRICE_RATIO = "0.000001" as Decimal;

/** Whether the records are all that is missing of an order: somebody else may trade as much. */
function isWhole({ qty, price }: Unbooked, group: readonly TradeRecord[]): boolean {
  const sum = group.reduce((total, record) => add(total, record.qty), ZERO);
  if (compare(qty, sum) !== 0) return false;
  if (price === null) return true;
  const value = group.reduce((total, one) => add(total, multiply(one.price, one.qty)), ZERO);
  const told = multiply(price, qty);
  const apart = subtract(value, told);
  const distance = compare(apart, ZERO) < 0 ? subtract(ZERO, apart) : apart;
  return compare(distance, multiply(told, PRICE_RATIO)) <= 0;
}

/** Asks what is missing; nothing without an answer. */
async function unbookedOf(
  { broker, log }: TriggerDeps,
  { symbol, exchangeOrderId, filledQty }: StoredIntent,
  signal: AbortSignal,
): Promise<Unbooked> {
  if (exchangeOrderId === null) return NOTHING;
  const ref = { symbol, by: "exchange", id: exchangeOrderId, isTrigger: true } as const;
  try {
    const found = await broker.order(ref, { signal });
    if (found === null) return NOTHING;
    const price = compare(filledQty, ZERO) === 0 ? found.averagePrice : null;
    return { qty: subtract(found.filledQty, filledQty), price };
  } catch (error) {
    // The other records of this look are booked all the same; these ones wait for the next look.
    log.warn(failure(`trigger order ${exchangeOrderId}`, error, signal));
    return NOTHING;
  }
}
