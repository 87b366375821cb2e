// The real program on a machine whose clock is wrong: fast, slow, hours off and set back while it trades. The
// exchange's time is right all along, and everything is judged by it: every closed candle may lead to one decision
// and none to two, exits and stops go on as if nothing were wrong, and funding is booked once.
import { expect } from "bun:test";
import { MINUTE_MS } from "../../src/model/time.ts";
import type { Json } from "../../src/ports/settings-store.ts";
import { parseConfig } from "../../src/strategy/dca-atr/config.ts";
import { demoConfig } from "../../src/strategy/dca-atr/demo-config.ts";
import type { LiveOrder } from "../support/live-process.ts";
import { testIf } from "../support/needs.ts";
import { comesToRest, openWorld, type World } from "./kill-world.ts";
import { MASTER_KEY } from "./live-account.ts";

const SPEED = 8;
const HOUR_MS = 3_600_000;
/** How far the clock is off, one after the other. */
const SHIFTS_MS = [0, 30_000, -30_000, 0, HOUR_MS, -HOUR_MS, HOUR_MS, 0];
/** Everything is closed once while the clock is off like this: money is compared only then. */
const CLOSED_AT = 4;
/** Real time of each; two candles close at least. */
const EACH_MS = 16_000;
const BOTS = 8;
/** From the close of a candle to an entry at the exchange, by its clock. */
const DECIDED_WITHIN_MS = 15_000;
const FUNDING_RATE = "0.01";
const FIRST_TICK_MS = 30_000;
const REST_LIMIT_MS = 90_000;
const TIMEOUT_MS = 400_000;

/** Enters at every close, trails closely and adds nothing: a stop may only ever come nearer. */
const STRATEGY = parseConfig({
  ...demoConfig(),
  general: { ...demoConfig().general, max_entries: 1 },
  rsi: { ...demoConfig().rsi, buy_level: 99, sell_level: 100 },
  exits: {
    ...demoConfig().exits,
    ...{ tp_pct: 0.4, sl_pct: 1, trail_activation_pct: 0.05, trail_distance_pct: 0.2 },
  },
}) as unknown as Json;

type Row = {
  readonly id: number;
  readonly owner: string;
  readonly purpose: string;
  readonly side: "buy" | "sell";
  readonly status: string;
  readonly decidedAt: number;
  readonly trigger: string | null;
  readonly clientOrderId: string;
};

/** Orders that were sent, in the order of their decision. */
const ordersOf = ({ database: { sql } }: World, afterId = 0) => sql<Row[]>`
  select id, owner, purpose, side, status, decided_at, terms ->> 'triggerPrice' as trigger,
    client_order_id
  from order_intents where sent_at is not null and id > ${afterId} order by id`;

/** Stops that protect less than the one before in the same position, one sentence each. */
function loosened(orders: readonly Row[]): string[] {
  const found: string[] = [];
  const last = new Map<string, number>();
  for (const { owner, purpose, side, trigger, id } of orders) {
    if (purpose === "entry") last.delete(owner);
    if (purpose !== "protective_stop" || trigger === null) continue;
    const before = last.get(owner);
    const price = Number(trigger);
    const isLooser = before !== undefined && (side === "sell" ? price < before : price > before);
    if (isLooser) found.push(`order ${id} of ${owner}: ${before}, then ${price}`);
    last.set(owner, price);
  }
  return found;
}

/** Entries that did not reach the exchange soon after the close they were decided at, by its clock. */
async function untimely(world: World, orders: readonly Row[]): Promise<string[]> {
  const { accepted } = await world.facts();
  const acceptedAt = new Map(accepted.map(([at, clientId]) => [clientId, at]));
  return orders.flatMap(({ purpose, owner, decidedAt, clientOrderId }) => {
    const at = acceptedAt.get(clientOrderId);
    if (purpose !== "entry" || at === undefined) return [];
    const lateMs = at - decidedAt;
    const isTimely = lateMs >= 0 && lateMs <= DECIDED_WITHIN_MS && decidedAt % MINUTE_MS === 0;
    return isTimely ? [] : [`${owner}: decided at ${decidedAt}, there ${lateMs} ms later`];
  });
}

/** Lets it trade with a clock that is off, funding due at once. @returns what was sent meanwhile */
async function tradesWith(world: World, shift: () => void): Promise<readonly Row[]> {
  const before = (await ordersOf(world)).at(-1)?.id ?? 0;
  shift();
  for (let market = 0; market < BOTS; market++) await world.chargeFunding(market, FUNDING_RATE);
  await Bun.sleep(EACH_MS);
  return ordersOf(world, before);
}

const count = (orders: readonly Row[], isWanted: (order: Row) => boolean) =>
  orders.filter(isWanted).length;

/** Closes everything, waits until money agrees too, and lets the bots go on. */
async function closesAll(world: World): Promise<void> {
  await comesToRest(world, REST_LIMIT_MS);
  await world.until("both books are equal", REST_LIMIT_MS, async () => {
    return (await world.differences()).length === 0;
  });
}

testIf(
  ["minutes", "gcc"],
  "candles, exits, stops and funding go by the exchange's time, whatever the machine's clock says",
  async () => {
    const world = await openWorld({
      ...{ seed: 41, speed: SPEED, accounts: 1, botsPerAccount: BOTS, volatilityPpm: 3000 },
      ...{ strategy: STRATEGY, masterKey: MASTER_KEY },
    });
    try {
      const program = world.startLive();
      await program.next("tick", FIRST_TICK_MS);
      let exitsBefore = 0;
      for (const [index, ms] of SHIFTS_MS.entries()) {
        const tell = () => program.tell({ tell: "shift", ms } satisfies LiveOrder);
        const sent = await tradesWith(world, tell);
        const entries = count(sent, ({ purpose }) => purpose === "entry");
        const stops = count(sent, ({ purpose }) => purpose === "protective_stop");
        const isExit = ({ purpose, status }: Row) => purpose !== "entry" && status === "filled";
        const exits = count(await ordersOf(world), isExit);
        console.log(
          `${ms / 1000} s off: ${entries} entries, ${stops} stops, ${exits} exits so far`,
        );
        expect(entries).toBeGreaterThan(0);
        expect(stops).toBeGreaterThan(entries);
        expect(exits).toBeGreaterThan(exitsBefore);
        exitsBefore = exits;
        if (index !== CLOSED_AT) continue;
        await closesAll(world);
        await world.runAgain();
      }
      const orders = await ordersOf(world);
      const decided = orders.filter(({ purpose }) => purpose === "entry");
      const candles = decided.map(({ owner, decidedAt }) => `${owner} ${decidedAt}`);
      expect(new Set(candles).size).toBe(candles.length);
      expect(await untimely(world, orders)).toEqual([]);
      expect(loosened(orders)).toEqual([]);
      await closesAll(world);
      const [{ payments } = { payments: 0 }] = await world.database.sql<{ payments: number }[]>`
        select count(*) as payments from funding_payments`;
      expect(payments).toBeGreaterThanOrEqual(SHIFTS_MS.length);
      await world.stopLive(program);
      expect(await world.differences()).toEqual([]);
      expect((await world.facts()).twice).toEqual([]);
    } finally {
      await world.close();
    }
  },
  TIMEOUT_MS,
);
