// Funding: a rate per interval, exchanged between longs and shorts at the mark price. The house holds
// the other side of every client, so what clients pay is what it gains.
import { type Account, type FundingPayment, keepRow } from "./account.ts";
import { floorDivide, type Money } from "./decimal.ts";
import { notional } from "./instrument.ts";
import { credit, type Exchange, type Market, record } from "./state.ts";

/** Rates are whole numbers of 10^-8. */
export const RATE_DECIMALS = 8;
const RATE_SCALE = 10n ** BigInt(RATE_DECIMALS);
const RATE_MEAN = 10_000;
const RATE_SPREAD = 15_000;
/** Fixings kept per instrument. */
const FIXINGS_MAX = 20_000;

/** The rate that is exchanged at an instant; it follows from seed, symbol and instant alone. */
export function rateAt({ instrument, random }: Market, at: number): bigint {
  const draw = random.funding(0, Math.floor(at / instrument.fundingIntervalMs));
  return BigInt(RATE_MEAN - RATE_SPREAD + Math.floor(draw * (2 * RATE_SPREAD + 1)));
}

/** Exchanges funding now and begins the next interval. */
export function fixFunding(x: Exchange, market: Market): void {
  payFunding(x, market, market.nextRateE8);
  market.nextFundingAt = x.now + market.instrument.fundingIntervalMs;
  market.nextRateE8 = rateAt(market, market.nextFundingAt);
  x.listener.onFunding(market);
}

/** Exchanges funding at a rate: longs pay shorts when it is positive. */
export function payFunding(x: Exchange, market: Market, rateE8: bigint): void {
  const { instrument, markTicks } = market;
  record(x, "funding", { symbol: instrument.symbol, rateE8: rateE8.toString(), markTicks });
  keepFixing(x, market, rateE8);
  for (const account of x.accounts.values()) {
    for (const leg of account.legs.values()) {
      if (leg.instrument !== instrument || leg.lots === 0) continue;
      // Rounded down, so that never more is received than was paid.
      const owed = notional(instrument, markTicks, leg.lots) * rateE8;
      pay(x, account, market, { rateE8, amount: floorDivide(-owed, RATE_SCALE) });
    }
  }
}

function keepFixing(x: Exchange, market: Market, rateE8: bigint): void {
  market.fixings.push({ at: x.now, rateE8, markTicks: market.markTicks });
  if (market.fixings.length >= 2 * FIXINGS_MAX) market.fixings.splice(0, FIXINGS_MAX);
}

function pay(
  x: Exchange,
  account: Account,
  market: Market,
  { rateE8, amount }: { rateE8: bigint; amount: Money },
): void {
  const { instrument, markTicks } = market;
  const id = ++x.ids.payment;
  const payment: FundingPayment = { id, instrument, at: x.now, rateE8, markTicks, amount };
  keepRow(account.payments, payment);
  record(x, "funding_paid", { account: account.name, id, amount: amount.toString() });
  x.house.wallet -= amount;
  account.fundingReceived += amount;
  credit(x, account, amount);
}
