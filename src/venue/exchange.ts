// Builds a venue from its settings and moves it through virtual time. The server and the tests hold the
// object made here; time only passes through `advance`.
import { type Account, type AccountSpec, createAccount } from "./account.ts";
import { settle } from "./aftermath.ts";
import { createBook } from "./book.ts";
import { addPrint, createCandleHistory } from "./candle-history.ts";
import { type Money, MONEY_DECIMALS, toUnits } from "./decimal.ts";
import { createEventLog } from "./event-log.ts";
import { createFaults } from "./faults.ts";
import { fixFunding, rateAt } from "./funding.ts";
import { quote, stepMarket } from "./house.ts";
import { createInstrument } from "./instrument.ts";
import { readOpening } from "./opening.ts";
import { HOUSE } from "./order.ts";
import { type PathStep, pathOf } from "./price-path.ts";
import { createField, createRandom } from "./random.ts";
import { createSchedule } from "./schedule.ts";
import {
  type AccountSettings,
  HOUSE_DEFAULTS,
  type MarketSettings,
  type VenueSettings,
} from "./settings.ts";
import { credit, type Exchange, type Market, NO_LISTENER, record } from "./state.ts";

const MINUTE_MS = 60_000;
/** First ids, so that an order id is never mistaken for a trade id. */
const FIRST_IDS = { order: 60_000_000_000, trade: 1_000_000_000, algo: 10_000_000, payment: 0 };

/** Opens a venue at its start instant, with history behind it and quotes in the book. */
export function createExchange(settings: VenueSettings): Exchange {
  const log = createEventLog();
  const markets = new Map(
    settings.markets.map((market) => [market.instrument.symbol, createMarket(settings, market)]),
  );
  const house = createAccount({
    ...{ id: HOUSE, name: "house", applicationId: "", apiKey: "", secret: "" },
    ...{ makerPpm: 0n, takerPpm: 0n, hasDeadMan: false, mode: "ONE_WAY" },
    ...{ permissions: [], allowedIps: null },
  });
  const x: Exchange = {
    settings,
    log,
    schedule: createSchedule(),
    faults: createFaults(settings.seed, (rule) =>
      record(x, "fault", { id: rule.id, name: rule.name, fired: rule.fired }),
    ),
    markets,
    accounts: new Map(),
    byKey: new Map(),
    house,
    ids: { ...firstIds(settings), account: HOUSE },
    feePool: 0n,
    insurance: 0n,
    deposits: 0n,
    now: settings.startAt,
    liveAlgos: new Set(),
    dirty: new Set(),
    listener: NO_LISTENER,
  };
  record(x, "start", { seed: settings.seed, startAt: settings.startAt });
  for (const market of markets.values()) openMarket(x, market);
  for (const account of settings.accounts) addAccount(x, account);
  return x;
}

/** Where ids go on: above the usual first ones, and above those that were given before. */
function firstIds({ idsAbove }: VenueSettings): typeof FIRST_IDS {
  const above = (kind: keyof typeof FIRST_IDS) => Math.max(FIRST_IDS[kind], idsAbove[kind] ?? 0);
  return {
    order: above("order"),
    trade: above("trade"),
    algo: above("algo"),
    payment: above("payment"),
  };
}

function createMarket(
  settings: VenueSettings,
  { instrument: spec, feed, house }: MarketSettings,
): Market {
  const instrument = createInstrument(spec);
  const { seed, startAt, historyMinutes } = settings;
  const stream = (what: string) => createRandom(seed, `${what} ${spec.symbol}`);
  const historyFrom = startAt - historyMinutes * MINUTE_MS;
  const { steps, walk } = pathOf(feed, instrument, seed, { historyFrom, startAt });
  return {
    instrument,
    book: createBook(),
    candles: createCandleHistory(instrument, walk, startAt),
    steps,
    house: { ...HOUSE_DEFAULTS, ...house },
    random: {
      quotes: stream("quotes"),
      touch: stream("touch"),
      funding: createField(seed, `funding ${spec.symbol}`),
    },
    quotes: [],
    prints: [],
    lastTicks: 0,
    markTicks: 0,
    indexTicks: 0,
    isSuspended: false,
    nextRateE8: 0n,
    nextFundingAt: 0,
    fixings: [],
  };
}

/** Plays the path up to the start as history, then puts the first quotes and the first appointments. */
function openMarket(x: Exchange, market: Market): void {
  const { instrument, house } = market;
  const { walk } = market.candles;
  let fundingAt = walk ? nextInterval(market, walk.from) : Number.NaN;
  if (walk) {
    // The minutes before the one that is running are not played; their candles are computed.
    const minuteAt = Math.floor(x.now / MINUTE_MS) * MINUTE_MS;
    for (; fundingAt < minuteAt; fundingAt += instrument.fundingIntervalMs) {
      const { open } = walk.candleAt(fundingAt);
      const markTicks = Math.max(instrument.minTicks, open + house.markBasisTicks);
      market.fixings.push({ at: fundingAt, rateE8: rateAt(market, fundingAt), markTicks });
    }
  }
  let step = nextStep(market);
  for (; step && step.at <= x.now; step = nextStep(market)) {
    if (Number.isNaN(fundingAt)) fundingAt = nextInterval(market, step.at);
    for (; fundingAt <= step.at; fundingAt += instrument.fundingIntervalMs) {
      const rateE8 = rateAt(market, fundingAt);
      market.fixings.push({ at: fundingAt, rateE8, markTicks: step.ticks });
    }
    addPrint(market.candles, step.at, step.ticks, step.lots);
    market.lastTicks = step.ticks;
  }
  // Without history the first price to come is the price now.
  if (market.lastTicks === 0) market.lastTicks = step?.ticks ?? instrument.minTicks;
  market.markTicks = Math.max(instrument.minTicks, market.lastTicks + house.markBasisTicks);
  market.indexTicks = Math.max(instrument.minTicks, market.lastTicks + house.indexBasisTicks);
  market.nextFundingAt = nextInterval(market, x.now);
  market.nextRateE8 = rateAt(market, market.nextFundingAt);
  planFunding(x, market);
  if (step) planStep(x, market, step);
  quote(x, market);
}

/** The first funding instant after an instant. */
function nextInterval(market: Market, at: number): number {
  const every = market.instrument.fundingIntervalMs;
  return (Math.floor(at / every) + 1) * every;
}

function nextStep(market: Market): PathStep | null {
  const next = market.steps.next();
  return next.done ? null : next.value;
}

function planStep(x: Exchange, market: Market, step: PathStep): void {
  x.schedule.at(step.at, () => {
    stepMarket(x, market, step);
    settle(x);
    x.listener.onBook(market);
    const next = nextStep(market);
    if (next) planStep(x, market, next);
  });
}

function planFunding(x: Exchange, market: Market): void {
  x.schedule.at(market.nextFundingAt, () => {
    fixFunding(x, market);
    planFunding(x, market);
  });
}

/** Hex text that follows from the seed and a label: keys that are the same in every run. */
function derivedKey(x: Exchange, label: string, length: number): string {
  const text = `venue ${x.settings.seed} ${label}`;
  return new Bun.CryptoHasher("sha256").update(text).digest("hex").slice(0, length);
}

/**
 * Opens an account with its deposit and with what it held before.
 * @throws RangeError when a name or key is taken or an amount is no decimal
 */
export function addAccount(x: Exchange, given: AccountSettings): Account {
  const taken = [...x.accounts.values()].some((account) => account.name === given.name);
  if (taken) throw new RangeError(`name "${given.name}" is taken`);
  const money = depositOf(given.deposit);
  const id = x.ids.account + 1;
  const account = createAccount(accountSpec(x, id, given));
  if (x.byKey.has(account.apiKey)) throw new RangeError(`apiKey of "${given.name}" is taken`);
  const open = given.opening && readOpening(x, account, given.opening);
  x.ids.account = id;
  x.accounts.set(id, account);
  x.byKey.set(account.apiKey, account);
  record(x, "account", { name: given.name, mode: account.mode });
  payIn(x, account, money);
  open?.();
  return account;
}

function accountSpec(x: Exchange, id: number, given: AccountSettings): AccountSpec {
  const hex = derivedKey(x, `application ${id}`, 32);
  const groups = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20)];
  return {
    id,
    name: given.name,
    applicationId: [...groups, hex.slice(20)].join("-"),
    apiKey: given.apiKey ?? derivedKey(x, `key ${id}`, 24),
    secret: given.secret ?? derivedKey(x, `secret ${id}`, 40),
    makerPpm: ppmOf("makerBps", given.makerBps ?? "2"),
    takerPpm: ppmOf("takerBps", given.takerBps ?? "5"),
    hasDeadMan: given.hasDeadMan ?? true,
    permissions: given.permissions ?? ["READ", "TRADE"],
    allowedIps: given.allowedIps ?? null,
    mode: given.mode ?? "ONE_WAY",
  };
}

function ppmOf(field: string, bps: string): bigint {
  const ppm = toUnits(bps, 2);
  if (ppm === null) throw new RangeError(`${field} "${bps}" must be a decimal of at most 2 places`);
  return ppm;
}

function depositOf(amount: string): Money {
  const money = toUnits(amount, MONEY_DECIMALS);
  if (money === null) throw new RangeError(`deposit "${amount}" is no decimal`);
  return money;
}

/** Adds (or with a minus takes) quote coins. @throws RangeError when the amount is no decimal */
export function deposit(x: Exchange, account: Account, amount: string): void {
  payIn(x, account, depositOf(amount));
}

function payIn(x: Exchange, account: Account, money: Money): void {
  x.deposits += money;
  record(x, "deposit", { account: account.name, amount: money.toString() });
  credit(x, account, money);
}

/** Runs everything that is due up to a virtual instant, in order. */
export function advance(x: Exchange, to: number): void {
  while (x.schedule.nextAt() <= to) {
    const next = x.schedule.take();
    if (!next) break;
    x.now = Math.max(x.now, next.at);
    next.run();
    settle(x);
  }
  x.now = Math.max(x.now, to);
}

/** Does something on behalf of a client and settles what it set off. */
export function act<T>(x: Exchange, market: Market | null, what: () => T): T {
  const result = what();
  settle(x);
  if (market) x.listener.onBook(market);
  return result;
}
