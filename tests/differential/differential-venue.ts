// A case played by the venue, without a network: the path goes tick by tick through the real book, and a
// driver sends the orders of the script. Used by differential.test.ts.
import type { Account } from "../../src/venue/account.ts";
import { openAlgo, cancelAlgo, stopKind } from "../../src/venue/algo.ts";
import { type Algo, isAlgoOpen } from "../../src/venue/algo-order.ts";
import { moneyText } from "../../src/venue/decimal.ts";
import { act, createExchange } from "../../src/venue/exchange.ts";
import { payFunding } from "../../src/venue/funding.ts";
import { stepMarket } from "../../src/venue/house.ts";
import { draftOf } from "../../src/venue/order-rules.ts";
import { isOpen, type Order } from "../../src/venue/order.ts";
import { pricePerLot } from "../../src/venue/position.ts";
import { venueSettings } from "../../src/venue/settings.ts";
import type { Exchange, Market } from "../../src/venue/state.ts";
import { cancelOrder, placeOrder } from "../../src/venue/trading.ts";
import {
  type BookedFill,
  type Books,
  type DifferentialCase,
  GRID,
  MAINTENANCE,
  ticksOf,
} from "./differential-case.ts";
import { SPEC } from "../venue/lab.ts";

const START = Date.UTC(2026, 0, 5);

/** A play in progress: the exchange and what the script has under way. */
type Play = {
  readonly given: DifferentialCase;
  readonly x: Exchange;
  readonly market: Market;
  readonly account: Account;
  readonly names: Map<number, string>;
  entry: Order | null;
  reference: number;
  /** Orders beside the entry, by their key. */
  readonly working: Map<string, Order>;
  stop: Algo | null;
  held: number;
  entryAge: number;
  heldAge: number;
  pending: "entry" | "exit" | null;
};

/** Plays the case. */
export function playVenue(given: DifferentialCase): Books {
  const play = begin(given);
  const { x, market, account } = play;
  for (const [i, candle] of given.candles.entries()) {
    if (candle.rateE8 !== null) {
      act(x, market, () => payFunding(x, market, BigInt(candle.rateE8 ?? 0)));
    }
    if (i > 0) step(play, candle.open, candle.stepLots);
    sendPending(play, candle.open);
    for (const ticks of ticksOf(candle)) step(play, ticks, candle.stepLots);
    // The simulator's run ends with a liquidation, whatever is left.
    if (account.trades.some(({ order }) => order.tag === "liquidation")) break;
    decide(play);
  }
  return booksOf(play, account);
}

function begin(given: DifferentialCase): Play {
  const first = given.candles[0]?.open ?? 0;
  const instrument = {
    ...SPEC,
    ...{ quoteTick: GRID.tick, baseTick: GRID.step, baseMin: GRID.step, bidCapRatio: null },
    ...{ askFloorRatio: null, maintenanceRatio: String(MAINTENANCE), maxOpenNotional: "10000000" },
    ...{ maxLeverage: given.leverage, maxPosition: "1000" },
  };
  const steps = [{ at: START - 1, ticks: first, lots: 0 }];
  const house = {
    ...{ halfSpreadTicks: 1, levels: 12, levelGapTicks: 0, levelLotsMax: 2000 },
    ...{ participationPpm: 1_000_000, touchPpm: given.touchFills ? 1_000_000 : 0 },
    ...{ markBasisTicks: 0, indexBasisTicks: 0 },
  };
  const x = createExchange(
    venueSettings({
      seed: 1,
      startAt: START,
      markets: [{ instrument, feed: { kind: "tape", steps }, house }],
      accounts: [
        {
          ...{ name: "ann", deposit: String(given.deposit) },
          ...{ makerBps: String(given.makerBps), takerBps: String(given.takerBps) },
        },
      ],
    }),
  );
  const [market] = x.markets.values();
  const [account] = x.accounts.values();
  if (!market || !account) throw new Error("the venue has no market or no account");
  account.leverage.set(`${SPEC.symbol} BOTH`, given.leverage);
  return {
    ...{ given, x, market, account, names: new Map(), entry: null, reference: 0 },
    ...{ working: new Map(), stop: null, held: 0, entryAge: 0, heldAge: 0, pending: null },
  };
}

function step(play: Play, ticks: number, lots: number): void {
  const { x, market } = play;
  x.now += 1;
  act(x, market, () => stepMarket(x, market, { at: x.now, ticks, lots }));
  react(play);
}

const heldOf = ({ account }: Play) =>
  [...account.legs.values()].reduce((sum, leg) => sum + leg.lots, 0);

/** What the strategy does after a fill: arms after the entry, resizes closing orders, clears when flat. */
function react(play: Play): void {
  const held = heldOf(play);
  const isEntered = play.entry !== null && !isOpen(play.entry) && play.entry.executedLots > 0;
  if (held === play.held && !isEntered) return;
  // The parts of an entry are one fill to the script: it waits for the last.
  if (play.entry !== null && isOpen(play.entry)) return;
  play.held = held;
  if (held === 0) clear(play);
  else if (isEntered) arm(play);
  else closeAround(play);
  play.entry = null;
}

function clear(play: Play): void {
  for (const order of play.working.values()) if (isOpen(order)) cancelOrder(play.x, order);
  play.working.clear();
  if (play.stop && isAlgoOpen(play.stop)) cancelAlgo(play.x, play.account, play.stop, "flat");
  play.stop = null;
}

function arm(play: Play): void {
  const { sign, script, lots } = play.given;
  for (const [i, distance] of script.rungs.entries()) {
    const price = play.reference - sign * distance;
    play.working.set(`dca:${i}`, send(play, `dca:${i}`, { type: "LIMIT", price, lots }));
  }
  closeAround(play);
}

/** Take-profit and stop over the whole position, placed again when it grew. */
function closeAround(play: Play): void {
  const { x, account, given, market } = play;
  const { sign, script } = given;
  const lots = Math.abs(play.held);
  const old = play.working.get("tp");
  if (old && isOpen(old)) cancelOrder(x, old);
  if (play.stop && isAlgoOpen(play.stop)) cancelAlgo(x, account, play.stop, "resized");
  if (script.takeProfit !== null) {
    const price = play.reference + sign * script.takeProfit;
    play.working.set("tp", send(play, "tp", { type: "LIMIT", price, lots, isClosing: true }));
  }
  if (script.stop === null) return;
  const side = sign > 0 ? "SELL" : "BUY";
  const firesAbove = sign < 0;
  play.stop = openAlgo(
    x,
    account,
    {
      ...{ instrument: market.instrument, clientId: "0", tag: "stop", side, firesAbove, lots },
      ...{ algoType: stopKind(side, firesAbove), positionSide: "BOTH", type: "MARKET" },
      ...{ reduceOnly: true, triggerPriceType: "MARKET_PRICE", ticks: null },
      triggerTicks: play.reference - sign * script.stop,
      ...{ activationTicks: null, callbackTicks: null, callbackPpm: null },
    },
    { parent: null, isArmed: true },
  );
}

type Wish = {
  readonly type: "LIMIT" | "MARKET" | "POST_ONLY";
  readonly price: number;
  readonly lots: number;
  readonly isClosing?: boolean;
};

function send(play: Play, name: string, { type, price, lots, isClosing }: Wish): Order {
  const { x, market, account, given } = play;
  const order = act(x, market, () =>
    placeOrder(
      x,
      account,
      draftOf(x, account, {
        ...{ symbol: SPEC.symbol, type, reduceOnly: String(isClosing === true) },
        ...(type === "POST_ONLY" ? { postOnlyAdjusted: "true" } : {}),
        side: given.sign > 0 !== (isClosing === true) ? "BUY" : "SELL",
        quantity: String((lots * GRID.stepSize).toFixed(2)),
        ...(type === "MARKET" ? {} : { price: String(price * GRID.tickSize) }),
      }),
    ),
  );
  play.names.set(order.id, name);
  return order;
}

/** What was decided at the last close goes out after the open has traded. */
function sendPending(play: Play, open: number): void {
  const { pending, given } = play;
  play.pending = null;
  if (pending === "exit" && play.held !== 0) {
    send(play, "exit", { type: "MARKET", price: 0, lots: Math.abs(play.held), isClosing: true });
    react(play);
  }
  if (pending !== "entry") return;
  const { entry, entryDistance } = given.script;
  const price = open - given.sign * entryDistance;
  const isPassive = entry !== "market" && entryDistance > 0;
  play.reference = isPassive ? price : open;
  const type = entry === "market" ? "MARKET" : entry === "limit" ? "LIMIT" : "POST_ONLY";
  play.entry = send(play, "entry", { type, price, lots: given.lots });
  react(play);
}

/** The decisions of a close, in the order the strategy makes them. */
function decide(play: Play): void {
  const { script } = play.given;
  if (play.held !== 0) {
    play.heldAge += 1;
    if (script.exitAfter !== null && play.heldAge === script.exitAfter) play.pending = "exit";
  } else if (play.entry && isOpen(play.entry)) {
    play.entryAge += 1;
    if (play.entryAge < script.entryWaits) return;
    cancelOrder(play.x, play.entry);
    play.entry = null;
  } else {
    play.entryAge = 0;
    play.heldAge = 0;
    play.pending = "entry";
  }
}

function booksOf({ names, market }: Play, account: Account): Books {
  const fills: BookedFill[] = [];
  let [realised, paid] = [0n, 0n];
  for (const { order, ticks, lots, isMaker, realized, fee } of account.trades) {
    realised += realized ?? 0n;
    paid += fee;
    const name = names.get(order.id) ?? order.tag;
    const last = fills.at(-1);
    const side = order.side === "BUY" ? "buy" : "sell";
    if (last?.order === name && last.ticks === ticks && last.side === side) {
      fills[fills.length - 1] = { ...last, lots: last.lots + lots };
    } else fills.push({ order: name, side, ticks, lots, isMaker, limit: order.ticks });
  }
  const [leg] = account.legs.values();
  const heldLots = leg?.lots ?? 0;
  return {
    parts: account.trades.length,
    fills,
    heldLots,
    average: leg ? Number(pricePerLot(market.instrument, leg.cost, heldLots)) : 0,
    realised: Number(moneyText(realised)),
    fees: Number(moneyText(paid)),
    funding: Number(moneyText(account.fundingReceived)),
    balance: Number(moneyText(account.wallet)),
  };
}
